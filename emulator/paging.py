"""Answers that are one page of a listing, as those of the List operations are."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from emulator import errors
from emulator.faults import Fault
from emulator.tokens import Position

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from emulator.listing import Listing
    from emulator.maker import Record
    from emulator.operations import ApiRequest

_NUMBER = re.compile(r"[+-]?[0-9]{1,10}")

Wanted: t.TypeAlias = "Callable[[Record], bool]"
"""Says of a record whether it is listed."""


@dataclass(frozen=True)
class Page:
    """Answers with a page of records.

    Attributes:
        member: Member of the answer that holds the records.
        kind: Name of the kind of records.
        parent: Parameter that holds the ID of the records' parent, for a kind that has
            one, such as ``portalId``.
        not_found: What AWS says when there is no such parent; with the values of
            parameters, such as ``Portal with id {portalId} not found``.
        wanted: Makes of a request what says which records it wants, or None for all.
        usual: Records on a page when the request does not say.
        largest: The most records that a request may ask for.
    """

    member: str
    kind: str
    parent: str | None = None
    not_found: str = ""
    wanted: Callable[[ApiRequest], Wanted | None] = lambda _: None
    usual: int = 50
    largest: int = 250

    def __call__(self, request: ApiRequest) -> bytes:
        """Return one page.

        Args:
            request: May have the parameters ``maxResults`` and ``nextToken``.

        Returns:
            The JSON.

        Raises:
            ApiError: The parent does not exist, or one of the two is invalid.
        """
        limit = self._limit(request.one("maxResults"))
        listing = self._listing(request)
        after = _start(request)
        records, following = listing.page(after, limit, self.wanted(request))
        if request.twist is not None:
            following = after
        if request.twist is Fault.EMPTY_PAGE:
            records = b""
        token = b""
        if following is not None:
            position = Position(request.operation.name, request.selection, following)
            fresh = request.twist in {Fault.EMPTY_PAGE, Fault.REPEATED_PAGE}
            issued = request.tokens.issue(position, fresh=fresh)
            token = b',"nextToken":"%b"' % issued.encode()
        return b'{"%b":[%b]%b}' % (self.member.encode(), records, token)

    def _limit(self, given: str | None) -> int:
        if given is None:
            return self.usual
        rule = None
        if not _NUMBER.fullmatch(given):
            rule = "be an integer"
        elif int(given) > self.largest:
            rule = f"have value less than or equal to {self.largest}"
        elif int(given) < 1:
            rule = "have value greater than or equal to 1"
        if rule is None:
            return int(given)
        raise errors.invalid_request(
            errors.constraint(given, "maxResults", f"Member must {rule}")
        )

    def _listing(self, request: ApiRequest) -> Listing:
        parent = None if self.parent is None else request.one(self.parent)
        try:
            return request.plant.listing(self.kind, parent)
        except KeyError:
            message = self.not_found.format_map(dict(request.parameters))
            raise errors.not_found(message) from None


def _start(request: ApiRequest) -> int:
    token = request.one("nextToken")
    if token is None:
        return 0
    after = request.tokens.redeem(token, request.operation.name, request.selection)
    if after is None:
        message = "The nextToken in the request is invalid."
        raise errors.invalid_request(message)
    return after
