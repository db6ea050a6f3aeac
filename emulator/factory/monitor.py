"""SiteWise Monitor of a factory: portals by site and purpose, projects by line."""

from __future__ import annotations

import itertools
import typing as t

from emulator.factory.assets import line_assets
from emulator.factory.sites import OPENED, dates, site_groups

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.maker import Source
    from emulator.record import Record

_PORTAL_PURPOSES = (
    ("operations", "Output, downtime and OEE for the shift leads"),
    ("energy", "Electricity, compressed air and cooling water"),
    ("maintenance", "Vibration, temperatures and running hours"),
    ("quality", "Scrap, rework and test results"),
)


def _portal_error(source: Source, index: int) -> Record:
    role = source.account.arn("iam", "role/service-role/SiteWiseMonitorServiceRole")
    errors = (
        {
            "code": "VALIDATION_ERROR",
            "message": f"IoT SiteWise Monitor can't assume the role {role}. Check the "
            "role's trust policy.",
        },
        {
            "code": "LIMIT_EXCEEDED",
            "message": "The number of portals in this Region exceeds the quota.",
        },
    )
    return errors[index % len(errors)]


def _portal_names() -> Iterator[tuple[str, str, str]]:
    """Yield the site, the purpose and the description of each portal."""
    for sites in site_groups():
        for purpose, description in _PORTAL_PURPOSES:
            for site in sites:
                yield site, purpose, description


def portals(source: Source, _: Record | None) -> Iterator[Record]:
    """Generate portals, a few of which failed."""
    failures = itertools.count()
    role = source.account.arn("iam", "role/service-role/SiteWiseMonitorServiceRole")
    for index, (place, purpose, description) in enumerate(_portal_names()):
        portal_id = source.entity_id()
        status: Record = {"state": "ACTIVE"}
        if index % 9 == 2:  # noqa: PLR2004 - early enough for a plant of five
            error = _portal_error(source, next(failures))
            status = {"state": "FAILED", "error": error}
        yield {
            "id": portal_id,
            "name": f"{place} {purpose}",
            "description": f"{description} of Site {place}.",
            "startUrl": f"https://p-{portal_id[:8]}.app.iotsitewise.aws",
            **dates(source, OPENED),
            "roleArn": role,
            "status": status,
            "portalType": "SITEWISE_PORTAL_V2" if index % 3 else "SITEWISE_PORTAL_V1",
        }


def projects(source: Source, parent: Record | None) -> Iterator[Record]:
    """Generate the projects of a portal, one for each line."""
    portal = parent or {}
    since = portal.get("creationDate")
    if not isinstance(since, float):
        since = OPENED
    for number in itertools.count(1):
        yield {
            "id": source.entity_id(),
            "name": f"Line {number}",
            "description": f"Dashboards of Line {number} in {portal.get('name')}.",
            **dates(source, since),
        }


_DASHBOARDS = (
    ("Overview", "State and output of all machines"),
    ("Energy", "Power and compressed air"),
    ("Downtime", "Stops of the last week by reason"),
)


def project_assets(source: Source, parent: Record | None) -> Iterator[Record]:
    """Generate the assets of a project: those of its line at the portal's site."""
    project_id, line = str(source.parent_id), str((parent or {}).get("name"))
    portal_id = source.plant.parent("projects", project_id)
    portal = source.plant.find("portals", str(portal_id))
    site = str(portal.get("name")).rpartition(" ")[0]
    if not line.startswith("Line "):
        return
    for asset in line_assets(source, site, line):
        yield {"id": f"{project_id}:{asset}", "assetId": asset}


def dashboards(source: Source, parent: Record | None) -> Iterator[Record]:
    """Generate the dashboards of a project."""
    since = (parent or {}).get("creationDate")
    for number in itertools.count():
        name, description = _DASHBOARDS[number % len(_DASHBOARDS)]
        series = number // len(_DASHBOARDS)
        yield {
            "id": source.entity_id(),
            "name": f"{name} {series + 1}" if series else name,
            "description": f"{description}.",
            **dates(source, since if isinstance(since, float) else OPENED),
        }


def access_policies(source: Source, parent: Record | None) -> Iterator[Record]:
    """Generate the access policies of a portal or of a project."""
    resource_id, since = str(source.parent_id), (parent or {}).get("creationDate")
    is_portal = source.plant.has("portals", resource_id)
    number, arn = source.rng.randrange(50), source.account.arn
    administrators: tuple[Record, ...] = (
        {"group": {"id": f"plant-administrators-{number}"}},
        {"iamRole": {"arn": arn("iam", "role/PlantOperations")}},
    )
    viewers: tuple[Record, ...] = (
        {"user": {"id": f"shift-lead-{number}"}},
        {"iamUser": {"arn": arn("iam", "user/wallboard")}},
    )
    resource = {"portal" if is_portal else "project": {"id": resource_id}}
    for identity in administrators if is_portal else viewers:
        yield {
            "id": source.entity_id(),
            "identity": identity,
            "resource": resource,
            "permission": "ADMINISTRATOR" if is_portal else "VIEWER",
            **dates(source, since if isinstance(since, float) else OPENED),
        }
