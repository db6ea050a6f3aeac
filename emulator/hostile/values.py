"""What all records of a hostile plant share: names, descriptions, dates and states."""

from __future__ import annotations

import itertools
import typing as t

if t.TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from emulator.maker import Make, Source
    from emulator.record import Record

# The first entities have every state in turn, and at each FAILED another error.
_FIRST_ENTITIES = 24
_ACTIVE_SHARE = 0.9

_MACHINES = (
    "Wind turbine",
    'Pump, "booster"',
    "Kühlturm",
    "Förderband; Halle 3",
    "风力发电机",
    "ポンプ・ステーション",
    "Котёл-утилизатор",
    "محطة الضخ",
    "पंप स्टेशन",
    "압축기",
    "Øst-kompressor",
    "Line 4\nPackaging",
    "🏭 Furnace 🔥",
    "Cœur d'usine",
    "Tab\there",
    "O'Brien's mixer",
    "100% \\ backslash",
    "<b>Robot</b> & cell",
    "Επεξεργασία νερού",
    "เครื่องจักร",
)
_PLACES = (
    "Zürich",
    "São Paulo",
    "北京",
    "大阪",
    "Łódź",
    "Reykjavík",
    "القاهرة",
    "Тверь",
    "Cork",
    "Îlot 7",
)
DESCRIPTIONS = (
    "Measures speed, torque and temperature.",
    "",
    None,
    'Says "yes", means "no"; costs 3,50 €',
    "First line\nsecond line\r\nthird line",
    "Prüfstand für Getriebe, Übersetzung ½ — „eins“",
    "工場の二階にあります。",
    "👷\u200d♀️ checked it 🧯",
    "null",
    " leading and trailing blanks ",
)
_FIRST_DATE = 1_546_300_800  # 2019-01-01T00:00:00Z, the year SiteWise was announced
_SPAN = 5 * 365 * 86_400


def dates(rng: random.Random, index: int) -> tuple[float, float]:
    """Return a creation date and a last update, in epoch seconds.

    In turn they have milliseconds, microseconds, or no fraction.

    Args:
        rng: Random numbers.
        index: Number of the entity, from 0.
    """
    places = (3, 6, 0, 3)[index % 4]
    created = round(_FIRST_DATE + rng.random() * _SPAN, places)
    updated = round(created + rng.random() * _SPAN * (index % 5 > 0), places)
    return float(created), float(updated)


def name(rng: random.Random, index: int) -> str:
    """Return the name of an entity.

    Args:
        rng: Random numbers.
        index: Number of the entity, from 0.
    """
    machine = _MACHINES[index % len(_MACHINES)]
    if index < len(_MACHINES):
        return machine
    return f"{machine} {_PLACES[rng.getrandbits(16) % len(_PLACES)]} {index + 1}"


def status(
    rng: random.Random,
    states: tuple[str, ...],
    errors: tuple[Record, ...],
    index: int,
) -> Record:
    """Return the status of an entity.

    Args:
        rng: Random numbers.
        states: The states that occur.
        errors: The errors of entities whose state is FAILED.
        index: Number of the entity, from 0.
    """
    if index < _FIRST_ENTITIES:
        state = states[index % len(states)]
    elif rng.random() < _ACTIVE_SHARE:
        state = "ACTIVE"
    else:
        state = states[rng.getrandbits(16) % len(states)]
    if state != "FAILED":
        return {"state": state}
    return {"state": state, "error": dict(errors[index // len(states) % len(errors)])}


def describe(record: Record, index: int) -> None:
    """Add a description to a record, unless it is one that has none.

    Args:
        record: The record.
        index: Number of the entity, from 0.
    """
    description = DESCRIPTIONS[index % len(DESCRIPTIONS)]
    if description is not None:
        record["description"] = description


def each(make: Callable[[Source, int], Record]) -> Make:
    """Return a function that generates records without end.

    Args:
        make: Generates one record, given its number from 0.
    """

    def records(source: Source, _: Record | None) -> Iterator[Record]:
        return (make(source, index) for index in itertools.count())

    return records


def of_parent(make: Callable[[Source, Record, int], Record]) -> Make:
    """Return a function that generates the records of a parent without end.

    Args:
        make: Generates one record, given the parent and its number from 0.
    """

    def records(source: Source, parent: Record | None) -> Iterator[Record]:
        return (make(source, parent or {}, index) for index in itertools.count())

    return records
