"""SiteWise Monitor of a hostile plant: portals and projects."""

from __future__ import annotations

import typing as t

from emulator.hostile.values import dates, describe, each, name, status

if t.TYPE_CHECKING:
    from emulator.maker import Record, Source

# FAILED comes third, so that a small number of portals has a failed one.
_PORTAL_STATES = ("ACTIVE", "PENDING", "FAILED", "CREATING", "UPDATING", "DELETING")
_PORTAL_TYPES = ("SITEWISE_PORTAL_V1", "SITEWISE_PORTAL_V2", None)

_PORTAL_ERRORS: tuple[Record, ...] = (
    {
        "code": "LIMIT_EXCEEDED",
        "message": "Number of portals per Region exceeded: 100.",
    },
    {"code": "VALIDATION_ERROR", "message": 'The role cannot be assumed by "monitor".'},
    {"code": "INTERNAL_FAILURE", "message": "An internal error has occurred."},
    {"code": "INTERNAL_FAILURE"},
)


def _portal(source: Source, index: int) -> Record:
    portal_id = source.entity_id()
    created, updated = dates(source.rng, index)
    portal: Record = {"id": portal_id, "name": name(source.rng, index)}
    describe(portal, index)
    portal["startUrl"] = f"https://p-{portal_id[:8]}.app.iotsitewise.aws"
    if index % 7 != 4:  # noqa: PLR2004 - one in seven has none, whichever
        portal["creationDate"] = created
        portal["lastUpdateDate"] = updated
    if index % 4 != 3:  # noqa: PLR2004 - one in four has none, whichever
        role = f"role/service-role/SiteWiseMonitor+{index % 3}@plant"
        portal["roleArn"] = source.account.arn("iam", role)
    portal["status"] = status(source.rng, _PORTAL_STATES, _PORTAL_ERRORS, index)
    portal_type = _PORTAL_TYPES[index % len(_PORTAL_TYPES)]
    if portal_type is not None:
        portal["portalType"] = portal_type
    return portal


def _project(source: Source, index: int) -> Record:
    created, updated = dates(source.rng, index)
    project: Record = {
        "id": source.entity_id(),
        "name": name(source.rng, index),
    }
    describe(project, index)
    if index % 6 != 5:  # noqa: PLR2004 - one in six has none, whichever
        project["creationDate"] = created
        project["lastUpdateDate"] = updated
    return project


portals = each(_portal)
"""Generates portals."""

projects = each(_project)
"""Generates projects."""
