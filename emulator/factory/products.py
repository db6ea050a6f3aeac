"""What a factory is made of: types of lines and machines, and their properties."""

from __future__ import annotations

import functools
import itertools
import re
import typing as t
import unicodedata

if t.TYPE_CHECKING:
    from collections.abc import Iterator


class Quantity(t.NamedTuple):
    """A property of an asset model, with what its type needs."""

    name: str
    data_type: str = "DOUBLE"
    unit: str | None = None
    kind: str = "measurement"
    default: str | None = None
    expression: str = ""
    inputs: tuple[str, ...] = ()
    interval: str = ""
    offset: str | None = None
    part: str | None = None
    """Name of the composite model that it belongs to."""


class Thing(t.NamedTuple):
    """A type of site, line, machine or component."""

    name: str
    purpose: str
    level: str
    above: str | None = None
    """Name of the type that it is part of."""
    line: int = 0
    """Number of the line in a site, for lines and machines."""

    @property
    def model_type(self) -> str:
        """The type of its asset model."""
        return {"interface": "INTERFACE", "component": "COMPONENT_MODEL"}.get(
            self.level, "ASSET_MODEL"
        )


SITE = "Site"
_INTERFACES = (
    ("Rotating machine", "Speed, torque and vibration of a rotating machine."),
    ("Energy meter", "Power and energy of a machine or a line."),
    ("Machine state", "State and counters from which OEE is computed."),
)
_UTILITIES = (
    ("Compressor", "Supplies compressed air at 7 bar."),
    ("Chiller", "Supplies cooling water at 12 °C."),
)
_LINES = (
    (
        "Bottling line",
        (
            ("Filler", "Fills and caps bottles.", "Dosing pump"),
            ("Labeller", "Applies labels to bottles.", "Servo drive"),
            ("Case packer", "Packs bottles into cases.", "Gripper"),
            ("Palletiser", "Stacks cases on pallets.", "Lift motor"),
        ),
    ),
    (
        "Assembly line",
        (
            ("Press", "Presses bearings into housings.", "Hydraulic unit"),
            ("Welding robot", "Welds frames.", "Wire feeder"),
            ("Screwdriving cell", "Screws covers on.", "Torque sensor"),
            ("Leak tester", "Tests assemblies for leaks.", "Vacuum pump"),
        ),
    ),
    (
        "Machining line",
        (
            ("Milling machine", "Mills housings on five axes.", "Spindle"),
            ("Lathe", "Turns shafts.", "Main drive"),
            ("Grinder", "Grinds bearing seats.", "Coolant pump"),
            ("Parts washer", "Cleans finished parts.", "Heater"),
        ),
    ),
)
_ALARM = "Overtemperature alarm"

_ENERGY = (
    Quantity("Power", unit="kW"),
    Quantity(
        "Average power",
        unit="kW",
        kind="metric",
        expression="avg(power)",
        inputs=("Power",),
        interval="1h",
    ),
)
_BY_LEVEL: dict[str, tuple[Quantity, ...]] = {
    "site": (
        Quantity("City", "STRING", kind="attribute", default="unknown"),
        Quantity("Time zone", "STRING", kind="attribute", default="Europe/Berlin"),
        Quantity("Outdoor temperature", unit="°C"),
    ),
    "utility": (
        Quantity("Serial number", "STRING", kind="attribute"),
        Quantity("Pressure", unit="bar"),
        Quantity("Flow", unit="m3/h"),
        *_ENERGY,
    ),
    "line": (
        Quantity("Product", "STRING"),
        Quantity("Planned output", unit="pcs/h", kind="attribute", default="600"),
        Quantity(
            "Output per hour",
            unit="pcs",
            kind="metric",
            expression="sum(parts)",
            inputs=("Good parts",),
            interval="1h",
        ),
    ),
    "machine": (
        Quantity("Serial number", "STRING", kind="attribute"),
        Quantity("Rated power", unit="kW", kind="attribute", default="15"),
        Quantity("Temperature", unit="°C"),
        Quantity("Speed", unit="1/min"),
        Quantity("Good parts", "INTEGER", "pcs"),
        Quantity("Running", "BOOLEAN"),
        Quantity("State", "STRING"),
        Quantity(
            "Temperature in kelvin",
            unit="K",
            kind="transform",
            expression="temperature + 273.15",
            inputs=("Temperature",),
        ),
        *_ENERGY,
        Quantity(
            "Parts per shift",
            unit="pcs",
            kind="metric",
            expression="sum(good_parts)",
            inputs=("Good parts",),
            interval="8h",
            offset="6h",
        ),
        Quantity("Vibration", unit="mm/s", part="component"),
        Quantity("AWS/ALARM_STATE", "STRUCT", part=_ALARM),
    ),
    "component": (
        Quantity("Vibration", unit="mm/s"),
        Quantity("Running hours", "INTEGER", "h"),
    ),
    "interface": (
        Quantity("Speed", unit="1/min"),
        Quantity("Power", unit="kW"),
        Quantity("State", "STRING"),
    ),
}

