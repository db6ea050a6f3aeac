"""Asset models of a factory: sites, lines, machines, components, and interfaces."""

from __future__ import annotations

import typing as t
import unicodedata
from collections import Counter

from emulator.factory.sites import OPENED, dates, site_groups

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.maker import Record, Source

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


def _lines() -> Iterator[tuple[str, int]]:
    """Yield each line as its site and its number there."""
    for sites in site_groups():
        for line in range(1, _LINES_PER_SITE + 1):
            for site in sites:
                yield site, line


def _plain(text: str) -> str:
    """Return a name in lower-case ASCII without spaces, as an external ID allows."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return ascii_only.lower().replace(" ", "-")


class _Models:
    """Generates asset models from their names."""

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
            **dates(self._source, OPENED),
            "status": self._status(),
            "version": str(1 + self._source.rng.getrandbits(3)),
        }

    def _status(self) -> Record:
        if self._index % 60 == 13:  # noqa: PLR2004 - early enough for a plant of 30
            error = _MODEL_ERRORS[self._index // 60 % len(_MODEL_ERRORS)]
            return {"state": "FAILED", "error": error}
        state = "UPDATING" if self._index % 90 == 29 else "ACTIVE"  # noqa: PLR2004
        return {"state": state}


def asset_models(source: Source, _: Record | None) -> Iterator[Record]:
    """Generate interfaces, and then sites with all that belongs to them."""
    models = _Models(source)
    for name, description in _INTERFACES:
        yield models.make(
            "Interface", name, description=description, model_type="INTERFACE"
        )
    numbers: Counter[tuple[str, str]] = Counter()
    for sequence, (place, line_number) in enumerate(_lines()):
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
