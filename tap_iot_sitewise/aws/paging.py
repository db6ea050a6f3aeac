"""A request with all its pages: what is asked, and how it comes to an end."""

from __future__ import annotations

import threading
import typing as t
from dataclasses import dataclass, field

from tap_iot_sitewise.errors import TapError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

_MAX_STALE_PAGES = 100
"""Pages in a row without a new item that a request may get before it is taken for
endless. A few are sound: AWS may send empty ones, and an item that moves while it is
listed comes again, alone on its page where ``page_size`` is 1."""
_REMEMBERED = 500_000
"""Items after which a request begins to forget the earliest."""

Page = list[t.Any]


@dataclass(frozen=True)
class Request:
    """What is asked of the API: an operation with its parameters, and all its pages.

    Args:
        operation: Name in the service model, for example ``ListPortals``.
        result: Member of the answer that holds the page, a list.
        parameters: Parameters of the operation, without those of its paging.
        identity: Gives from an item of a page what it is known by, None where it
            cannot tell. Without it, every item counts as a new one.
        columns: Columns that the request, not the answer, decides of each record.
        entries: Those columns by the ``entryId`` of an item, where a batch operation
            asks for several parents at once.
    """

    operation: str
    result: str
    parameters: Mapping[str, t.Any] = field(default_factory=dict)
    identity: Callable[[t.Any], Hashable | None] | None = None
    columns: Mapping[str, t.Any] = field(default_factory=dict)
    entries: Mapping[str, Mapping[str, t.Any]] | None = None

    def columns_of(self, item: t.Any) -> Mapping[str, t.Any]:  # noqa: ANN401
        """Return the columns that the request decides of an item's record.

        Raises:
            TapError: The item belongs to no entry of the request.
        """
        if self.entries is None:
            return self.columns
        try:
            return self.entries[item["entryId"]]
        except (KeyError, TypeError) as error:
            msg = f"{self.operation}: an item of the answer belongs to no entry"
            raise TapError(msg) from error


@dataclass
class Calls:
    """What a request, or several together, cost.

    Args:
        requests: Calls sent, retries included.
        retries: Calls that were sent again.
    """

    requests: int = 0
    retries: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *, retries: int) -> None:
        """Add a call that was answered after so many retries, from any thread."""
        with self._lock:
            self.requests += 1 + retries
            self.retries += retries


class Seen:
    """How far a request has come: which items it gave, and which tokens.

    With it each item is given once, though one that moves between pages meanwhile
    comes twice, and a request whose pages do not end is noticed.

    Memory is bounded: of a million items and more, at least the latest half million
    are remembered. Two of a million identities share their hash (64 bits) once in some
    40 million runs.
    """

    def __init__(self, request: Request) -> None:
        """Begin with the first page.

        Args:
            request: The request.
        """
        self._request = request
        self._items: set[int] = set()
        self._earlier_items: set[int] = set()
        self._tokens: set[int] = set()
        self._stale = 0

    def new(self, page: Page, token: str | None) -> Page:
        """Return what of a page was not given before.

        Args:
            page: Its items.
            token: Token of the next page, None on the last one.

        Raises:
            TapError: The pages do not end.
        """
        if token is not None and hash(token) in self._tokens:
            self._fail("its token came back")
        if len(self._tokens) >= _REMEMBERED:
            self._tokens.clear()
        self._tokens.add(hash(token))
        if len(self._items) >= _REMEMBERED:
            self._earlier_items, self._items = self._items, set()
        fresh = page if self._request.identity is None else self._fresh(page)
        self._stale = 0 if fresh else self._stale + 1
        if self._stale > _MAX_STALE_PAGES:
            self._fail(
                "a page came back"
                if page
                else f"{_MAX_STALE_PAGES} pages in a row were empty"
            )
        return fresh

    def _fresh(self, page: Page) -> Page:
        identity = t.cast("Callable[[t.Any], Hashable | None]", self._request.identity)
        known = {hash(found) for item in page if (found := identity(item)) is not None}
        if len(known) == len(page) and not (
            known & self._items or known & self._earlier_items
        ):
            # Most pages: nothing came twice.
            self._items.update(known)
            return page
        return [item for item in page if self._is_new(identity(item))]

    def _is_new(self, identity: Hashable | None) -> bool:
        if identity is None:
            # Not as the API states: whoever converts it says so.
            return True
        hashed = hash(identity)
        if hashed in self._items or hashed in self._earlier_items:
            return False
        self._items.add(hashed)
        return True

    def _fail(self, reason: str) -> t.NoReturn:
        msg = (
            f"{self._request.operation}: the listing does not end ({reason}); the "
            "output is incomplete, try again later"
        )
        raise TapError(msg)
