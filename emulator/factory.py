"""A believable plant: sites with lines, machines and their components.

Every date lies between June 2019 and June 2025, so none is in the future. Most
entities are ``ACTIVE``; a few have failed, with errors such as AWS reports.
"""

from __future__ import annotations

import itertools
import typing as t
import unicodedata
from collections import Counter
from datetime import datetime, timezone

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from emulator.maker import Make, Record, Source

_OPENED = datetime(2019, 6, 3, tzinfo=timezone.utc).timestamp()
_LAST_CREATED = datetime(2024, 12, 20, tzinfo=timezone.utc).timestamp()
_LAST_UPDATED = datetime(2025, 6, 30, tzinfo=timezone.utc).timestamp()

# Three sites at a time get their lines, so that a small plant already has several
# sites and a site several lines.
_CITIES = (
    ("Cork", "Dresden", "Lyon"),
    ("Turin", "Porto", "Malmö"),
    ("Ghent", "Graz", "Brno"),
    ("Bilbao", "Leiden", "Odense"),
    ("Austin", "Monterrey", "Curitiba"),
    ("Pune", "Penang", "Suzhou"),
    ("Nagoya", "Ulsan", "Geelong"),
)
_LINES_PER_SITE = 8


class _Machine(t.NamedTuple):
    name: str
    purpose: str
    component: str
    number_per_line: int = 1


class _LineType(t.NamedTuple):
    name: str
    machines: tuple[_Machine, ...]


_LINE_TYPES = (
    _LineType(
        "Bottling",
        (
            _Machine("Filler", "Fills and caps bottles.", "Dosing pump", 2),
            _Machine("Labeller", "Applies labels to bottles.", "Servo drive"),
            _Machine("Case packer", "Packs bottles into cases.", "Gripper"),
            _Machine("Palletiser", "Stacks cases on pallets.", "Lift motor"),
        ),
    ),
    _LineType(
        "Machining",
        (
            _Machine("Milling machine", "Mills housings on five axes.", "Spindle", 2),
            _Machine("Lathe", "Turns shafts.", "Main drive"),
            _Machine("Grinder", "Grinds bearing seats.", "Coolant pump"),
            _Machine("Parts washer", "Cleans finished parts.", "Heater"),
        ),
    ),
    _LineType(
        "Assembly",
        (
            _Machine("Press", "Presses bearings into housings.", "Hydraulic unit"),
            _Machine("Welding robot", "Welds frames.", "Wire feeder", 2),
            _Machine("Screwdriving cell", "Screws covers on.", "Torque sensor"),
            _Machine("Leak tester", "Tests assemblies for leaks.", "Vacuum pump"),
        ),
    ),
)
_UTILITIES = (
    ("Compressor", "Supplies compressed air at 7 bar."),
    ("Chiller", "Supplies cooling water at 12 °C."),
)
_INTERFACES = (
    ("Rotating machine", "Speed, torque and vibration of a rotating machine."),
    ("Energy meter", "Power and energy of a machine or a line."),
    ("Machine state", "State and counters from which OEE is computed."),
)

_MODEL_ERRORS: tuple[Record, ...] = (
    {
        "code": "VALIDATION_ERROR",
        "message": "The asset model has properties that can't be computed.",
        "details": [
            {
                "code": "INCOMPATIBLE_COMPUTE_LOCATION",
                "message": "Metric 'OEE' is computed in the cloud, but reads transform "
                "'Cycle time', which is computed at the edge.",
            },
            {
                "code": "INCOMPATIBLE_FORWARDING_CONFIGURATION",
                "message": "Measurement 'Speed' is not forwarded to the cloud.",
            },
        ],
    },
    {
        "code": "INTERNAL_FAILURE",
        "message": "An internal error occurred. Try again later.",
    },
)
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


def _sites() -> Iterator[tuple[str, int]]:
    """Name each site as often as it has lines, with the number of the line."""
    for round_number in itertools.count(1):
        suffix = "" if round_number == 1 else f" {round_number}"
        for cities in _CITIES:
            for line in range(1, _LINES_PER_SITE + 1):
                for city in cities:
                    yield city + suffix, line


