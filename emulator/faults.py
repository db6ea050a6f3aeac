"""Faults that the emulator injects."""

from __future__ import annotations

import enum
import random
import threading
import typing as t
from dataclasses import dataclass

from emulator import errors
from emulator.quota import TokenBucket

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

ANY = "*"
"""Stands for all operations."""


class Fault(str, enum.Enum):
    """A fault. Its value is its name on the command line."""

    INTERNAL_FAILURE = "internal-failure"
    """500, InternalFailureException."""
    UNAVAILABLE = "unavailable"
    """503, ServiceUnavailableException."""
    BAD_GATEWAY = "bad-gateway"
    """502 with an HTML page, as a proxy sends it."""
    THROTTLE = "throttle"
    """429, ThrottlingException."""
    ACCESS_DENIED = "access-denied"
    """403, AccessDeniedException."""
    EXPIRED_TOKEN = "expired-token"  # noqa: S105 - the name of an error
    """403, ExpiredTokenException."""
    DROP = "drop"
    """The connection is closed before the first byte of an answer."""
    DROP_IN_BODY = "drop-in-body"
    """The connection is closed in the middle of the body."""
    SILENCE = "silence"
    """No answer for ``silence_seconds``, then the connection is closed."""
    CUT_SHORT = "cut-short"
    """200 with JSON that ends early. Content-Length has the length that was sent."""
    NOT_JSON = "not-json"
    """200 with a body that is not valid JSON."""
    EMPTY_OBJECT = "empty-object"
    """200 with ``{}``: a JSON object without the members of a page."""
    EMPTY_PAGE = "empty-page"
    """200 with no entity and a new token for the same page, as AWS may send it."""
    REPEATED_PAGE = "repeated-page"
    """200 with the right page, but a new token for the same page."""
    SAME_TOKEN = "same-token"  # noqa: S105 - the name of a fault
    """200 with the right page, but always the same token, for the same page."""


Failure: t.TypeAlias = "Fault | Answer | errors.ApiError"
"""What a request gets in place of its answer."""

PAGE_FAULTS = frozenset({Fault.EMPTY_PAGE, Fault.REPEATED_PAGE, Fault.SAME_TOKEN})
"""Faults of a page. They have no effect on other answers."""


@dataclass(frozen=True)
class Answer:
    """An answer that is sent unchanged.

    Args:
        status: HTTP status.
        body: Body of the answer.
        content_type: Value of the header ``Content-Type``.
    """

    status: int
    body: bytes
    content_type: str = "application/json"


@dataclass(frozen=True)
class Call:
    """A request, for a hook of ``Faults.before``.

    Args:
        operation: Name of the operation, such as ``ListPortals``.
        parameters: Decoded names and values of the path and the query.
        number: Number of the request among those of the operation, from 1 since the
            start or ``Stats.reset``.
        content: The decoded JSON body of a POST to SiteWise; None if there is none.
    """

    operation: str
    parameters: tuple[tuple[str, str], ...]
    number: int
    content: t.Any = None

    def parameter(self, name: str) -> str | None:
        """Return the value of a parameter; None if it was not sent."""
        return dict(self.parameters).get(name)


@dataclass
class _Plan:
    fault: Failure
    skip: int
    left: int | None


