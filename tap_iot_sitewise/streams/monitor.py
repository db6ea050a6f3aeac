"""SiteWise Monitor: portals, their projects, and who can see them."""

from __future__ import annotations

from tap_iot_sitewise.streams.attribute import (
    ITSELF,
    key,
    member_name,
    parent_id,
    parent_key,
    text,
    timestamp,
)
from tap_iot_sitewise.streams.entity import Entity, nested
from tap_iot_sitewise.streams.request import Listing, Listings
from tap_iot_sitewise.streams.stream import SiteWiseStream

MONITOR_ERROR_DETAILS = Entity(
    "MonitorErrorDetails",
    text(
        "code",
        "Code of the error.",
        "INTERNAL_FAILURE",
        "VALIDATION_ERROR",
        "LIMIT_EXCEEDED",
    ),
    text("message", "Message of the error."),
)

PORTAL_STATUS = Entity(
    "PortalStatus",
    text(
        "state",
        "State of the portal.",
        "CREATING",
        "PENDING",
        "UPDATING",
        "DELETING",
        "ACTIVE",
        "FAILED",
    ),
    nested("error", "Error of the portal, if any.", MONITOR_ERROR_DETAILS),
)


class Portals(SiteWiseStream):
    """SiteWise Monitor portals of the Region."""

    name = "portals"
    entity = Entity(
        "PortalSummary",
        key("portal_id", "ID of the portal.", member="id"),
        text("name", "Name of the portal."),
        text("description", "Description of the portal."),
        text("start_url", "URL of the portal."),
        text(
            "role_arn",
            "ARN of the service role that gives the portal's users access to SiteWise.",
        ),
        text(
            "portal_type",
            "Generation of the portal: V1 is the classic one, V2 the AI-aware one.",
            "SITEWISE_PORTAL_V1",
            "SITEWISE_PORTAL_V2",
        ),
        timestamp("creation_date", "When the portal was created, in UTC."),
        timestamp(
            "last_update_date",
            "When the portal was last updated, in UTC.",
            marks_change=True,
        ),
        nested("status", "Current status of the portal.", PORTAL_STATUS),
    )
    request = Listing("ListPortals", "portalSummaries")


class Projects(SiteWiseStream):
    """Projects of every portal."""

    name = "projects"
    entity = Entity(
        "ProjectSummary",
        key("project_id", "ID of the project.", member="id"),
        parent_id("portal_id", "ID of the portal that the project belongs to."),
        text("name", "Name of the project."),
        text("description", "Description of the project."),
        timestamp("creation_date", "When the project was created, in UTC."),
        timestamp(
            "last_update_date",
            "When the project was last updated, in UTC.",
            marks_change=True,
        ),
    )
    request = Listing(
        "ListProjects", "projectSummaries", parent=Portals, by={"portalId": "portal_id"}
    )


class ProjectAssets(SiteWiseStream):
    """Assets of every project."""

    name = "project_assets"
    entity = Entity(
        "ID",
        parent_key("project_id", "ID of the project."),
        key("asset_id", "ID of the asset.", member=ITSELF),
    )
    request = Listing(
        "ListProjectAssets",
        "assetIds",
        parent=Projects,
        by={"projectId": "project_id"},
    )


class Dashboards(SiteWiseStream):
    """Dashboards of every project."""

    name = "dashboards"
    entity = Entity(
        "DashboardSummary",
        key("dashboard_id", "ID of the dashboard.", member="id"),
        parent_id("project_id", "ID of the project that the dashboard belongs to."),
        text("name", "Name of the dashboard."),
        text("description", "Description of the dashboard."),
        timestamp("creation_date", "When the dashboard was created, in UTC."),
        timestamp(
            "last_update_date",
            "When the dashboard was last updated, in UTC.",
            marks_change=True,
        ),
    )
    request = Listing(
        "ListDashboards",
        "dashboardSummaries",
        parent=Projects,
        by={"projectId": "project_id"},
    )


class AccessPolicies(SiteWiseStream):
    """Access policies of every portal and of every project."""

    name = "access_policies"
    entity = Entity(
        "AccessPolicySummary",
        key("access_policy_id", "ID of the access policy.", member="id"),
        member_name(
            "identity_type",
            "Type of the identity that has access.",
            "user",
            "group",
            "iam_user",
            "iam_role",
            member="identity",
        ),
        text(
            "identity_id",
            "ID of the user or group, or ARN of the IAM user or role.",
            member=(
                "identity.user.id",
                "identity.group.id",
                "identity.iamUser.arn",
                "identity.iamRole.arn",
            ),
        ),
        parent_id("resource_type", "What the identity can access: portal or project."),
        parent_id("resource_id", "ID of the portal or project."),
        text("permission", "Permission of the identity.", "ADMINISTRATOR", "VIEWER"),
        timestamp("creation_date", "When the access policy was created, in UTC."),
        timestamp(
            "last_update_date",
            "When the access policy was last updated, in UTC.",
            marks_change=True,
        ),
    )
    request = Listings(
        Listing(
            "ListAccessPolicies",
            "accessPolicySummaries",
            parent=Portals,
            by={"resourceId": "portal_id"},
            renamed={"portal_id": "resource_id"},
            constants={"resource_type": "portal"},
            parameters={"resourceType": "PORTAL"},
        ),
        Listing(
            "ListAccessPolicies",
            "accessPolicySummaries",
            parent=Projects,
            by={"resourceId": "project_id"},
            renamed={"project_id": "resource_id"},
            constants={"resource_type": "project"},
            parameters={"resourceType": "PROJECT"},
        ),
    )
