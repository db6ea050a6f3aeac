"""What can go wrong between a client and AWS, on demand."""

from __future__ import annotations

import enum
import random
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from emulator import errors

if TYPE_CHECKING:
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
    """No answer for `silence_seconds`, then the connection is closed."""
    CUT_SHORT = "cut-short"
    """200, the JSON ends half-way, and Content-Length agrees with what was sent."""
    NOT_JSON = "not-json"
    """200 with a body that is no JSON."""
    EMPTY_OBJECT = "empty-object"
    """200 with `{}`: JSON that lacks the page's own members."""
    EMPTY_PAGE = "empty-page"
    """200 with no entity and a new token for the same place, as AWS may send it."""
    REPEATED_PAGE = "repeated-page"
    """200 with the page asked for and a new token that leads to it again."""
    SAME_TOKEN = "same-token"  # noqa: S105 - the name of a fault
    """200 with the page asked for and always the same token, which leads to it."""


Failure: TypeAlias = "Fault | Answer | errors.ApiError"
"""What can go wrong with a request."""

TWISTED_PAGES = frozenset({Fault.EMPTY_PAGE, Fault.REPEATED_PAGE, Fault.SAME_TOKEN})
"""Faults of the listing itself; where there is no listing they do nothing."""


@dataclass(frozen=True)
class Answer:
    """An answer as it is to go out, whoever might have made it: AWS, a proxy, chance.

    Attributes:
        status: of HTTP.
        body: as it goes out.
        content_type: of the body, as the header has it.
    """

    status: int
    body: bytes
    content_type: str = "application/json"


@dataclass(frozen=True)
class Call:
    """A request as the hook of `Faults.before` sees it.

    Attributes:
        operation: `ListPortals` and so on.
        parameters: names and values of the query, decoded.
        number: 1 for the operation's first request since the start or `Stats.reset`.
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


@dataclass
class _Bucket:
    """A token bucket: `rate` tokens a second, `size` of them at most."""

    rate: float
    size: float
    tokens: float = field(init=False)
    filled_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.tokens = self.size

    def take(self) -> bool:
        now = time.monotonic()
        self.tokens = min(self.size, self.tokens + (now - self.filled_at) * self.rate)
        self.filled_at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Faults:
    """The faults that are switched on. Empty at first. May be set from any thread.

    Attributes:
        latency: seconds that every answer takes longer.
        hold: called again and again in the server's thread; while it returns True,
            every answer is kept back.
        silence_seconds: how long `Fault.SILENCE` lasts.
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
            self._bucket: _Bucket | None = None
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
            per_second: how many it takes a second in the long run; None for no quota.
            burst: how many it takes at once after a pause; as many as in a second
                when None.
        """
        with self._lock:
            size = max(1.0, per_second or 0) if burst is None else burst
            self._bucket = None if per_second is None else _Bucket(per_second, size)

    def fail_next(
        self,
        operation: str,
        fault: Failure,
        *,
        times: int = 1,
        after: int = 0,
    ) -> None:
        """Let the next requests of an operation fail, in the order of the calls.

        Args:
            operation: `ListProjects`, `CreateSession` ..., or `*` for all of them.
            fault: how.
            times: how many.
            after: how many go well before.
        """
        self._plan(operation, _Plan(fault, after, times))

    def always(
        self,
        operation: str,
        fault: Failure,
        *,
        after: int = 0,
    ) -> None:
        """Let all requests of an operation fail from now on.

        Args:
            operation: `ListProjects`, `CreateSession` ..., or `*` for all of them.
            fault: how.
            after: how many go well before.
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
        """Let requests fail by chance. Replaces what an earlier call asked for.

        Args:
            shares: how often each fault happens, as shares of 1.
            seed: of the dice.
            operations: which may fail; None for all.
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
            operation: `ListProjects`, `CreateSession` ..., or `*` for all of them.
            hook: may change the plant; may return a fault for this request.
        """
        with self._lock:
            self._hooks.setdefault(operation, []).append(hook)

    def draw(self, call: Call, *, metered: bool) -> Failure | None:
        """What is to go wrong with a request, None for nothing.

        Args:
            call: the request.
            metered: whether it counts against the quota.
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
