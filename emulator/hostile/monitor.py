"""SiteWise Monitor of a hostile plant: portals and projects."""

from __future__ import annotations

import typing as t

from emulator.hostile.values import dates, describe, each, name, of_parent, status

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.maker import Source
    from emulator.record import Record

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


def project_assets(source: Source, _: Record | None) -> Iterator[Record]:
    """Generate the assets of a project: some of all assets."""
    assets = [a for group in source.plant.by_parent("assets").values() for a in group]
    for asset in source.rng.sample(assets, min(len(assets), source.rng.randrange(9))):
        found = asset["id"]
        yield {"id": f"{source.parent_id}:{found}", "assetId": found}


def _dashboard(source: Source, _: Record, index: int) -> Record:
    return _project(source, index)


def _access_policy(source: Source, _: Record, index: int) -> Record:
    kind = "portal" if source.plant.has("portals", str(source.parent_id)) else "project"
    created, updated = dates(source.rng, index)
    account = source.account
    identities: tuple[Record, ...] = (
        {"user": {"id": f"user {index} @ 工場"}},
        {"group": {"id": "Schichtführer; Halle 3"}},
        {"iamUser": {"arn": account.arn("iam", f"user/x+={index},@.")}},
        {"iamRole": {"arn": account.arn("iam", "role/Monitor")}},
        {},
    )
    policy: Record = {
        "id": source.entity_id(),
        "identity": identities[index % len(identities)],
        "resource": {kind: {"id": source.parent_id}},
        "permission": ("ADMINISTRATOR", "VIEWER", "OPERATOR")[index % 3],
    }
    if index % 4 != 2:  # noqa: PLR2004 - one in four has none, whichever
        policy["creationDate"] = created
        policy["lastUpdateDate"] = updated
    return policy


portals = each(_portal)
"""Generates portals."""

projects = each(_project)
"""Generates projects."""

dashboards = of_parent(_dashboard)
"""Generates the dashboards of a project."""

access_policies = of_parent(_access_policy)
"""Generates the access policies of a portal or of a project."""