IMPLEMENTED = {
    "Speed": "Rotating machine",
    "Power": "Energy meter",
    "State": "Machine state",
}
"""The interface that a property of a machine implements, by the property's name."""


# A site has a hierarchy for each type of line: at most 15, fewer than AWS allows.
_SERIES_IN_A_SITE = 5
_SERIES_NUMBER = re.compile(r" Mk ([1-9][0-9]{0,6})$")


def things() -> Iterator[Thing]:
    """Yield interfaces, a site with its utilities, and lines with machines.

    From the second time through the lines, the names have a number: ``Press Mk 2``.
    """
    for name, purpose in _INTERFACES:
        yield Thing(name, purpose, "interface")
    yield Thing(SITE, "Production site.", "site")
    for name, purpose in _UTILITIES:
        yield Thing(name, purpose, "utility", SITE)
    for series in itertools.count(1):
        yield from _series(series)


def _series(series: int) -> Iterator[Thing]:
    """Yield the lines of a series with their machines and components."""
    mark = "" if series == 1 else f" Mk {series}"
    first_line = len(_LINES) * (series - 1) + 1
    for number, (line, machines) in enumerate(_LINES, first_line):
        yield Thing(line + mark, f"{line} of a site.", "line", SITE, number)
        for machine, purpose, component in machines:
            yield Thing(machine + mark, purpose, "machine", line + mark, number)
            use = f"{component} of a {machine.lower()}."
            yield Thing(component + mark, use, "component", machine + mark, number)


@functools.lru_cache(maxsize=1000)
def thing(name: str) -> Thing | None:
    """Return the type with a name, None if there is none.

    Args:
        name: Name of an asset model.
    """
    number = _SERIES_NUMBER.search(name)
    candidates: Iterator[Thing] = itertools.islice(things(), _FIRST_SERIES)
    if number is not None:
        candidates = _series(int(number[1]))
    return next((each for each in candidates if each.name == name), None)


@functools.lru_cache(maxsize=1000)
def parts(whole: Thing, *levels: str) -> tuple[Thing, ...]:
    """Return the types that are part of another one.

    Args:
        whole: The other one.
        levels: Levels of the parts, such as ``machine``.
    """
    number = _SERIES_NUMBER.search(whole.name)
    candidates: Iterator[Thing] = itertools.islice(things(), _FIRST_SERIES)
    if whole.name == SITE:
        rest = (_SERIES_IN_A_SITE - 1) * _FURTHER_SERIES
        candidates = itertools.islice(things(), _FIRST_SERIES + rest)
    elif number is not None:
        candidates = _series(int(number[1]))
    return tuple(
        each for each in candidates if each.above == whole.name and each.level in levels
    )


_FURTHER_SERIES = len(list(_series(1)))
_FIRST_SERIES = len(_INTERFACES) + 1 + len(_UTILITIES) + _FURTHER_SERIES


def quantities(whole: Thing) -> list[Quantity]:
    """Return the properties of a type's asset model."""
    component = next((part.name for part in parts(whole, "component")), None)
    return [
        each._replace(part=component) if each.part == "component" else each
        for each in _BY_LEVEL[whole.level]
    ]


def composite_models(whole: Thing) -> list[tuple[str, str]]:
    """Return the name and the type of each composite model of a type's asset model."""
    if whole.level != "machine":
        return []
    components = [(part.name, "CUSTOM") for part in parts(whole, "component")]
    return [*components, (_ALARM, "AWS/ALARM")]


def slug(text: str) -> str:
    """Return a text in lower-case ASCII without spaces, as an external ID allows."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return ascii_only.lower().replace(" ", "-").replace("/", "_")
