"""SiteWise Monitor of a factory: portals by site and purpose, projects by line."""

from __future__ import annotations

import itertools
import typing as t

from emulator.factory.sites import OPENED, dates, site_groups

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.maker import Record, Source

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