class Faults:
    """The faults that are switched on: none at first. Any thread may change them.

    ``latency`` is a delay of each answer, in seconds. ``silence_seconds`` is the
    duration of ``Fault.SILENCE``. The server's thread calls the function ``hold``
    repeatedly, and sends no answer while it returns True.
    """

    def __init__(self) -> None:
        """Switch all faults off."""
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self.latency = 0.0
            self.hold: Callable[[], bool] = lambda: False
            self.silence_seconds = 3600.0
            self._bucket: TokenBucket | None = None
            self._plans: dict[str, list[_Plan]] = {}
            self._hooks: dict[str, list[Callable[[Call], Failure | None]]] = {}
            self._shares: list[tuple[Fault, float, frozenset[str] | None]] = []
            self._rng = random.Random(0)  # noqa: S311 - faults must be repeatable

    @property
    def quota(self) -> float | None:
        """Maximum requests per second to SiteWise; None for no quota."""
        return self._bucket.rate if self._bucket else None

    @quota.setter
    def quota(self, per_second: float | None) -> None:
        self.set_quota(per_second)

    def set_quota(self, per_second: float | None, burst: float | None = None) -> None:
        """Throttle requests to SiteWise.

        Args:
            per_second: Maximum requests per second on average; None for no quota.
            burst: Maximum requests at once after a pause; None for as many as in one
                second on average.

        Raises:
            ValueError: The quota is not more than 0, or the burst is less than 1.
        """
        size = max(1.0, per_second or 0) if burst is None else burst
        if not (size >= 1 and (per_second is None or per_second > 0)):
            msg = "The quota must be more than 0, and the burst 1 or more."
            raise ValueError(msg)
        with self._lock:
            self._bucket = None if per_second is None else TokenBucket(per_second, size)

    def fail_next(
        self,
        operation: str,
        fault: Failure,
        *,
        times: int = 1,
        after: int = 0,
    ) -> None:
        """Make the next requests of an operation fail, in the order of the calls.

        This has precedence over ``always``.

        Args:
            operation: Such as ``ListProjects`` or ``CreateSession``; ``*`` for all.
            fault: The fault.
            times: Number of requests that fail.
            after: Number of requests before them that succeed.
        """
        self._plan(operation, _Plan(fault, after, times))

    def always(
        self,
        operation: str,
        fault: Failure,
        *,
        after: int = 0,
    ) -> None:
        """Make all further requests of an operation fail.

        Args:
            operation: Such as ``ListProjects`` or ``CreateSession``; ``*`` for all.
            fault: The fault.
            after: Number of requests that succeed first.
        """
        self._plan(operation, _Plan(fault, after, None))

    def _plan(self, operation: str, plan: _Plan) -> None:
        with self._lock:
            plans = self._plans.setdefault(operation, [])
            plans.append(plan)
            # Those that end come before those that do not.
            plans.sort(key=lambda each: each.left is None)

    def at_random(
        self,
        shares: Mapping[Fault, float],
        *,
        seed: int = 0,
        operations: Iterable[str] | None = None,
    ) -> None:
        """Make requests fail at random. Replaces the faults of an earlier call.

        Args:
            shares: The probability of each fault, 0 to 1.
            seed: Seed of the random numbers.
            operations: Operations that may fail; None for all.

        Raises:
            ValueError: The probabilities add up to more than 1.
        """
        if sum(shares.values()) > 1:
            msg = "The shares of the faults add up to more than 1."
            raise ValueError(msg)
        among = None if operations is None else frozenset(operations)
        with self._lock:
            self._rng = random.Random(seed)  # noqa: S311 - faults must be repeatable
            self._shares = [(fault, share, among) for fault, share in shares.items()]

    def before(
        self,
        operation: str,
        hook: Callable[[Call], Failure | None],
    ) -> None:
        """Call a function before each answer, in the server's thread.

        Args:
            operation: Such as ``ListProjects`` or ``CreateSession``; ``*`` for all.
            hook: The function. It may change the plant, and return a fault.
        """
        with self._lock:
            self._hooks.setdefault(operation, []).append(hook)

    def fault_for(self, call: Call, *, metered: bool) -> Failure | None:
        """Return the fault of a request, None for no fault.

        Args:
            call: The request.
            metered: Whether the quota applies to it.
        """
        with self._lock:
            hooks = self._hooks.get(call.operation, []) + self._hooks.get(ANY, [])
        # Without the lock, because a hook may switch faults on and off.
        for hook in hooks:
            if (fault := hook(call)) is not None:
                return fault
        with self._lock:
            for operation in (call.operation, ANY):
                if (planned := self._next_planned(operation)) is not None:
                    return planned
            if metered and self._bucket and not self._bucket.take():
                return Fault.THROTTLE
            return self._random_fault(call.operation)

    def _next_planned(self, operation: str) -> Failure | None:
        plans = self._plans.get(operation, [])
        while plans:
            plan = plans[0]
            if plan.skip:
                plan.skip -= 1
                return None
            if plan.left is None:
                return plan.fault
            if plan.left:
                plan.left -= 1
                return plan.fault
            plans.pop(0)
        return None

    def _random_fault(self, operation: str) -> Fault | None:
        if not self._shares:
            return None
        # One number for each request of any operation, so that a run is repeatable.
        number = self._rng.random()
        for fault, share, among in self._shares:
            if number < share:
                return fault if among is None or operation in among else None
            number -= share
        return None


ERRORS: dict[Fault, Callable[[], errors.ApiError]] = {
    Fault.INTERNAL_FAILURE: errors.internal_failure,
    Fault.UNAVAILABLE: errors.unavailable,
    Fault.THROTTLE: errors.throttled,
    Fault.ACCESS_DENIED: lambda: errors.access_denied(
        "Access denied by the emulator's faults"
    ),
    Fault.EXPIRED_TOKEN: errors.expired_token,
}
"""The faults that are errors of AWS."""
