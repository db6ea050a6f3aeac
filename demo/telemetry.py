"""A day of telemetry: which values the demo loads, and what it shows of them."""

from __future__ import annotations

import datetime as dt
import json
import typing as t
from collections import Counter, defaultdict

from demo.chart import DAY, Series, chart
from demo.table import table, text, width_of

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from demo.loaded import Row

_LATEST, _HISTORY, _AGGREGATES = STREAMS = (
    "property_values",
    "property_value_history",
    "property_aggregates",
)
"""The streams that read telemetry."""

UNITS = "asset_properties"
"""The stream from which the units come."""

_LINE = "/cork/line-1/"
_MACHINES = ("filler-1", "labeller-1")
_DRAWN = ("temperature", "power", "good-parts")
_PROPERTIES = (*_DRAWN, "state", "running")
_SATURDAY = 5
_GAP = "   "
_NARROWEST_CHART = 60


def settings(now: dt.datetime) -> dict[str, str]:
    """Return the settings for a complete day of two machines, as variables.

    The day is the last one from Monday to Friday: the machines rest at the weekend.

    Args:
        now: The current time, in UTC.
    """
    day = now.date() - dt.timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day -= dt.timedelta(days=1)
    prefixes = [f"{_LINE}{m}/{name}" for m in _MACHINES for name in _PROPERTIES]
    return {
        "TAP_IOT_SITEWISE_START_DATE": f"{day}T00:00:00Z",
        "TAP_IOT_SITEWISE_END_DATE": f"{day + dt.timedelta(days=1)}T00:00:00Z",
        "TAP_IOT_SITEWISE_TELEMETRY_ALIAS_PREFIXES": json.dumps(prefixes),
    }


def describe(
    rows: Mapping[str, Sequence[Row]], width: int, *, ascii_only: bool
) -> Iterator[str]:
    """Describe telemetry: the time series, and a chart of three of one machine.

    The machine is the one with the most values that are not ``GOOD``. The chart is
    beside the time series if the width allows.

    Args:
        rows: The rows of each stream. Some streams of telemetry may be missing.
        width: The maximum width of a line, in terminal columns.
        ascii_only: Whether the terminal shows ASCII characters only.

    Yields:
        Lines.
    """
    units = {
        (row["asset_id"], row["property_id"]): str(row["unit"] or "")
        for row in rows.get(UNITS, ())
    }
    found = _series(rows, units)
    if not found:
        return
    series = [*table(found, width)]
    yield from ("", f"The time series of {_LINE}:", "")
    history = rows.get(_HISTORY, ())
    if not history:
        yield from series
        return
    start = (min(map(_second, history)) // DAY) * DAY
    day = dt.datetime.fromtimestamp(start, dt.timezone.utc)
    drawn = _drawn(history, units)
    room = width - max(map(width_of, series)) - len(_GAP)
    beside = room >= _NARROWEST_CHART
    lines = [
        f"{day:%A, %Y-%m-%d}. A gap is a time without a good value.",
        "",
        *chart(drawn, start, room if beside else width, ascii_only=ascii_only),
    ]
    yield from _beside(series, lines) if beside else (*series, "", *lines)


def _series(
    rows: Mapping[str, Sequence[Row]], units: Mapping[tuple[object, object], str]
) -> list[Row]:
    """Return a row for each time series, in the order of the aliases."""
    aliases = {str(row["alias"]) for stream in STREAMS for row in rows.get(stream, ())}
    numbers = {
        stream: Counter(str(row["alias"]) for row in rows.get(stream, ()))
        for stream in STREAMS
        if stream in rows
    }
    latest = {str(row["alias"]): row for row in rows.get(_LATEST, ())}
    failed = _failed(rows.get(_HISTORY, ()))
    return [
        {
            "series": alias.removeprefix(_LINE),
            "values": _number(numbers, _HISTORY, alias),
            "not good": failed[alias] if _HISTORY in numbers else None,
            "aggregates": _number(numbers, _AGGREGATES, alias),
            "latest": _latest(latest[alias], units) if alias in latest else None,
        }
        for alias in sorted(aliases)
    ]


def _number(numbers: Mapping[str, Counter[str]], stream: str, alias: str) -> int | None:
    return numbers[stream][alias] if stream in numbers else None


def _failed(history: Iterable[Row]) -> Counter[str]:
    """Count the values that are not good, by alias."""
    return Counter(str(row["alias"]) for row in history if row["quality"] != "GOOD")


def _latest(row: Row, units: Mapping[tuple[object, object], str]) -> str:
    kind = row["value_type"]
    found = row.get(f"{kind}_value")
    # A double is text in a CSV file, and a decimal number in PostgreSQL.
    value = text(float(str(found)) if kind == "double" and _is_set(found) else found)
    # A Boolean is True or true.
    value = value.lower() if kind == "boolean" else value
    unit = units.get((row["asset_id"], row["property_id"]))
    quality = "" if row["quality"] == "GOOD" else f"({row['quality']})"
    return " ".join(filter(None, (value, unit, quality)))


def _drawn(
    history: Iterable[Row], units: Mapping[tuple[object, object], str]
) -> list[Series]:
    """Return three time series of the machine that failed most."""
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in history:
        found[str(row["alias"])].append(row)
    failed: Counter[str] = Counter()
    for alias, rows in found.items():
        failed[alias.rpartition("/")[0]] += sum(_failed(rows).values())
    machine = max(sorted(failed), key=failed.__getitem__)
    drawn = []
    for alias in (f"{machine}/{name}" for name in _DRAWN):
        if rows := sorted(found[alias], key=_second):
            unit = units.get((rows[0]["asset_id"], rows[0]["property_id"]))
            # A counter is sent when it changes.
            holds = rows[0]["data_type"] == "INTEGER"
            points = [(_second(row), _good(row)) for row in rows]
            drawn.append(Series(alias.removeprefix(_LINE), unit, points, holds))
    return drawn


def _second(row: Row) -> int:
    # Text in a CSV file.
    return int(str(row["time_in_seconds"]))


def _good(row: Row) -> float | None:
    """Return a value as a number, None if it is not good or null."""
    value = row.get(f"{row['value_type']}_value")
    return float(str(value)) if row["quality"] == "GOOD" and _is_set(value) else None


def _is_set(value: object) -> bool:
    # NULL is an empty text in a CSV file.
    return value is not None and value != ""


def _beside(left: Sequence[str], right: Sequence[str]) -> Iterator[str]:
    size = max(map(width_of, left))
    for index in range(max(len(left), len(right))):
        first = left[index] if index < len(left) else ""
        second = right[index] if index < len(right) else ""
        filling = " " * (size - width_of(first))
        yield (first + filling + _GAP + second).rstrip()
