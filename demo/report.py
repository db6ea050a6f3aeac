"""Describe the loaded data."""

from __future__ import annotations

import typing as t
from collections import Counter

from demo import telemetry
from demo.table import table
from demo.tree import tree

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from demo.loaded import Loaded, Row

_SAMPLED = ("asset_models", "portals", "projects")
_TREE = ("assets", "asset_associations", "asset_models")
_SHOWN = 5
_SHOWN_NOT_ACTIVE = 2
_INDENT = "  "
_WIDEST = 120


def report(
    loaded: Loaded,
    streams: Sequence[str],
    seconds: Mapping[str, float],
    width: int,
    *,
    ascii_only: bool = False,
) -> Iterator[str]:
    """Describe what was loaded: counts, a few rows, and a query's answer.

    With the streams of the assets, it draws the assets instead of showing rows. With
    those of telemetry, it draws a chart.

    Args:
        loaded: The loaded data.
        streams: Names of the streams.
        seconds: The time that the tap took for each stream, in seconds.
        width: The maximum width of a line, in terminal columns. A query may be wider.
        ascii_only: Whether the terminal shows ASCII characters only. Names may contain
            others.

    Yields:
        Lines.
    """
    rows = {stream: list(loaded.rows(stream)) for stream in streams}
    narrow = min(width, _WIDEST)
    counts = [_counts(stream, rows[stream], seconds) for stream in rows]
    yield from table(counts, narrow)
    drawn = False
    if rows.keys() >= set(_TREE):
        drawn = True
        lines = tree(*(rows[stream] for stream in _TREE))
        yield from ("", f"The {len(rows['assets'])} assets, each with its model:", "")
        yield from _indented(lines)
    if rows.keys() & set(telemetry.STREAMS):
        drawn = True
        lines = telemetry.describe(rows, width - len(_INDENT), ascii_only=ascii_only)
        yield from _indented(lines)
    if not drawn:
        yield from _samples(loaded, rows, narrow)


def _samples(
    loaded: Loaded, rows: Mapping[str, Sequence[Row]], width: int
) -> Iterator[str]:
    """Describe asset models, portals and projects: a few rows, and a query's answer."""
    portals = {row["portal_id"]: row.get("name") for row in rows["portals"]}
    for stream in filter(rows.get, _SAMPLED):
        shown = [_shown(stream, row, portals) for row in _sample(rows[stream])]
        yield from ("", f"{stream}, {len(shown)} of {len(rows[stream])}:")
        yield from _indented(table(shown, width - len(_INDENT)))
    if loaded.query and all(rows.values()):
        yield from ("", "The portals whose projects changed last:")
        yield from _indented(loaded.query.splitlines())
        yield ""
        yield from _indented(table([*loaded.answer()], width - len(_INDENT)))


def empty_streams(loaded: Loaded, streams: Iterable[str]) -> list[str]:
    """Return the names of the streams without rows.

    Args:
        loaded: The loaded data.
        streams: Names of the streams.
    """
    return [stream for stream in streams if next(loaded.rows(stream), None) is None]


def _counts(stream: str, rows: Sequence[Row], seconds: Mapping[str, float]) -> Row:
    states = Counter(str(row["status__state"]) for row in rows if _has_state(row))
    return {
        "stream": stream,
        "rows": len(rows),
        "seconds": float(seconds.get(stream, 0)),
        "states": ", ".join(
            f"{count} {state}" for state, count in states.most_common()
        ),
    }


def _has_state(row: Row) -> bool:
    return bool(row.get("status__state"))


def _sample(rows: Sequence[Row]) -> list[Row]:
    """Choose some rows: up to two that are not active, others at regular distances."""
    troubled = [
        index
        for index, row in enumerate(rows)
        if _has_state(row) and row["status__state"] != "ACTIVE"
    ]
    chosen = set(troubled[:_SHOWN_NOT_ACTIVE])
    rest = [index for index in range(len(rows)) if index not in chosen]
    missing = min(_SHOWN - len(chosen), len(rest))
    chosen.update(rest[number * len(rest) // missing] for number in range(missing))
    return [rows[index] for index in sorted(chosen)]


def _shown(stream: str, row: Row, portals: Mapping[object, object]) -> Row:
    """Return the columns of a row that a person wants to see."""
    own: Row = (
        {"portal": portals.get(row.get("portal_id"))}
        if stream == "projects"
        else {"state": row.get("status__state")}
    )
    return {
        "name": row.get("name"),
        **own,
        "updated": _day(row.get("last_update_date")),
        "error": row.get("status__error__message"),
    }


def _day(date: object) -> str:
    # A Python date or text in ISO 8601, both in UTC.
    return str(date or "")[:10]


def _indented(lines: Iterator[str] | Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield (_INDENT + line).rstrip()
