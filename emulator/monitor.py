"""SiteWise Monitor: portals and projects, and their operations."""

from __future__ import annotations

from emulator.kinds import Kind
from emulator.operations import UUID, Operation, Parameter
from emulator.paging import Page

KINDS = (Kind("portals"), Kind("projects", parent="portals"))

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
)
