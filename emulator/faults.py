"""What can go wrong between a client and AWS, on demand."""

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
"""Stands for every operation where one is asked for."""


class Fault(str, enum.Enum):
    """One way for a request to go wrong. The value is its name on the command line."""

    INTERNAL_FAILURE = "internal-failure"
    """500, InternalFailureException."""
    UNAVAILABLE = "unavailable"
    """503, ServiceUnavailableException."""
    BAD_GATEWAY = "bad-gateway"
    """502 with an HTML page, as a proxy on the way gives it."""
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
    """200, the JSON ends half-way, and Content-Length agrees with what was sent."""
    NOT_JSON = "not-json"
    """200 with a body that is not valid JSON."""
    EMPTY_OBJECT = "empty-object"
    """200 with ``{}``: JSON that lacks the page's own members."""
    EMPTY_PAGE = "empty-page"
    """200 with no entity and a new token for the same place, as AWS may send it."""
    REPEATED_PAGE = "repeated-page"
    """200 with the page asked for and a new token that leads to it again."""
    SAME_TOKEN = "same-token"  # noqa: S105 - the name of a fault
    """200 with the page asked for and always the same token, which leads to it."""


Failure: t.TypeAlias = "Fault | Answer | errors.ApiError"
"""What can go wrong with a request."""

TWISTED_PAGES = frozenset({Fault.EMPTY_PAGE, Fault.REPEATED_PAGE, Fault.SAME_TOKEN})
"""Faults of a listing; they do nothing to other operations."""


@dataclass(frozen=True)
class Answer:
    """An answer that is sent as it stands, as AWS or a proxy might send it.

    Attributes:
        status: HTTP status.
        body: Body as it is sent.
        content_type: Value of the ``Content-Type`` header.
    """

    status: int
    body: bytes
    content_type: str = "application/json"


@dataclass(frozen=True)
class Call:
    """A request as the hook of ``Faults.before`` sees it.

    Attributes:
        operation: ``ListPortals`` and so on.
        parameters: Names and values in the path and the query, decoded.
        number: 1 for the operation's first request since the start or ``Stats.reset``.
    """

    operation: str
    parameters: tuple[tuple[str, str], ...]
    number: int

    def parameter(self, name: str) -> str | None:
        """The value of a parameter, None when it was not sent."""
        return dict(self.parameters).get(name)


@dataclass
class _Plan:
    fault: Failure
    skip: int
    left: int | None


class Faults:
    """The faults that are switched on. Empty at first. May be set from any thread.

    Attributes:
        latency: Seconds that every answer takes longer.
        hold: Called again and again in the server's thread; while it returns True,
            every answer is kept back.
        silence_seconds: How long ``Fault.SILENCE`` lasts.
    """

    def __init__(self) -> None:
        """Switch everything off."""
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Switch everything off."""
        with self._lock:
            self.latency = 0.0
            self.hold: Callable[[], bool] = lambda: False
            self.silence_seconds = 3600.0
            self._bucket: TokenBucket | None = None
            self._plans: dict[str, list[_Plan]] = {}
            self._hooks: dict[str, list[Callable[[Call], Failure | None]]] = {}
            self._shares: list[tuple[Fault, float, frozenset[str] | None]] = []
            self._dice = random.Random(0)  # noqa: S311 - faults have to be repeatable

    @property
    def quota(self) -> float | None:
        """SiteWise requests a second before it throttles; None for no quota."""
        return self._bucket.rate if self._bucket else None

    @quota.setter
    def quota(self, per_second: float | None) -> None:
        self.set_quota(per_second)

    def set_quota(self, per_second: float | None, burst: float | None = None) -> None:
        """Throttle SiteWise requests.

        Args:
            per_second: How many it takes a second in the long run; None for no quota.
            burst: How many it takes at once after a pause; as many as in a second
                when None.
        """
        with self._lock:
            size = max(1.0, per_second or 0) if burst is None else burst
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

        Args:
            operation: Such as ``ListProjects`` or ``CreateSession``; ``*`` for all.
            fault: How they fail.
            times: How many requests fail.
            after: How many succeed before that.
        """
        self._plan(operation, _Plan(fault, after, times))

    def always(
        self,
        operation: str,
        fault: Failure,
        *,
        after: int = 0,
    ) -> None:
        """Make all requests of an operation fail from now on.

        Args:
            operation: Such as ``ListProjects`` or ``CreateSession``; ``*`` for all.
            fault: How they fail.
            after: How many succeed before that.
        """
        self._plan(operation, _Plan(fault, after, None))

    def _plan(self, operation: str, plan: _Plan) -> None:
        with self._lock:
            self._plans.setdefault(operation, []).append(plan)

    def at_random(
        self,
        shares: Mapping[Fault, float],
        *,
        seed: int = 0,
        operations: Iterable[str] | None = None,
    ) -> None:
        """Make requests fail by chance. Replaces the shares of an earlier call.

        Args:
            shares: How often each fault happens, as shares of 1.
            seed: Seed of the random numbers.
            operations: Which may fail; None for all.
        """
        if sum(shares.values()) > 1:
            message = "The shares of the faults add up to more than 1."
            raise ValueError(message)
        among = None if operations is None else frozenset(operations)
        with self._lock:
            self._dice = random.Random(seed)  # noqa: S311 - faults have to be repeatable
            self._shares = [(fault, share, among) for fault, share in shares.items()]

    def before(
        self,
        operation: str,
        hook: Callable[[Call], Failure | None],
    ) -> None:
        """Call something before each answer, in the server's thread.

        Args:
            operation: Such as ``ListProjects`` or ``CreateSession``; ``*`` for all.
            hook: May change the plant; may return a fault for this request.
        """
        with self._lock:
            self._hooks.setdefault(operation, []).append(hook)

    def draw(self, call: Call, *, metered: bool) -> Failure | None:
        """Return what goes wrong with a request, None for nothing.

        Args:
            call: The request.
            metered: Whether it counts against the quota.
        """
        with self._lock:
            hooks = self._hooks.get(call.operation, []) + self._hooks.get(ANY, [])
        # Outside the lock, so that a hook may switch faults on and off.
        for hook in hooks:
            if (fault := hook(call)) is not None:
                return fault
        with self._lock:
            for operation in (call.operation, ANY):
                if (planned := self._next_planned(operation)) is not None:
                    return planned
            if metered and self._bucket and not self._bucket.take():
                return Fault.THROTTLE
            return self._by_chance(call.operation)

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

    def _by_chance(self, operation: str) -> Fault | None:
        if not self._shares:
            return None
        # One throw a request, whatever the operation, keeps a run repeatable.
        throw = self._dice.random()
        for fault, share, among in self._shares:
            if throw < share:
                return fault if among is None or operation in among else None
            throw -= share
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
"""The faults that are plain answers of AWS."""