def _plain(text: str) -> str:
    """A name as an external ID may hold it: lower case, ASCII, no spaces."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return ascii_only.lower().replace(" ", "-")


def _dates(source: Source, since: float) -> Record:
    """Creation and last update in epoch seconds, to the millisecond."""
    created = since + source.dice.random() * max(0.0, _LAST_CREATED - since)
    updated = created + source.dice.random() * max(0.0, _LAST_UPDATED - created)
    return {"creationDate": round(created, 3), "lastUpdateDate": round(updated, 3)}


class _Models:
    """Makes asset models from their names, and counts them."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._index = -1

    def make(
        self, *path: str, description: str, model_type: str = "ASSET_MODEL"
    ) -> Record:
        self._index += 1
        model_id = self._source.entity_id()
        return {
            "id": model_id,
            "arn": self._source.account.arn("iotsitewise", f"asset-model/{model_id}"),
            "externalId": ".".join(map(_plain, path)),
            "name": " / ".join(path),
            "assetModelType": model_type,
            "description": description,
            **_dates(self._source, _OPENED),
            "status": self._status(),
            "version": str(1 + self._source.dice.getrandbits(3)),
        }

    def _status(self) -> Record:
        if self._index % 60 == 13:  # noqa: PLR2004 - early enough for a plant of 30
            error = _MODEL_ERRORS[self._index // 60 % len(_MODEL_ERRORS)]
            return {"state": "FAILED", "error": error}
        state = "UPDATING" if self._index % 90 == 29 else "ACTIVE"  # noqa: PLR2004
        return {"state": state}


def _asset_models(source: Source, _: Record | None) -> Iterator[Record]:
    models = _Models(source)
    for name, description in _INTERFACES:
        yield models.make(
            "Interface", name, description=description, model_type="INTERFACE"
        )
    numbers: Counter[tuple[str, str]] = Counter()
    for sequence, (place, line_number) in enumerate(_sites()):
        site = f"Site {place}"
        line = f"Line {line_number}"
        if line_number == 1:
            yield models.make(site, description=f"Production site in {place}.")
            for utility, description in _UTILITIES:
                yield models.make(site, utility, description=description)
        line_type = _LINE_TYPES[(sequence + line_number - 1) % len(_LINE_TYPES)]
        yield models.make(site, line, description=f"{line_type.name} line.")
        for machine in line_type.machines:
            for _number in range(machine.number_per_line):
                numbers[site, machine.name] += 1
                name = f"{machine.name} {numbers[site, machine.name]}"
                yield models.make(site, line, name, description=machine.purpose)
                yield models.make(
                    *(site, line, name, machine.component),
                    description=f"{machine.component} of a {machine.name.lower()}.",
                    model_type="COMPONENT_MODEL",
                )


def _portal_names() -> Iterator[tuple[str, str, str]]:
    """Site, purpose and description of each portal; the purposes in turn."""
    for round_number in itertools.count(1):
        suffix = "" if round_number == 1 else f" {round_number}"
        for cities in _CITIES:
            for purpose, description in _PORTAL_PURPOSES:
                for city in cities:
                    yield city + suffix, purpose, description


def _portals(source: Source, _: Record | None) -> Iterator[Record]:
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
            **_dates(source, _OPENED),
            "roleArn": role,
            "status": status,
            "portalType": "SITEWISE_PORTAL_V2" if index % 3 else "SITEWISE_PORTAL_V1",
        }


def _projects(source: Source, parent: Record | None) -> Iterator[Record]:
    portal = parent or {}
    since = portal.get("creationDate")
    if not isinstance(since, float):
        since = _OPENED
    for number in itertools.count(1):
        yield {
            "id": source.entity_id(),
            "name": f"Line {number}",
            "description": f"Dashboards of Line {number} in {portal.get('name')}.",
            **_dates(source, since),
        }


RECORDS: Mapping[str, Make] = {
    "asset_models": _asset_models,
    "portals": _portals,
    "projects": _projects,
}
"""What makes each kind of record."""
