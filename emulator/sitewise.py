"""ListAssetModels, ListPortals and ListProjects as the service model has them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emulator import errors, hostile
from emulator.faults import Fault
from emulator.tokens import Position, TokenMint

if TYPE_CHECKING:
    from collections.abc import Callable

    from emulator.account import Account
    from emulator.listing import Listing
    from emulator.plant import Plant

SERVICE = "iotsitewise"
LARGEST_PAGE = 250
USUAL_PAGE = 50
_NUMBER = re.compile(r"[+-]?[0-9]{1,10}")
_TYPES = tuple(kind for kind in hostile.ASSET_MODEL_TYPES if kind)
_VERSIONS = ("LATEST", "ACTIVE")
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

Parameters = list[tuple[str, str]]


@dataclass(frozen=True)
class Operation:
    """A List operation.

    Attributes:
        name: as in the service model.
        member: the member of the answer that holds the entities.
    """

    name: str
    member: str

    @property
    def action(self) -> str:
        """The IAM action that a caller needs."""
        return f"{SERVICE}:{self.name}"


OPERATIONS = {
    "/asset-models": Operation("ListAssetModels", "assetModelSummaries"),
    "/portals": Operation("ListPortals", "portalSummaries"),
    "/projects": Operation("ListProjects", "projectSummaries"),
}
"""The List operations by their paths."""


@dataclass(frozen=True)
class _Selection:
    """Which entities are listed, and `key` that says so for the token."""

    listing: Listing
    key: str
    wanted: Callable[[dict[str, Any]], bool] | None = None


class SiteWise:
    """The three List operations over a plant.

    Args:
        plant: what there is to list.
        account: goes into the ARNs of error messages.
    """

    def __init__(self, plant: Plant, account: Account) -> None:
        """Serve a plant."""
        self._plant = plant
        self._account = account
        self._tokens = TokenMint()

    def resource(self, operation: Operation, parameters: Parameters) -> str:
        """What is asked for, as the message of a missing permission names it."""
        portal = dict(parameters).get("portalId")
        if operation.name != "ListProjects":
            return "*"
        return self._account.arn(SERVICE, f"portal/{portal}")

    def page(
        self,
        operation: Operation,
        parameters: Parameters,
        twist: Fault | None = None,
    ) -> bytes:
        """One page.

        Args:
            operation: which listing.
            parameters: names and values of the query, decoded.
            twist: what is to be wrong with it, one of `faults.TWISTED_PAGES`.

        Returns:
            The JSON.

        Raises:
            ApiError: what AWS answers.
        """
        limit = _page_size(parameters)
        selection = self._selection(operation, parameters)
        after = self._start(operation, parameters, selection)
        entities, following = selection.listing.page(after, limit, selection.wanted)
        if twist is not None:
            following = after
        if twist is Fault.EMPTY_PAGE:
            entities = b""
        token = ""
        if following is not None:
            position = Position(operation.name, selection.key, following)
            fresh = twist in {Fault.EMPTY_PAGE, Fault.REPEATED_PAGE}
            token = f',"nextToken":"{self._tokens.issue(position, fresh=fresh)}"'
        return b'{"%b":[%b]%b}' % (operation.member.encode(), entities, token.encode())

    def _start(
        self, operation: Operation, parameters: Parameters, selection: _Selection
    ) -> int:
        token = dict(parameters).get("nextToken")
        if token is None:
            return 0
        after = self._tokens.redeem(token, operation.name, selection.key)
        if after is None:
            message = "The nextToken in the request is invalid."
            raise errors.invalid_request(message)
        return after

    def _selection(self, operation: Operation, parameters: Parameters) -> _Selection:
        if operation.name == "ListAssetModels":
            return self._asset_models(parameters)
        if operation.name == "ListPortals":
            return _Selection(self._plant.portal_listing, "")
        return self._projects(parameters)

    def _asset_models(self, parameters: Parameters) -> _Selection:
        kinds = {value for name, value in parameters if name == "assetModelTypes"}
        for kind in sorted(kinds.difference(_TYPES)):
            rule = f"Member must satisfy enum value set: [{', '.join(_TYPES)}]"
            raise errors.invalid_request(
                errors.constraint(kind, "assetModelTypes", rule)
            )
        version = dict(parameters).get("assetModelVersion", "LATEST")
        if version not in _VERSIONS:
            rule = "Member must satisfy regular expression pattern: ^(LATEST|ACTIVE)$"
            raise errors.invalid_request(
                errors.constraint(version, "assetModelVersion", rule)
            )
        listing = self._plant.asset_model_listing
        if not kinds:
            return _Selection(listing, version)
        return _Selection(
            listing,
            " ".join([version, *sorted(kinds)]),
            # The service model calls ASSET_MODEL the default.
            lambda model: (model.get("assetModelType") or "ASSET_MODEL") in kinds,
        )

    def _projects(self, parameters: Parameters) -> _Selection:
        portal_id = dict(parameters).get("portalId")
        if portal_id is None:
            rule = "Member must not be null"
            raise errors.invalid_request(errors.constraint(None, "portalId", rule))
        listing = self._plant.project_listings.get(portal_id)
        if listing is not None:
            return _Selection(listing, portal_id)
        if not re.fullmatch(_UUID, portal_id):
            rule = f"Member must satisfy regular expression pattern: ^{_UUID}$"
            raise errors.invalid_request(errors.constraint(portal_id, "portalId", rule))
        message = f"Portal with id {portal_id} not found"
        raise errors.not_found(message)


def _page_size(parameters: Parameters) -> int:
    value = dict(parameters).get("maxResults")
    if value is None:
        return USUAL_PAGE
    if not _NUMBER.fullmatch(value):
        rule = "Member must be an integer"
        raise errors.invalid_request(errors.constraint(value, "maxResults", rule))
    size = int(value)
    if size > LARGEST_PAGE:
        rule = f"Member must have value less than or equal to {LARGEST_PAGE}"
        raise errors.invalid_request(errors.constraint(size, "maxResults", rule))
    if size < 1:
        rule = "Member must have value greater than or equal to 1"
        raise errors.invalid_request(errors.constraint(size, "maxResults", rule))
    return size
