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
_RESOURCES = {"PORTAL": "portals", "PROJECT": "projects"}
_IDENTITIES = {
    "USER": ("user", "id", "identityId"),
    "GROUP": ("group", "id", "identityId"),
    "IAM": ("iamUser", "arn", "iamArn"),
}


def _policies(request: ApiRequest) -> Listing:
    resource_type, resource_id = request.one("resourceType"), request.one("resourceId")
    identity_type = request.one("identityType")
    if (resource_type is None) != (resource_id is None):
        msg = "The resourceType and resourceId parameters must be used together."
        raise errors.invalid_request(msg)
    if resource_type is None and identity_type is None:
        msg = "Specify an identity or a resource."
        raise errors.invalid_request(msg)
    if resource_type is not None and resource_id is not None:
        if not request.plant.has(_RESOURCES[resource_type], resource_id):
            msg = f"{resource_type.capitalize()} with id {resource_id} not found"
            raise errors.not_found(msg)
        found = request.plant.listing("access_policies", resource_id).records
    else:
        groups = request.plant.by_parent("access_policies").values()
        found = tuple(policy for group in groups for policy in group)
    listing = Listing()
    for policy in found:
        if identity_type is None or _has(policy, identity_type, request):
            listing.add(policy)
    return listing


def _has(policy: Record, identity_type: str, request: ApiRequest) -> bool:
    kind, member, parameter = _IDENTITIES[identity_type]
    wanted = request.one(parameter)
    if wanted is None:
        msg = f"The {parameter} parameter is required for this identityType."
        raise errors.invalid_request(msg)
    kinds = (kind, "iamRole") if kind == "iamUser" else (kind,)
    identity = policy.get("identity", {})
    return any((identity.get(each) or {}).get(member) == wanted for each in kinds)


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
            Parameter("iamArn", pattern=r"arn:aws(-cn|-us-gov)?:\S+"),
        ),
    ),
)
