"""Fetches pages ahead in threads, and returns them in order."""

from __future__ import annotations

import contextlib
import threading
import typing as t
from collections import deque
from queue import Empty, SimpleQueue

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

K = t.TypeVar("K")
P = t.TypeVar("P")

_PAGES_AHEAD = 1
"""Maximum pages of one listing that wait for the reader."""

_LISTINGS_PER_WORKER = 2
"""Maximum listings per worker that are not read yet: one that the worker fetches and
one that is complete, so that a worker does not wait for an earlier, slow listing."""


_WAIT_TIMEOUT = 0.5
"""Seconds after which a wait is repeated."""

_NO_KEY: t.Any = object()
"""Marks the end of the keys."""


class _StoppedError(Exception):
    """Nobody reads the pages any more."""


class _Listing(t.Generic[K, P]):
    """One listing: its key, and its pages that are fetched and not read yet."""

    def __init__(self, key: K) -> None:
        self.key = key
        self.pages: deque[P] = deque()
        self.done = False


class Prefetch(t.Generic[K, P]):
    """Fetches one listing per key, several at a time, and yields them in order.

    The number of workers limits the pages in memory; the number of keys does not
    matter. Workers are daemon threads, so a stopped run does not wait for them.
    """

    def __init__(
        self, keys: Iterable[K], fetch: Callable[[K], Iterable[P]], workers: int
    ) -> None:
        """Create the object. Fetching starts with the iteration.

        Args:
            keys: Keys of the listings, in order.
            fetch: Yields the pages of one key; called in a worker.
            workers: Maximum listings that are fetched at the same time.
        """
        self._keys = iter(keys)
        self._fetch = fetch
        self._workers = workers
        self._started = 0
        self._todo: SimpleQueue[_Listing[K, P] | None] = SimpleQueue()
        self._ahead: deque[_Listing[K, P]] = deque()
        # Guards the listings' pages, the failure and the end.
        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self._ended = False

    def __iter__(self) -> Iterator[tuple[K, Iterator[P]]]:
        """Yield each key with its pages. Read the pages before the next key.

        Raises:
            Exception: The first failure of any listing, as soon as it occurs.
        """
        try:
            while self._fill():
                listing = self._ahead[0]
                yield listing.key, self._read(listing)
                self._ahead.popleft()
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
            for _ in range(self._started):
                self._todo.put(None)

    def _fill(self) -> bool:
        """Start as many listings as allowed. Return whether there is one to read."""
        while len(self._ahead) < self._workers * _LISTINGS_PER_WORKER:
            try:
                listing: _Listing[K, P] = _Listing(next(self._keys))
            except StopIteration:
                break
            self._ahead.append(listing)
            self._todo.put(listing)
            if self._started < self._workers:
                self._started += 1
                threading.Thread(target=self._work, daemon=True).start()
        return bool(self._ahead)

    def _read(self, listing: _Listing[K, P]) -> Iterator[P]:
        while True:
            with self._changed:
                # With a timeout: Python handles a signal that comes just before the
                # wait only after the wait.
                while not self._changed.wait_for(
                    lambda: listing.pages or listing.done or self._failure,
                    _WAIT_TIMEOUT,
                ):
                    pass
                if self._failure is not None:
                    raise self._failure
                if not listing.pages:
                    return
                page = listing.pages.popleft()
                self._changed.notify_all()
            yield page

    def _work(self) -> None:
        while (listing := self._todo.get()) is not None:
            try:
                for page in self._fetch(listing.key):
                    if not self._put(listing, page):
                        return
            except BaseException as failure:  # noqa: BLE001 - the reader raises it
                with self._changed:
                    self._failure = self._failure or failure
                    self._changed.notify_all()
                return
            with self._changed:
                listing.done = True
                self._changed.notify_all()

    def _put(self, listing: _Listing[K, P], page: P) -> bool:
        """Pass a page to the reader. Return whether to fetch more pages."""
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    len(listing.pages) < _PAGES_AHEAD or self._ended or self._failure
                )
            )
            if self._ended or self._failure:
                return False
            listing.pages.append(page)
            self._changed.notify_all()
            return True


class PrefetchInAnyOrder(t.Generic[K, P]):
    """Fetches one listing per key, several at a time, and yields pages as they come.

    The number of workers limits the pages in memory. So the latency of one listing with
    many pages does not delay the others. Workers are daemon threads.
    """

    def __init__(
        self, keys: Iterable[K], fetch: Callable[[K], Iterable[P]], workers: int
    ) -> None:
        """Create the object. Fetching starts with the iteration.

        Args:
            keys: Keys of the listings; iterated in a worker, one at a time.
            fetch: Yields the pages of one key; called in a worker.
            workers: Maximum listings that are fetched at the same time.
        """
        self._keys = iter(keys)
        self._next_key = threading.Lock()
        self._fetch = fetch
        self._workers = workers
        self._fetched: SimpleQueue[tuple[K, P | None] | BaseException | None] = (
            SimpleQueue()
        )
        self._room = threading.Semaphore(workers)
        self._ended = False

    def __iter__(self) -> Iterator[tuple[K, P | None]]:
        """Yield each page with its key, and after the last page of a key, None.

        Raises:
            Exception: The first failure of any listing, as soon as it occurs.
        """
        working = self._workers
        for _ in range(working):
            threading.Thread(target=self._work, daemon=True).start()
        try:
            while working:
                fetched = self._take()
                if fetched is None:
                    working -= 1
                elif isinstance(fetched, BaseException):
                    raise fetched
                else:
                    self._room.release()
                    yield fetched
        finally:
            self._ended = True

    def _take(self) -> tuple[K, P | None] | BaseException | None:
        while True:
            # With a timeout, see `Prefetch._read`.
            with contextlib.suppress(Empty):
                return self._fetched.get(timeout=_WAIT_TIMEOUT)

    def _work(self) -> None:
        try:
            while (key := self._next()) is not _NO_KEY:
                for page in self._fetch(key):
                    self._put((key, page))
                self._put((key, None))
        except BaseException as failure:  # noqa: BLE001 - the reader raises it
            self._fetched.put(failure)
        else:
            self._fetched.put(None)

    def _next(self) -> K:
        with self._next_key:
            return _NO_KEY if self._ended else next(self._keys, _NO_KEY)

    def _put(self, fetched: tuple[K, P | None]) -> None:
        while not self._room.acquire(timeout=_WAIT_TIMEOUT) and not self._ended:
            pass
        if self._ended:
            raise _StoppedError
        self._fetched.put(fetched)
