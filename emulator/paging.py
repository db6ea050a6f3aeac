"""Answer a List operation with a page of records."""

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
    from emulator.operations import ApiRequest
    from emulator.record import Record

_NUMBER = re.compile(r"[+-]?[0-9]{1,10}")

Wanted: t.TypeAlias = "Callable[[Record], bool]"
"""Returns whether a record is in the listing."""


@dataclass(frozen=True)
class Page:
    """Answers with a page of records.

    Args:
        member: Member of the answer that contains the records.
        kind: Name of the kind of records.
        parent: Parameter with the parent's ID, such as ``portalId``; None if the kind
            has no parent.
        not_found: AWS's message if the parent does not exist, with the names of
            parameters, such as ``Portal with id {portalId} not found``.
        wanted: Returns the filter for a request, None for all records.
        default_size: Records on a page if the request has no ``maxResults``.
        maximum_size: The maximum of ``maxResults``.
    """

    member: str
    kind: str
    parent: str | None = None
    not_found: str = ""
    wanted: Callable[[ApiRequest], Wanted | None] = lambda _: None
    default_size: int = 50
    maximum_size: int = 250

    def __call__(self, request: ApiRequest) -> bytes:
        """Return one page.

        Args:
            request: A request. It may have the parameters ``maxResults`` and
                ``nextToken``.

        Returns:
            The body of the answer, as JSON.

        Raises:
            ApiError: The parent does not exist, or one of these parameters is invalid.
        """
        return self.page(request, self._listing)

    def page(
        self, request: ApiRequest, listing_of: Callable[[ApiRequest], Listing]
    ) -> bytes:
        """Return one page of a listing, see :meth:`__call__`.

        Args:
            request: The request.
            listing_of: Returns the listing for a request.
        """
        limit = self._limit(request.one("maxResults"))
        listing = listing_of(request)
        after = _start(request)
        records, following = listing.page(after, limit, self.wanted(request))
        if request.page_fault is not None:
            following = after
        if request.page_fault is Fault.EMPTY_PAGE:
            records = b""
        token = b""
        if following is not None:
            position = Position(request.operation.name, request.selection, following)
            unique = request.page_fault in {Fault.EMPTY_PAGE, Fault.REPEATED_PAGE}
            issued = request.tokens.issue(position, unique=unique)
            token = b',"nextToken":"%b"' % issued.encode()
        return b'{"%b":[%b]%b}' % (self.member.encode(), records, token)

    def _limit(self, given: str | None) -> int:
        if given is None:
            return self.default_size
        rule = None
        if not _NUMBER.fullmatch(given):
            rule = "be an integer"
        elif int(given) > self.maximum_size:
            rule = f"have value less than or equal to {self.maximum_size}"
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
            msg = self.not_found.format_map(dict(request.parameters))
            raise errors.not_found(msg) from None


def _start(request: ApiRequest) -> int:
    token = request.one("nextToken")
    if token is None:
        return 0
    after = request.tokens.read(token, request.operation.name, request.selection)
    if after is None:
        msg = "The nextToken in the request is invalid."
        raise errors.invalid_request(msg)
    return int(after)
