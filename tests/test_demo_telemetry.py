"""`make demo STREAMS=telemetry`: a day of values, and their chart."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import subprocess
import sys
import typing as t

import pytest

from demo import telemetry
from demo.chart import DAY, Series, chart
from demo.loaded import LOADERS
from demo.meltano import OUTPUT
from demo.report import report
from demo.table import width_of
from emulator import Plant
from emulator.factory import SIZES as FACTORY
from tests.conftest import ROOT, clean_environment

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

START = 20_000 * DAY
NARROW, WIDE = 80, 200
HOURS = range(24)
LIMIT = 300
SMALL = {"asset_models": 11, "portals": 2, "projects": 2}
OPTIONS = ("--asset-models=11", "--portals=2", "--projects-per-portal=2")


def hourly(values: Iterable[float | None]) -> list[tuple[float, float | None]]:
    """Return a point in the middle of each hour."""
    return [(START + 3600 * h + 1800, value) for h, value in enumerate(values)]


def drawn(*series: Series, width: int = 34, ascii_only: bool = False) -> list[str]:
    return list(chart(series, START, width, ascii_only=ascii_only))


def test_a_chart_shows_bars_with_their_unit_their_limits_and_the_hours() -> None:
    points = hourly([*range(12), *reversed(range(12))])

    assert drawn(Series("oven", "°C", points)) == [
        "oven (°C), mean of 60 minutes",
        " 11 ┤         ▂▅██▅▂",
        "    │      ▂▅████████▅▂",
        "    │   ▁▄▇████████████▇▄▁",
        "  0 ┤▁▄▇██████████████████▇▄▁",
        "    └┬──┬──┬──┬──┬──┬──┬──┬──",
        "UTC  0  3  6  9  12 15 18 21",
    ]


def test_a_chart_in_ascii_shows_the_same() -> None:
    points = hourly([*range(12), *reversed(range(12))])

    lines = drawn(Series("öven", "°C", points), ascii_only=True)

    assert lines == [
        "?ven (deg C), mean of 60 minutes",
        " 11 +         .:##:.",
        "    |      .:########:.",
        "    |   .:##############:.",
        "  0 +.:####################:.",
        "    ++--+--+--+--+--+--+--+--",
        "UTC  0  3  6  9  12 15 18 21",
    ]


@pytest.mark.parametrize("bad", [None, math.nan, math.inf, -math.inf])
def test_a_chart_has_a_gap_where_no_value_is_good(bad: float | None) -> None:
    values: list[float | None] = [1.0] * 24
    values[3:6] = [bad] * 3
    points = hourly(values)
    del points[20]

    bars = drawn(Series("oven", None, points))[4]

    assert bars == "  1 ┤▁▁▁   ▁▁▁▁▁▁▁▁▁▁▁▁▁▁ ▁▁▁"


def test_a_column_is_the_mean_of_its_good_values() -> None:
    points = [
        (START + 60, 10.0),
        (START + 120, None),
        (START + 180, 20.0),
        (START + DAY, 5.0),
        # Of other days.
        (START - 1, 99.0),
        (START + DAY + 1, 99.0),
    ]

    lines = drawn(Series("oven", None, points))

    # The last second of a day is midnight.
    assert lines[1] == " 15 ┤█"
    assert lines[4] == "  5 ┤█                      ▁"


def test_a_counter_keeps_its_value_until_the_next_one_or_a_failure() -> None:
    points: list[tuple[float, float | None]] = [
        (START + 3 * 3600, 0.0),
        (START + 3 * 3600 + 9, 5.0),
        (START + 6 * 3600, None),
        (START + 9 * 3600, 7.0),
    ]

    lines = drawn(Series("parts", "pcs", points, holds=True), width=37)

    assert lines[0] == "parts (pcs), last value of 60 minutes"
    assert lines[1] == "  7 ┤         ███████████████"
    assert lines[4] == "  5 ┤   ▁▁▁   ███████████████"


@pytest.mark.parametrize("level", [0, 48.5, -3])
def test_a_constant_series_is_a_flat_line_with_one_label(level: float) -> None:
    lines = drawn(Series("oven", None, hourly([level] * 24)))

    assert [line.strip("│ ") for line in lines[1:4]] == ["", "", ""]
    assert lines[4].split("┤") == [f"{level:>3} ", "▁" * 24]


def test_negative_values_go_up_from_the_lowest_one() -> None:
    lines = drawn(Series("freezer", None, hourly([-30, -10] * 12)))

    assert lines[1] == "-10 ┤" + " █" * 12
    assert lines[4] == "-30 ┤" + "▁█" * 12


def test_one_value_is_one_bar() -> None:
    lines = drawn(Series("oven", None, [(START + 7200, 48.25)]))

    assert lines[4] == "48.25 ┤  ▁"


@pytest.mark.parametrize("points", [[], [(START + 60, math.nan)]])
def test_a_series_without_a_good_value_says_so(
    points: list[tuple[float, float | None]],
) -> None:
    lines = drawn(Series("oven", None, points))

    assert lines[4] == "no values ┤"


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (48.00001, 48.00002, ["48.00002", "48.00001"]),
        (0, 1_234_567, ["1234567", "0"]),
        (-1e308, 1e308, ["1e+308", "-1e+308"]),
        (0, 1e-7, ["1e-07", "0"]),
    ],
)
def test_the_labels_tell_the_limits_apart(
    low: float, high: float, labels: list[str]
) -> None:
    lines = drawn(Series("oven", None, hourly([low, high] * 12)))

    assert [lines[row].split()[0] for row in (1, 4)] == labels
    assert lines[1].endswith(" █" * 12)


@pytest.mark.parametrize(
    ("width", "columns", "minutes"), [(NARROW, 72, 20), (60, 48, 30), (WIDE, 96, 15)]
)
def test_a_wider_terminal_shows_more_columns(
    width: int, columns: int, minutes: int
) -> None:
    points = [(START + second, float(second)) for second in range(0, DAY, 60)]
    series = [Series("long" * 60, "s", points), Series("b\x1b[1m\n", None, points)]

    lines = drawn(*series, width=width)

    assert max(map(width_of, lines)) <= width
    assert len(lines[4].partition("┤")[2]) == columns
    assert lines[5] == f"b[1m, mean of {minutes} minutes"
    assert lines[-2].count("┬") == len(lines[-1].split()) - 1 == 8


def test_without_series_there_is_no_chart() -> None:
    assert drawn() == []


@pytest.mark.parametrize(
    ("now", "day", "next_day"),
    [
        ("2026-11-27T00:00:00", "2026-11-26", "2026-11-27"),
        ("2026-11-28T23:59:59", "2026-11-27", "2026-11-28"),
        # On Sunday and Monday, it is still Friday's.
        ("2026-11-29T12:00:00", "2026-11-27", "2026-11-28"),
        ("2026-11-30T12:00:00", "2026-11-27", "2026-11-28"),
        ("2027-01-01T12:00:00", "2026-12-31", "2027-01-01"),
    ],
)
def test_the_demo_loads_the_last_complete_working_day(
    now: str, day: str, next_day: str
) -> None:
    variables = telemetry.settings(dt.datetime.fromisoformat(f"{now}+00:00"))

    assert variables["TAP_IOT_SITEWISE_START_DATE"] == f"{day}T00:00:00Z"
    assert variables["TAP_IOT_SITEWISE_END_DATE"] == f"{next_day}T00:00:00Z"


def row(alias: str, second: int, value: object, **others: object) -> dict[str, object]:
    """Return a row of the history, as a CSV file has it: all values are text."""
    return {
        "alias": f"/cork/line-1/{alias}",
        "asset_id": "a",
        "property_id": alias,
        "data_type": "DOUBLE",
        "time_in_seconds": str(START + second),
        "quality": "GOOD",
        "value_type": "double",
        "double_value": str(value),
        **others,
    }


def described(
    rows: dict[str, list[dict[str, object]]], width: int = NARROW
) -> list[str]:
    return list(telemetry.describe(rows, width, ascii_only=False))


def test_the_chart_shows_the_machine_that_failed_most() -> None:
    history = [
        row("filler-1/temperature", 60, 48),
        # A sensor that fails can repeat its last value, or send null.
        row("labeller-1/temperature", 60, 20),
        row("labeller-1/temperature", 7200, 99, quality="BAD"),
        row("labeller-1/temperature", 9000, "", value_type="null", quality="UNCERTAIN"),
        row("labeller-1/temperature", 12000, "", value_type="null"),
    ]
    units: list[dict[str, object]] = [
        {"asset_id": "a", "property_id": "labeller-1/temperature", "unit": "°C"},
        {"asset_id": "a", "property_id": "filler-1/temperature", "unit": ""},
    ]
    latest = [
        row("filler-1/temperature", 60, "", value_type="boolean", boolean_value="True"),
        row("labeller-1/temperature", 60, 20.5, quality="BAD"),
    ]

    lines = described(
        {
            "asset_properties": units,
            "property_values": latest,
            "property_value_history": history,
        }
    )

    assert [line.split() for line in lines[3:6]] == [
        ["series", "values", "not", "good", "latest"],
        ["filler-1/temperature", "1", "0", "true"],
        ["labeller-1/temperature", "4", "2", "20.50", "°C", "(BAD)"],
    ]
    assert lines[7].startswith("Friday, 2024-10-04")
    assert lines[9] == "labeller-1/temperature (°C), mean of 20 minutes"
    assert lines[13].split() == ["20", "┤▁"]


@pytest.mark.parametrize("stream", ["property_values", "property_aggregates"])
def test_without_the_history_there_is_no_chart(stream: str) -> None:
    lines = described({stream: [row("filler-1/power", 60, 11)]})

    assert len(lines) == 5
    assert "filler-1/power" in lines[-1]
    assert described({stream: []}) == []


def expected_values(plant: Plant, start: int) -> dict[str, list[t.Any]]:
    """Return the values of each loaded time series in a day."""
    (series,) = plant.listings("time_series")
    prefixes = ("/cork/line-1/filler-1/", "/cork/line-1/labeller-1/")
    return {
        each["alias"]: list(
            plant.values.between(each["timeSeriesId"], start, start + DAY)
        )
        for each in series.records
        if each.get("alias", "").startswith(prefixes)
        and each["alias"].rpartition("/")[2]
        in {"temperature", "power", "good-parts", "state", "running"}
    }


@pytest.mark.usefixtures("meltano_project")
def test_a_demo_with_telemetry_shows_each_value_of_the_day(tmp_path: Path) -> None:
    demo = subprocess.run(
        [
            *(sys.executable, "-m", "demo", "--loader=target-jsonl"),
            *("--streams=telemetry", "--", *OPTIONS),
        ],
        cwd=ROOT,
        env=clean_environment(
            TMPDIR=str(tmp_path), COLUMNS="80", PYTHONIOENCODING="latin-1"
        ),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=LIMIT,
    )

    assert demo.returncode == 0, demo.stderr
    history = loaded("property_value_history")
    start = min(each["time_in_seconds"] for each in history) // DAY * DAY
    plant = Plant.make("factory", **{**t.cast("dict[str, t.Any]", FACTORY), **SMALL})
    values = expected_values(plant, start)
    lines = demo.stdout.splitlines()
    counts = {
        words[0]: words[1]
        for words in map(str.split, lines)
        if len(words) > 1 and words[1].isdigit()
    }
    assert counts["property_value_history"] == str(sum(map(len, values.values())))
    assert counts["property_values"] == str(len(values)) == "10"
    assert int(counts["property_aggregates"]) >= len(values)
    for alias, of_series in values.items():
        assert counts[alias.removeprefix("/cork/line-1/")] == str(len(of_series))
    titles = [line.split()[0] for line in lines if " of 30 minutes" in line]
    machine = titles[0].rpartition("/")[0]
    assert titles == [
        f"{machine}/{name}" for name in ("temperature", "power", "good-parts")
    ]
    assert max(map(width_of, lines[: lines.index("")])) <= NARROW
    assert lines[-2].startswith("The whole run took")
    # The terminal has no block characters.
    assert "█" not in demo.stdout
    assert "###" in demo.stdout
    check_wide_report()


def loaded(stream: str) -> list[dict[str, t.Any]]:
    text = (OUTPUT / "target-jsonl" / f"{stream}.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def check_wide_report() -> None:
    """In a wide terminal, the chart is beside the table."""
    streams: Sequence[str] = [
        *("asset_models", "portals", "projects"),
        *(telemetry.UNITS, *telemetry.STREAMS),
    ]
    with LOADERS["target-jsonl"](OUTPUT / "target-jsonl", os.environ) as files:
        lines = list(report(files, streams, {}, WIDE))
    (header,) = (line for line in lines if "not good" in line)
    assert "A gap is a time without a good value." in header
    assert "███" in "".join(lines)
    assert max(map(width_of, lines)) <= WIDE
