"""A request to the API, and the progress through its pages."""

from __future__ import annotations

import threading
import typing as t
from dataclasses import dataclass, field

from tap_iot_sitewise.aws.responses import entries_in, page_in
from tap_iot_sitewise.errors import TapError
from tap_iot_sitewise.remembered import Remembered

if t.TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

_MAX_STALE_PAGES = 100
"""After more pages in a row without a new item, a listing counts as endless. A few such
pages are valid: AWS can send empty ones, and an item that moves during the listing
comes again, alone on its page if ``page_size`` is 1."""
_MAX_TOKENS = 500_000
"""Number of tokens after which a request forgets the earlier ones."""

Page = list[t.Any]


@dataclass(frozen=True)
class Request:
    """An operation of the API with its parameters. Its answer can have several pages.

    Args:
        operation: Name in the service model, for example ``ListPortals``.
        result: Member of the answer that contains the page, a list.
        parameters: Parameters of the operation, without those of paging.
        identity: Returns the key of an item, or None if the item has no valid key.
            Without this function, every item counts as new.
        columns: Columns of each record whose values come from the request.
        entries: For a batch operation, these columns by the ``entryId`` of an item.
        parent: Name and value of the key of the parent, None without a parent.
    """

    operation: str
    result: str
    parameters: Mapping[str, t.Any] = field(default_factory=dict)
    identity: Callable[[t.Any], Hashable | None] | None = None
    columns: Mapping[str, t.Any] = field(default_factory=dict)
    entries: Mapping[str, Mapping[str, t.Any]] | None = None
    parent: str | None = None

    def read(self, body: bytes) -> tuple[Page, str | None]:
        """Return the items of a page, and the token of the next page.

        Args:
            body: Body of an answer.

        Raises:
            ValueError: The body is not a complete page.
        """
        if self.entries is None:
            return page_in(body, self.result)
        return entries_in(body)


@dataclass
class Calls:
    """Counts the calls of one or several requests.

    Args:
        requests: Number of calls, including retries.
        retries: Number of retries.
    """

    requests: int = 0
    retries: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *, retries: int) -> None:
        """Add a call with its number of retries. Threads can call this."""
        with self._lock:
            self.requests += 1 + retries
            self.retries += retries


class Seen:
    """The items and tokens that a request has returned so far.

    It drops an item that comes twice because it moved between pages, and notices a
    request whose pages do not end.

    Memory is bounded, see :class:`~tap_iot_sitewise.remembered.Remembered`.
    """

    def __init__(self, request: Request) -> None:
        """Start before the first page.

        Args:
            request: The request.
        """
        self._request = request
        self._items = Remembered()
        self._tokens: set[int] = set()
        self._stale = 0

    def new(self, page: Page, token: str | None) -> Page:
        """Return the items of a page that did not come before.

        Args:
            page: The items.
            token: Token of the next page, None on the last page.

        Raises:
            TapError: The pages do not end.
        """
        if token is not None and hash(token) in self._tokens:
            self._fail("the same token came twice")
        if len(self._tokens) >= _MAX_TOKENS:
            self._tokens.clear()
        self._tokens.add(hash(token))
        fresh = page if self._request.identity is None else self._fresh(page)
        self._stale = 0 if fresh else self._stale + 1
        if self._stale > _MAX_STALE_PAGES:
            self._fail(
                f"{_MAX_STALE_PAGES} pages in a row had no new item"
                if page
                else f"{_MAX_STALE_PAGES} pages in a row were empty"
            )
        return fresh

    def _fresh(self, page: Page) -> Page:
        identity = t.cast("Callable[[t.Any], Hashable | None]", self._request.identity)
        keys = [identity(item) for item in page]
        if None not in keys and self._items.are_new(keys):
            # The usual case: no item came twice.
            return page
        # An item without a key is not valid. Its conversion to a record reports that.
        return [
            item
            for item, key in zip(page, keys, strict=True)
            if key is None or self._items.is_new(key)
        ]

    def _fail(self, reason: str) -> t.NoReturn:
        msg = (
            f"{self._request.operation}: the listing does not end ({reason}) and the "
            "output is incomplete; run the tap again later"
        )
        raise TapError(msg)
