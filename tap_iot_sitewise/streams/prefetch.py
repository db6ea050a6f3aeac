"""Fetches ahead of the one who reads, in threads, and hands out in order."""

from __future__ import annotations

import threading
import typing as t
from collections import deque
from queue import SimpleQueue

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

K = t.TypeVar("K")
P = t.TypeVar("P")

_PAGES_AHEAD = 1
"""Pages of one listing that wait to be read; the next one is fetched meanwhile."""

_LISTINGS_PER_WORKER = 2
"""Listings begun and not yet read, for each worker: one that is being fetched and
one that is done, so that a worker need not wait for a slow one before it."""


_GLANCE = 0.5
"""Seconds after which a wait is begun anew."""


class _Listing(t.Generic[K, P]):
    """One listing: its key, and its pages as far as they came and were not read."""

    def __init__(self, key: K) -> None:
        self.key = key
        self.pages: deque[P] = deque()
        self.done = False


class Prefetch(t.Generic[K, P]):
    """Runs one listing for each key, several at once, and gives them out in order.

    What waits in memory is bounded by the number of workers, not by that of keys.
    Workers are daemon threads: a stopped run does not wait for what they wait for.
    """

    def __init__(
        self, keys: Iterable[K], fetch: Callable[[K], Iterable[P]], workers: int
    ) -> None:
        """Set up; nothing is fetched before the first listing is asked for.

        Args:
            keys: What to list, in order.
            fetch: Gives the pages of one key; called in a worker.
            workers: Listings that are fetched at once.
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
        """Give each key with its pages, which are to be read before the next key.

        Raises:
            Exception: The first failure of any listing, at once, whichever is read.
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
        """Begin as many listings as may wait; return whether one is to be read."""
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
                # With a bound: a signal that comes just before the wait would be
                # noticed only after it.
                while not self._changed.wait_for(
                    lambda: listing.pages or listing.done or self._failure, _GLANCE
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
            except BaseException as failure:  # noqa: BLE001 - raised by the reader
                with self._changed:
                    self._failure = self._failure or failure
                    self._changed.notify_all()
                return
            with self._changed:
                listing.done = True
                self._changed.notify_all()

    def _put(self, listing: _Listing[K, P], page: P) -> bool:
        """Leave a page for the reader; return whether more are wanted."""
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
