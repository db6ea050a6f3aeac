"""Values of the time series of a hostile plant: few, and all difficult."""

from __future__ import annotations

import typing as t

from emulator.blocks import DAY, Block
from emulator.formula import Formula

if t.TYPE_CHECKING:
    from emulator.formula import FormulaSource
    from emulator.record import Record

_SMALLEST, _LARGEST = 5e-324, 1.7976931348623157e308
_VARIANTS: dict[str, tuple[Record, ...]] = {
    "DOUBLE": tuple(
        {"doubleValue": value}
        for value in (
            *("NaN", "Infinity", "-Infinity"),
            *(_SMALLEST, -_SMALLEST, _LARGEST, -_LARGEST, 2.2250738585072014e-308),
            *(-0.0, 0.0, 0.1 + 0.2, -1e-7, 1e16, 1e21, 9007199254740993.0, 1 / 3),
            # AWS may send a double without a fraction as an integer.
            *(7, -40, 21.5, 1e3),
        )
    ),
    "INTEGER": tuple(
        {"integerValue": value}
        for value in (2**31 - 1, -(2**31), 0, -1, 1, 65_536, -32_769, 42)
    ),
    "STRING": tuple(
        {"stringValue": value}
        for value in (
            *("", " ", "null", "NaN", "0", "false", "RUNNING", "2024-02-30"),
            *('say "no"', "it's; a, list", "back\\slash", "{}", "<b>&amp;</b>"),
            *("tab\there", "line\nbreak\r\n", "\x01\x1b[0m\x1f\x7f", "\u2028\u2029"),
            *("Zürich ½ µ", "温度センサー", "حرارة", "🏭🔥", "e\u0301", "\ufeffbom"),
            "x" * 1024,
        )
    ),
    "BOOLEAN": ({"booleanValue": True}, {"booleanValue": False}),
}
_NULLS = tuple({"nullValue": {"valueType": each}} for each in "DBSIU")
_QUALITIES = ("GOOD", "BAD", "UNCERTAIN", None)
_OFFSETS = (0, None, 1, 999_999_999, 123_456_789, 500_000_000)
_WHOLE = (1, 60, 3600, 7200, DAY // 2, DAY - 1, DAY)
"""Seconds of the day on which a value is: exact minutes and hours, and midnight."""


def formula(source: FormulaSource) -> Formula | None:
    """Return the formula of a time series; some have no values, or only in 1970."""
    variants = _VARIANTS.get(str(source.series.get("dataType")))
    series_id = source.series["timeSeriesId"]
    kind = source.rng(series_id).randrange(12)
    if variants is None or kind == 0:
        return None

    if kind == 1:
        return Formula(lambda day: Block.of_values(day, _oldest(variants)), last_day=0)
    return Formula(
        lambda day: Block.of_values(day, _values(source, variants, day)),
        source.first_day,
    )


def _oldest(variants: tuple[Record, ...]) -> list[Record]:
    return [
        {"value": variant, "timestamp": {"timeInSeconds": second}, "quality": "GOOD"}
        for second, variant in enumerate(variants[:3], 1)
    ]


def _values(
    source: FormulaSource, variants: tuple[Record, ...], day: int
) -> list[Record]:
    rng = source.rng(source.series["timeSeriesId"], day)
    start = day * DAY
    times: list[tuple[int, int | None]] = [
        *((second, None) for second in _WHOLE),
        *(
            (rng.randrange(1, DAY), rng.choice(_OFFSETS))
            for _ in range(rng.randrange(16, 36))
        ),
    ]
    found = []
    for number, (second, offset) in enumerate(times):
        at = {"timeInSeconds": start + second}
        if offset is not None:
            at["offsetInNanos"] = offset
        # Several values with one timestamp have different qualities.
        together = rng.choice((1, 1, 1, 3))
        for quality in rng.sample(_QUALITIES[:3], together):
            given = None if rng.random() < 0.1 else quality  # noqa: PLR2004
            variant = rng.choice(_NULLS if number % 6 == 5 else variants)  # noqa: PLR2004
            value = {"value": variant, "timestamp": at}
            found.append(value if given is None else {**value, "quality": given})
    return found
