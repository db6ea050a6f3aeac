"""Draw the values of a day as bars, for a terminal."""

from __future__ import annotations

import math
import typing as t

from demo.table import text

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

DAY = 86_400
"""Seconds of a day."""

_HOURS = 24
_ROWS = 4
_MOST_COLUMNS_PER_HOUR = 4
_TICK_HOURS = 3
_MOST_DIGITS = 10
_ZONE = "UTC"


class Series(t.NamedTuple):
    """What one panel of a chart shows.

    Args:
        title: Name of the series.
        unit: Unit of its values, if it has one.
        points: Epoch seconds (UTC) and value, in order of time. None, NaN and infinity
            stand for a value that is not good.
        holds: Whether a value is valid until the next one, as in a counter that is sent
            when it changes. Otherwise a time without values is a gap.
    """

    title: str
    unit: str | None
    points: Sequence[tuple[float, float | None]]
    holds: bool = False


class _Ink(t.NamedTuple):
    """The characters of a chart.

    Args:
        bars: Bars of increasing height, the last one as high as a line.
        tick: Where the axis has a label.
        line: A vertical axis without a label.
        corner: Where the axes meet.
        mark: A horizontal axis at a label.
        axis: A horizontal axis between labels.
    """

    bars: str
    tick: str
    line: str
    corner: str
    mark: str
    axis: str


_BLOCKS = _Ink("▁▂▃▄▅▆▇█", "┤", "│", "└", "┬", "─")
_ASCII = _Ink(".:#", "+", "|", "+", "+", "-")


def chart(
    series: Sequence[Series], start: int, width: int, *, ascii_only: bool = False
) -> Iterator[str]:
    """Draw a panel for each series, and the hours of the day below them.

    A column shows the mean of its good values, or the last one of a series that holds.
    Without a good value, it is empty. A panel extends from the smallest column to the
    largest one, so its bars do not begin at 0.

    Args:
        series: The series.
        start: Epoch seconds (UTC) of midnight, where the day starts.
        width: The maximum width, in terminal columns. A column for each hour is always
            drawn, even if it does not fit.
        ascii_only: Whether the terminal shows ASCII characters only.

    Yields:
        Lines.
    """
    ink = _ASCII if ascii_only else _BLOCKS
    panels: list[tuple[Series, list[float | None]]] = []
    edge = 0
    for per_hour in range(_MOST_COLUMNS_PER_HOUR, 0, -1):
        panels = [(one, columns(one, start, per_hour * _HOURS)) for one in series]
        labels = [label for _, shown in panels for label in _labels(*_bounds(shown))]
        edge = max(map(len, [_ZONE, *labels]))
        if edge + 2 + per_hour * _HOURS <= width:
            break
    for one, shown in panels:
        yield _title(one, 60 // per_hour, ascii_only=ascii_only)[:width]
        yield from _panel(shown, edge, ink)
    if panels:
        yield from _hours(per_hour, edge, ink)


def columns(series: Series, start: int, number: int) -> list[float | None]:
    """Return what each column of a panel shows, None for a gap.

    Args:
        series: The series.
        start: Epoch seconds (UTC) of midnight, where the day starts.
        number: How many columns the day has.
    """
    found: list[list[float | None]] = [[] for _ in range(number)]
    for second, value in series.points:
        since = second - start
        if 0 <= since <= DAY:
            good = value is not None and math.isfinite(value)
            # The day ends with its last second, midnight.
            index = min(int(since * number / DAY), number - 1)
            found[index].append(value if good else None)
    shown: list[float | None] = []
    held: float | None = None
    for values in found:
        good_ones = [value for value in values if value is not None]
        if series.holds:
            held = values[-1] if values else held
            shown.append(good_ones[-1] if good_ones else held)
        else:
            count = len(good_ones)
            # Not the sum divided by the number: it can be infinite.
            mean = math.fsum(value / count for value in good_ones)
            shown.append(mean if good_ones else None)
    return shown


def _title(series: Series, minutes: int, *, ascii_only: bool) -> str:
    unit = f" ({text(series.unit)})" if series.unit else ""
    what = "last value" if series.holds else "mean"
    line = f"{text(series.title)}{unit}, {what} of {minutes} minutes"
    if ascii_only:
        return line.replace("°", "deg ").encode("ascii", "replace").decode()
    return line


def _panel(shown: Sequence[float | None], edge: int, ink: _Ink) -> Iterator[str]:
    """Yield the lines of a panel, the upper one first."""
    low, high = _bounds(shown)
    least, most = _labels(low, high)
    steps = len(ink.bars)
    heights = [_height(mean, low, high, _ROWS * steps) for mean in shown]
    for row in reversed(range(_ROWS)):
        label = {_ROWS - 1: most, 0: least}.get(row, "")
        bars = "".join(
            ink.bars[min(height - row * steps, steps) - 1]
            if height > row * steps
            else " "
            for height in heights
        )
        line = ink.tick if label else ink.line
        yield f"{label:>{edge}} {line}{bars}".rstrip()


def _height(mean: float | None, low: float, high: float, steps: int) -> int:
    """Return the height of a bar: 0 for a gap, at least 1 for a value."""
    if mean is None:
        return 0
    # Halves, as the difference of two numbers can be infinite.
    span = high / 2 - low / 2
    share = (mean / 2 - low / 2) / span if span else 0.0
    return 1 + round(share * (steps - 1))


def _bounds(shown: Iterable[float | None]) -> tuple[float, float]:
    values = [mean for mean in shown if mean is not None]
    return (min(values), max(values)) if values else (math.nan, math.nan)


def _labels(low: float, high: float) -> tuple[str, str]:
    """Return the labels of the lower and the upper end, the upper one if it differs."""
    if math.isnan(low):
        return "no values", ""
    least = most = ""
    for digits in range(4, _MOST_DIGITS):
        least, most = _number(low, digits), _number(high, digits)
        if least != most:
            return least, most
    return least, ""


def _number(value: float, digits: int) -> str:
    rounded = f"{value:.{digits}g}"
    if "e+" in rounded and len(f"{value:.0f}") <= _MOST_DIGITS:
        return f"{value:.0f}"
    return rounded


def _hours(per_hour: int, edge: int, ink: _Ink) -> Iterator[str]:
    """Yield the axis of the hours and its labels."""
    hours = range(0, _HOURS, _TICK_HOURS)
    size = per_hour * _TICK_HOURS
    axis = "".join(ink.mark + ink.axis * (size - 1) for _ in hours)
    yield " " * (edge + 1) + ink.corner + axis
    yield f"{_ZONE:>{edge}}  " + "".join(f"{hour:<{size}}" for hour in hours).rstrip()
