"""Limits the requests per second, before they are signed."""

from __future__ import annotations

import math
import threading
import time
import typing as t

from botocore.retries import adaptive

if t.TYPE_CHECKING:
    from collections.abc import Callable

_USED = 0.9
"""Share of the limit that the pace uses. The rest is for :data:`_CATCH_UP`."""

_CATCH_UP = 0.1
"""Seconds that a request can make up for, if the requests before it were late."""

_LONGEST_SLEEP = 60.0
"""Seconds of one sleep."""


class RateLimit:
    """Lets at most ``most`` requests pass in any second. Threads can share it.

    The requests pass at an even pace. One that is late does not delay the next ones, as
    long as no second has more requests than the limit. This is the generic cell rate
    algorithm.
    """

    def __init__(
        self,
        most: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Create the limit. The first request passes immediately.

        Args:
            most: Maximum requests per second, more than 0. If it is not a whole number,
                a single second can have one more, but not several seconds together.
            clock: Returns the time in seconds.
            sleep: Waits for a number of seconds.
        """
        self._interval = 1 / (most * _USED)
        self._clock = clock
        self._sleep = sleep
        self._next = -math.inf
        # The thread that waits for its turn holds the lock, so the others queue here.
        self._turn = threading.Lock()

    def wait(self) -> None:
        """Return when the next request may be sent."""
        with self._turn:
            while (left := self._next - self._clock()) > 0:
                # `time.sleep` refuses centuries.
                self._sleep(min(left, _LONGEST_SLEEP))
            # From the time when it really passes: a late request is not followed by a
            # burst.
            earliest = self._clock() - _CATCH_UP
            self._next = max(self._next, earliest) + self._interval


def limit_rate(
    client: t.Any,  # noqa: ANN401
    service: str,
    credentials: t.Any,  # noqa: ANN401
    most: float | None,
) -> None:
    """Limit the requests of a client, each attempt included.

    After a throttled request, botocore's ``adaptive`` mode limits the rate to what the
    account's quota allows. It waits after the signature (botocore 1.44), which AWS
    accepts for five minutes. Here, its limiter waits before the signature, and the
    limit of the settings after it: what one holds back, the other cannot send at once.

    Args:
        client: boto3 client with the retry mode ``standard``.
        service: Service of the client, as in the names of its events.
        credentials: Credentials of its session, None if there are none.
        most: Maximum requests per second, None for no limit.
    """
    events = client.meta.events
    limiter = adaptive.register_retry_handler(client)
    events.unregister("before-send", limiter.on_sending_request)
    event = f"before-sign.{service}"
    if most is None:
        events.register(event, limiter.on_sending_request)
        return
    limit = RateLimit(most)
    if credentials is not None:
        # Threads that wait for new credentials after the limit would then send at once.
        events.register(event, lambda **_: credentials.get_frozen_credentials())
    events.register(event, limiter.on_sending_request)
    events.register(event, lambda **_: limit.wait())
