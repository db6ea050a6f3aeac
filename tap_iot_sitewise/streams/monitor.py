"""SiteWise Monitor: portals and their projects."""

from __future__ import annotations

from tap_iot_sitewise.streams.attribute import key, parent_id, text, timestamp
from tap_iot_sitewise.streams.entity import Entity, nested
from tap_iot_sitewise.streams.request import Listing
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
