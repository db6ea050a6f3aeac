"""SiteWise Monitor: portals, projects and what belongs to them."""

from __future__ import annotations

import typing as t

from emulator import errors
from emulator.kinds import Kind
from emulator.listing import Listing
from emulator.operations import UUID, Operation, Parameter
from emulator.paging import Page

if t.TYPE_CHECKING:
    from emulator.operations import ApiRequest
    from emulator.record import Record


def _asset_id(record: Record) -> object:
    return record["assetId"]


KINDS = (
    Kind("portals"),
    Kind("projects", parents=("portals",)),
    Kind(
        "project_assets",
        parents=("projects",),
        wire=_asset_id,
        dates=(),
        refers={"assetId": "assets"},
    ),
    Kind("dashboards", parents=("projects",)),
    Kind("access_policies", parents=("portals", "projects")),
)

_PROJECT_ID = Parameter("projectId", pattern=UUID, required=True)
_PROJECT_NOT_FOUND = "Project with id {projectId} not found"
_IAM_ARN = "arn:aws(-cn|-us-gov)?:[a-zA-Z0-9:/_.+=,@-]+"
_RESOURCES = {"PORTAL": "portals", "PROJECT": "projects"}
# For each type of identity the members of a policy, and the parameter for the value.
_IDENTITIES: dict[str, tuple[tuple[tuple[str, str], ...], str]] = {
    "USER": ((("user", "id"),), "identityId"),
    "GROUP": ((("group", "id"),), "identityId"),
    "IAM": ((("iamUser", "arn"), ("iamRole", "arn")), "iamArn"),
}


def _check(request: ApiRequest) -> None:
    """Refuse a request without the parameters that another parameter requires."""
    resource_type = request.one("resourceType")
    identity_type = request.one("identityType")
    parameter = None if identity_type is None else _IDENTITIES[identity_type][1]
    msg = None
    if (resource_type is None) != (request.one("resourceId") is None):
        msg = "The resourceType and resourceId parameters must be used together."
    elif parameter is not None and request.one(parameter) is None:
        msg = f"The {parameter} parameter is required for this identityType."
    elif parameter is None and request.one("identityId") is not None:
        msg = "The identityType parameter is required with identityId."
    elif parameter is None and resource_type is None:
        msg = "Specify an identity or a resource."
    if msg is not None:
        raise errors.invalid_request(msg)


def _policies(request: ApiRequest) -> Listing:
    _check(request)
    resource_type, resource_id = request.one("resourceType"), request.one("resourceId")
    listings = request.plant.listings("access_policies")
    if resource_type is not None and resource_id is not None:
        if not request.plant.has(_RESOURCES[resource_type], resource_id):
            msg = f"{resource_type.capitalize()} with id {resource_id} not found"
            raise errors.not_found(msg)
        listings = (request.plant.listing("access_policies", resource_id),)
    return Listing.selected(
        (number, policy)
        for listing in listings
        for number, policy in listing.numbered
        if _is_wanted(policy, request)
    )


def _is_wanted(policy: Record, request: ApiRequest) -> bool:
    identity_type = request.one("identityType")
    if identity_type is None:
        return True
    members, parameter = _IDENTITIES[identity_type]
    identity = policy.get("identity") or {}
    wanted = request.one(parameter)
    return any(
        (identity.get(kind) or {}).get(member) == wanted for kind, member in members
    )


_POLICIES = Page("accessPolicySummaries", "access_policies")

OPERATIONS = (
    Operation("ListPortals", "/portals", Page("portalSummaries", "portals")),
    Operation(
        "ListProjects",
        "/projects",
        Page(
            "projectSummaries",
            "projects",
            parent="portalId",
            not_found="Portal with id {portalId} not found",
        ),
        parameters=(Parameter("portalId", pattern=UUID, required=True),),
        resource="portal/{portalId}",
    ),
    Operation(
        "ListProjectAssets",
        "/projects/{projectId}/assets",
        Page(
            "assetIds",
            "project_assets",
            parent="projectId",
            not_found=_PROJECT_NOT_FOUND,
        ),
        parameters=(_PROJECT_ID,),
        resource="project/{projectId}",
    ),
    Operation(
        "ListDashboards",
        "/dashboards",
        Page(
            "dashboardSummaries",
            "dashboards",
            parent="projectId",
            not_found=_PROJECT_NOT_FOUND,
        ),
        parameters=(_PROJECT_ID,),
        resource="project/{projectId}",
    ),
    Operation(
        "ListAccessPolicies",
        "/access-policies",
        lambda request: _POLICIES.page(request, _policies),
        parameters=(
            Parameter("identityType", values=tuple(_IDENTITIES)),
            Parameter("identityId", pattern=r"\S{1,256}"),
            Parameter("resourceType", values=tuple(_RESOURCES)),
            Parameter("resourceId", pattern=UUID),
            Parameter("iamArn", pattern=_IAM_ARN),
        ),
    ),
)
