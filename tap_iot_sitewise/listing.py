"""What a listing has given so far: to give each entity once, and to come to an end."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from tap_iot_sitewise.errors import TapError

_ID = "id"
"""Member by which an entity of SiteWise is known."""
_MAX_STALE_PAGES = 100
"""Pages in a row without a new entity that a listing may send before it is taken for
endless. A few are sound: AWS may send empty ones, and an entity that moves while it is
listed comes again, alone on its page where ``page_size`` is 1."""
_REMEMBERED = 500_000
"""Entities after which a listing begins to forget the earliest."""

Page = list[t.Any]


@dataclass
class Listing:
    """What a listing has given so far: a hash of each entity's ID and each token.

    With it each entity is given once, though one that moves between pages meanwhile
    comes twice, and a listing that has no end is noticed.

    Memory is bounded: of a million entities and more, at least the latest half million
    are remembered. Two of a million IDs share their hash (64 bits) once in some
    40 million runs.
    """

    operation: str
    _ids: set[int] = field(default_factory=set)
    _earlier_ids: set[int] = field(default_factory=set)
    _tokens: set[int] = field(default_factory=set)
    _stale: int = 0

    def new(self, page: Page, token: str | None) -> Page:
        """Return what of a page was not given before.

        Args:
            page: Its entities.
            token: Token of the next page, None on the last one.

        Raises:
            TapError: The listing has no end.
        """
        if token is not None and hash(token) in self._tokens:
            self._fail("its token came back")
        if len(self._tokens) >= _REMEMBERED:
            self._tokens.clear()
        self._tokens.add(hash(token))
        if len(self._ids) >= _REMEMBERED:
            self._earlier_ids, self._ids = self._ids, set()
        fresh = [entity for entity in page if self._is_new(entity)]
        self._stale = 0 if fresh else self._stale + 1
        if self._stale > _MAX_STALE_PAGES:
            self._fail(
                "a page came back"
                if page
                else f"{_MAX_STALE_PAGES} pages in a row were empty"
            )
        return fresh

    def _is_new(self, entity: t.Any) -> bool:  # noqa: ANN401
        identity = entity.get(_ID) if isinstance(entity, dict) else None
        if not isinstance(identity, str):
            # Not an entity: whoever converts it says so.
            return True
        hashed = hash(identity)
        if hashed in self._ids or hashed in self._earlier_ids:
            return False
        self._ids.add(hashed)
        return True

    def _fail(self, reason: str) -> t.NoReturn:
        msg = (
            f"{self.operation}: the listing does not end ({reason}); what was sent is "
            "not whole, try again later"
        )
        raise TapError(msg)
