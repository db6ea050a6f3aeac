"""Count requests and answers."""

from __future__ import annotations

import threading
import time
import typing as t
from collections import Counter, deque

if t.TYPE_CHECKING:
    from collections.abc import Callable

_REQUESTS_KEPT = 200_000


class Stats:
    """Counts since the start or the last ``reset``. Any thread may read them."""

    def __init__(self) -> None:
        """Set all counts to zero."""
        self._lock = threading.Condition()
        self._in_flight = 0
        self.reset()

    def reset(self) -> None:
        """Set all counts to zero, except for the requests in flight."""
        with self._lock:
            self._requests: Counter[str] = Counter()
            self._successes: Counter[str] = Counter()
            self._errors: Counter[str] = Counter()
            self._per_second: Counter[int] = Counter()
            self._log: deque[tuple[str, str]] = deque(maxlen=_REQUESTS_KEPT)
            self._most_in_flight = self._in_flight

    @property
    def requests(self) -> dict[str, int]:
        """Number of requests, by operation."""
        with self._lock:
            return dict(self._requests)

    @property
    def successes(self) -> dict[str, int]:
        """Number of requests that succeeded, by operation."""
        with self._lock:
            return dict(self._successes)

    @property
    def errors(self) -> dict[str, int]:
        """Number of errors and faults, by AWS's code or the fault's value."""
        with self._lock:
            return dict(self._errors)

    @property
    def log(self) -> list[tuple[str, str]]:
        """Operation and query string of the last 200,000 requests, the oldest first."""
        with self._lock:
            return list(self._log)

    @property
    def in_flight(self) -> int:
        """Number of requests that are not answered yet."""
        return self._in_flight

    @property
    def most_in_flight(self) -> int:
        """Maximum number of requests in flight."""
        return self._most_in_flight

    @property
    def peak_per_second(self) -> int:
        """Maximum number of requests in one second of the monotonic clock."""
        with self._lock:
            return max(self._per_second.values(), default=0)

    @property
    def total(self) -> int:
        """Number of requests of all operations."""
        with self._lock:
            return sum(self._requests.values())

    def begin(self, operation: str, query: str) -> int:
        """Count a request.

        Args:
            operation: Name of the operation.
            query: The query string.

        Returns:
            The number of the request among those of the operation, from 1.
        """
        with self._lock:
            self._requests[operation] += 1
            self._log.append((operation, query))
            self._per_second[int(time.monotonic())] += 1
            self._in_flight += 1
            self._most_in_flight = max(self._most_in_flight, self._in_flight)
            self._lock.notify_all()
            return self._requests[operation]

    def end(self, operation: str, error: str | None) -> None:
        """Count an answer.

        Args:
            operation: Name of the operation.
            error: Code of the error or value of the fault; None for success.
        """
        with self._lock:
            self._in_flight -= 1
            if error is None:
                self._successes[operation] += 1
            else:
                self._errors[error] += 1
            self._lock.notify_all()

    def wait_for(self, reached: Callable[[], bool], *, seconds: float = 60) -> None:
        """Wait until a condition is true.

        Args:
            reached: The condition. It is called after each request and answer, and may
                read the counts.
            seconds: The maximum time.

        Raises:
            TimeoutError: The condition was not true in time.
        """
        with self._lock:
            if not self._lock.wait_for(reached, seconds):
                msg = f"After {seconds} seconds: {self.as_dict()}"
                raise TimeoutError(msg)

    def as_dict(self) -> dict[str, t.Any]:
        """Return all counts for JSON, without the log."""
        return {
            "requests": self.requests,
            "successes": self.successes,
            "errors": self.errors,
            "total": self.total,
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
            "peak_per_second": self.peak_per_second,
        }
