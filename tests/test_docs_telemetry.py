"""The queries of the pages about telemetry, asked of PostgreSQL and DuckDB."""

from __future__ import annotations

import calendar
import json
import math
import statistics
import subprocess
import typing as t
from collections import defaultdict
from datetime import date, datetime, timezone
from decimal import Decimal
from itertools import pairwise

import pytest
import yaml

from emulator import Emulator
from emulator.plant import SIZES
from tap_iot_sitewise.streams import GROUPS
from tests.conftest import TapCommand, clean_environment, select, static
from tests.databases import in_duckdb, in_postgres
from tests.documents import Page, page
from tests.test_meltano import MELTANO

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.plant import Plant
    from tests.databases import Ask, Row

TELEMETRY = page("docs/telemetry.md")
PAGES = (
    TELEMETRY,
    *(page(f"docs/streams/{stream.name}.md") for stream in GROUPS["telemetry"]),
)
QUERIES = [
    pytest.param(block.text, id=f"{each.path.stem}: {block.section}")
    for each in PAGES
    for block in each.blocks("sql")
]

PRESS = "/hamburg/line-2/press-1/"
NAMES = ("temperature", "state", "running", "good-parts")
# The day of the query for the last value at a time, a Friday.
START = calendar.timegm((2025, 5, 30, 0, 0, 0))
END = START + 86_400
GAP = range(START + 3 * 3600, START + 4 * 3600)
"""When the temperature has no values."""
ODD = START + 5 * 3600 + 60 * 30 + 7
"""When the temperature has values of other qualities, and odd ones after it."""


def _odd_values() -> Iterator[Row]:
    kinds: list[Row] = [
        {"doubleValue": 99.5},
        {"doubleValue": "NaN"},
        {"doubleValue": "-Infinity"},
        {"nullValue": {"valueType": "D"}},
    ]
    for number, value in enumerate(kinds):
        at = {"timeInSeconds": ODD + number, "offsetInNanos": 0}
        yield {"value": value, "timestamp": at, "quality": "BAD"}
    at = {"timeInSeconds": ODD, "offsetInNanos": 0}
    yield {"value": {"doubleValue": 48.5}, "timestamp": at, "quality": "GOOD"}
    # Exactly at the end of an hour, to which it belongs.
    at = {"timeInSeconds": START + 7 * 3600, "offsetInNanos": 0}
    yield {"value": {"doubleValue": 500.25}, "timestamp": at, "quality": "GOOD"}


def series_id(plant: Plant, name: str) -> str:
    (found,) = (
        each["timeSeriesId"]
        for each in plant.listing("time_series").records
        if each.get("alias") == PRESS + name
    )
    return str(found)


@pytest.fixture(scope="module")
def aws() -> Iterator[Emulator]:
    """An account in which a press has the values of one day, and no others."""
    with Emulator(
        contents="factory",
        asset_models=18,
        portals=1,
        projects_per_portal=1,
        sizes=SIZES["factory"],
    ) as emulator:
        plant = emulator.plant
        for name in NAMES:
            found = series_id(plant, name)
            values = plant.values.between(found, START, END)
            if name == "temperature":
                values = [v for v in values if seconds(v) not in GAP]
                values += _odd_values()
            plant.values.replace(found, values)
        yield emulator


@pytest.fixture(scope="module")
def plant(aws: Emulator) -> Plant:
    return aws.plant


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("telemetry")


@pytest.fixture(scope="module")
def output(aws: Emulator, directory: Path) -> bytes:
    """The messages of a run that reads the values and what the queries join."""
    tap = TapCommand(directory)
    settings = static(
        aws,
        extra_streams=["plant", "telemetry"],
        telemetry_alias_prefixes=[PRESS + name for name in NAMES],
        start_date=datetime.fromtimestamp(START, timezone.utc).isoformat(),
        end_date=datetime.fromtimestamp(END, timezone.utc).isoformat(),
        aggregate_resolutions=["1h", "1d"],
    )
    whole = json.loads(tap(settings, "--discover").succeeded().output)
    needed = (
        *("assets", "asset_associations", "asset_properties", "time_series"),
        "asset_model_properties",
        *(stream.name for stream in GROUPS["telemetry"]),
    )
    return tap(settings, catalog=select(whole, *needed)).succeeded().output


@pytest.fixture(scope="module")
def postgres(output: bytes, directory: Path) -> Iterator[Ask]:
    with in_postgres(output, directory) as ask:
        yield ask


@pytest.fixture(scope="module")
def duck(output: bytes, directory: Path) -> Iterator[Ask]:
    with in_duckdb(output, directory) as ask:
        yield ask


@pytest.fixture(
    params=["postgres", pytest.param("duck", marks=pytest.mark.target_duckdb)]
)
def ask(request: pytest.FixtureRequest) -> Ask:
    """Asks one of the databases, in turn."""
    found: Ask = request.getfixturevalue(request.param)
    return found


def answer(ask: Ask, section: str) -> list[Row]:
    (query,) = (
        block.text
        for each in PAGES
        for block in each.blocks("sql")
        if block.section == section
    )
    return ask(query)


def plain(value: object) -> object:
    """Return a value in the form in which both databases are compared."""
    if isinstance(value, (Decimal, float)):
        return float(f"{float(value):.9g}")
    if isinstance(value, datetime):
        return utc(value).isoformat()
    return value


def chosen(rows: list[Row], *columns: str) -> list[tuple[t.Any, ...]]:
    """Return some columns of rows, in an order that does not depend on a collation."""
    return ordered(tuple(row[c] for c in columns) for row in rows)


def ordered(rows: t.Iterable[tuple[t.Any, ...]]) -> list[tuple[t.Any, ...]]:
    return sorted((tuple(map(plain, row)) for row in rows), key=repr)


def utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def seconds(value: Row) -> int:
    return int(value["timestamp"]["timeInSeconds"])


def moment(value: Row) -> datetime:
    nanos = value["timestamp"].get("offsetInNanos", 0)
    whole = datetime.fromtimestamp(seconds(value), timezone.utc)
    return whole.replace(microsecond=nanos // 1000)


def history(plant: Plant, name: str, quality: str | None = None) -> list[Row]:
    """Return the values that the run has read, in the order of time."""
    values = plant.values.between(series_id(plant, name), START, END)
    return [each for each in values if quality in {None, each["quality"]}]


def four(value: Row) -> tuple[t.Any, ...]:
    """Return what the four columns of a value contain."""
    given = value["value"]
    double, text = given.get("doubleValue"), given.get("stringValue")
    if isinstance(double, str):
        double, text = None, double
    return double, given.get("integerValue"), text, given.get("booleanValue")


FOUR = ("double_value", "integer_value", "string_value", "boolean_value")


def numbers(plant: Plant, name: str) -> dict[tuple[int, str], list[float]]:
    """Return the finite numbers of each hour and quality, by the end of the hour."""
    found = defaultdict(list)
    for value in history(plant, name):
        number = four(value)[0] if name == "temperature" else four(value)[1]
        if number is not None:
            exact = seconds(value) + value["timestamp"].get("offsetInNanos", 0) / 1e9
            found[math.ceil(exact / 3600) * 3600, value["quality"]].append(number)
    return found


# All queries


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_the_pages_has_an_answer(ask: Ask, query: str) -> None:
    assert ask(query)


@pytest.mark.target_duckdb
@pytest.mark.parametrize("query", QUERIES)
def test_a_query_has_the_same_answer_in_both_databases(
    postgres: Ask, duck: Ask, query: str
) -> None:
    first, second = postgres(query), duck(query)

    assert list(first[0]) == list(second[0])
    assert chosen(first, *first[0]) == chosen(second, *first[0])


@pytest.mark.parametrize("each", PAGES, ids=str)
def test_a_page_has_queries(each: Page) -> None:
    assert 3 <= len(each.blocks("sql")) <= 5


@pytest.mark.parametrize("query", QUERIES)
def test_no_query_quotes_a_column(query: str) -> None:
    assert '"' not in query


# What they answer


def test_the_latest_values_have_the_path_of_the_asset_and_the_unit(
    ask: Ask, plant: Plant
) -> None:
    rows = answer(ask, "Latest value with asset path and unit")

    names = {
        "temperature": ("Temperature", "°C"),
        "state": ("State", None),
        "running": ("Running", None),
        "good-parts": ("Good parts", "pcs"),
    }
    expected = []
    for name, (title, unit) in names.items():
        last = history(plant, name)[-1]
        row = ("Hamburg / Line 2 / Press 1", title, unit, last["quality"], moment(last))
        expected.append((*row, *four(last)))
    columns = ("path", "property", "unit", "quality", "event_timestamp", *FOUR)
    assert chosen(rows, *columns) == ordered(expected)


def test_own_hourly_means_equal_those_of_sitewise(ask: Ask, plant: Plant) -> None:
    rows = answer(ask, "Hourly means against SiteWise's own aggregates")

    expected = [
        (PRESS + name, datetime.fromtimestamp(end, timezone.utc), quality, mean, count)
        for name in ("temperature", "good-parts")
        for (end, quality), found in numbers(plant, name).items()
        for mean, count in [(statistics.fmean(found), len(found))]
    ]
    columns = ("alias", "hour_end", "quality")
    for who in ("own", "sitewise"):
        means = (*columns, f"{who}_average", f"{who}_count")
        assert chosen(rows, *means) == ordered(expected)
    assert "BAD" in {row["quality"] for row in rows}


def test_the_gaps_are_the_times_without_a_value(ask: Ask, plant: Plant) -> None:
    rows = answer(ask, "Gaps in a time series")

    expected = [
        (moment(before), moment(after), (seconds(after) - seconds(before)) / 60)
        for before, after in pairwise(history(plant, "temperature"))
        if seconds(after) - seconds(before) > 600
    ]
    assert chosen(rows, "gap_start", "gap_end", "minutes") == ordered(expected)
    assert {round(row["minutes"]) for row in rows} >= {61}


def test_the_last_known_value_is_the_last_good_one_before(
    ask: Ask, plant: Plant
) -> None:
    rows = answer(ask, "Last known value at a time")

    noon = START + 12 * 3600
    expected = []
    for name in NAMES:
        # A value in the second of noon is later, unless it has no nanoseconds.
        before = [
            value
            for value in history(plant, name, "GOOD")
            if moment(value).timestamp() <= noon
        ]
        expected.append((PRESS + name, moment(before[-1]), *four(before[-1])))
    columns = ("alias", "event_timestamp", *FOUR)
    assert chosen(rows, *columns) == ordered(expected)


def test_the_time_in_each_state_adds_up_to_the_time_between_states(
    ask: Ask, plant: Plant
) -> None:
    rows = answer(ask, "Time in each state")

    lasted: dict[str, list[int]] = defaultdict(list)
    states = history(plant, "state")
    for state, following in pairwise(states):
        lasted[state["value"]["stringValue"]].append(
            seconds(following) - seconds(state)
        )
    assert chosen(rows, "alias", "state", "hours", "periods") == ordered(
        (f"{PRESS}state", state, sum(found) / 3600, len(found))
        for state, found in lasted.items()
    )
    hours = float(sum(row["hours"] for row in rows))
    assert hours == pytest.approx((seconds(states[-1]) - seconds(states[0])) / 3600)


def test_the_silent_time_series_are_those_with_an_old_latest_value(
    ask: Ask, plant: Plant
) -> None:
    rows = answer(ask, "Time series that are silent")

    last = {name: seconds(history(plant, name)[-1]) for name in NAMES}
    newest = max(last.values())
    assert chosen(rows, "alias", "hours_silent") == ordered(
        (PRESS + name, (newest - each) / 3600)
        for name, each in last.items()
        if each < newest - 3600
    )


def test_the_time_series_without_a_value_are_those_that_were_not_read(
    ask: Ask, plant: Plant
) -> None:
    rows = answer(ask, "Time series that never had a value")

    read = {series_id(plant, name) for name in NAMES}
    assert {row["time_series_id"] for row in rows} == {
        each["timeSeriesId"]
        for each in plant.listing("time_series").records
        if each["dataType"] in {"DOUBLE", "INTEGER", "STRING", "BOOLEAN"}
    } - read


def test_values_of_one_time_and_different_quality_are_different_rows(ask: Ask) -> None:
    rows = answer(ask, "Values of one timestamp with different quality")

    at = datetime.fromtimestamp(ODD, timezone.utc)
    columns = ("alias", "event_timestamp", "one_quality", "other_quality")
    assert chosen(rows, *columns) == ordered(
        [(f"{PRESS}temperature", at, "BAD", "GOOD")]
    )


def test_values_that_are_not_numbers_keep_what_they_are(ask: Ask, plant: Plant) -> None:
    rows = answer(ask, "Values that are not numbers, of numeric time series")

    expected = []
    for value in history(plant, "temperature"):
        null = value["value"].get("nullValue", {}).get("valueType")
        number, _, text, _ = four(value)
        if number is None:
            kind = "double" if text else "null"
            expected.append((moment(value), value["quality"], kind, text, null))
    columns = ("event_timestamp", "quality", "value_type", "string_value")
    assert chosen(rows, *columns, "null_value_type") == ordered(expected)
    assert {text for *_, text, _ in expected} == {"NaN", "-Infinity", None}


def test_each_day_has_the_values_of_its_time_series(ask: Ask, plant: Plant) -> None:
    rows = answer(ask, "Number of values of each day")

    days: dict[date, list[str]] = defaultdict(list)
    for name in NAMES:
        for value in history(plant, name):
            days[moment(value).date()].append(name)
    assert [tuple(row.values()) for row in rows] == [
        (day, len(found), len(set(found))) for day, found in sorted(days.items())
    ]


def test_the_mean_of_a_day_is_that_of_its_values(ask: Ask, plant: Plant) -> None:
    rows = answer(ask, "Mean of each day from hourly aggregates")

    expected = []
    for name in ("temperature", "good-parts"):
        every = [
            number
            for (_, quality), found in numbers(plant, name).items()
            if quality == "GOOD"
            for number in found
        ]
        expected.append((PRESS + name, date(2025, 5, 30), statistics.fmean(every)))
    assert chosen(rows, "alias", "day", "mean") == ordered(expected)


def test_the_extremes_are_those_of_the_good_values(ask: Ask, plant: Plant) -> None:
    rows = answer(ask, "Extremes of each time series")

    expected = []
    for name in ("temperature", "good-parts"):
        good = [
            number
            for (_, quality), found in numbers(plant, name).items()
            if quality == "GOOD"
            for number in found
        ]
        expected += [
            (PRESS + name, resolution, min(good), max(good))
            for resolution in ("1h", "1d")
        ]
    columns = ("alias", "resolution", "lowest", "highest")
    assert chosen(rows, *columns) == ordered(expected)


def test_the_hour_with_bad_values_has_less_than_all_good_ones(
    ask: Ask, plant: Plant
) -> None:
    rows = answer(ask, "Share of good values in each hour")

    (worst, *others) = [row for row in rows if row["alias"] == f"{PRESS}temperature"]
    counts = numbers(plant, "temperature")
    end = math.ceil(ODD / 3600) * 3600
    good, bad = len(counts[end, "GOOD"]), len(counts[end, "BAD"])
    assert utc(worst["hour_end"]).timestamp() == end
    assert float(worst["share_of_good"]) == pytest.approx(good / (good + bad))
    assert {float(row["share_of_good"]) for row in others} == {1.0}


# What the page calculates


def _costs() -> str:
    text = " ".join(TELEMETRY.section("What a run costs").split())
    return text.replace("\N{MULTIPLICATION SIGN}", "*")


def test_the_costs_add_up() -> None:
    text = _costs()

    values = 1000 * 24 * 60
    messages = values // 50
    assert f"1,000 * 1,440 = {values:,}" in text
    assert f"{values:,} / 50 = {messages:,}" in text
    assert f"30 * {messages:,} = {30 * messages:,}" in text
    assert f"{30 * messages / 1e6:.2f} USD" in text
    assert f"1,095 * {messages:,} = {1095 * messages:,} messages" in text
    assert f"{1095 * messages / 1e6:.2f} USD" in text
    (table,) = (rows for rows in TELEMETRY.tables() if rows and "times" in rows[0])
    hourly, week = 24 * 15 / 1440, 7.0
    times = [1 + hourly, 1 + week, 1 + hourly + week, 1 + 24 * week]
    assert [float(row["times"]) for row in table] == times
    assert [int(row["messages a day, at least"].replace(",", "")) for row in table] == [
        messages * each for each in times
    ]


def test_a_day_of_the_example_needs_the_requests_that_the_page_says() -> None:
    text = _costs()

    full, rest = divmod(1000, 16)
    pages = -(-16 * 1440 // 20_000), -(-rest * 1440 // 20_000)
    requests = full * pages[0] + pages[1]
    assert f"needs {requests} requests ({full} * {pages[0]} pages + {pages[1]})" in text
    assert f"and {1000 // 250} for the list" in text


# What Meltano makes of the schedules


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with all that the page shows, added to the complete definition."""
    whole = yaml.safe_load(page("docs/meltano.md").block("Write `meltano.yml`", "yaml"))
    (loader,) = whole["plugins"]["loaders"]
    loader["name"] = "target-postgres"
    whole["jobs"], whole["schedules"] = [], []
    for block in TELEMETRY.blocks("yaml"):
        shown = yaml.safe_load(block.text)
        whole["plugins"]["extractors"] += shown.get("plugins", {}).get("extractors", [])
        for name in ("jobs", "schedules"):
            whole[name] += shown.get(name, [])
    directory = tmp_path_factory.mktemp("project")
    (directory / "meltano.yml").write_text(yaml.safe_dump(whole), "utf-8")
    return directory


def meltano(project: Path, *words: str, **variables: str) -> t.Any:  # noqa: ANN401
    done = subprocess.run(
        [MELTANO, *words],
        cwd=project,
        env=clean_environment(**variables),
        capture_output=True,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout)


def test_the_schedules_run_the_extractors_of_the_page(project: Path) -> None:
    listed = meltano(project, "schedule", "list", "--format=json")["schedules"]["job"]

    tasks = {each["name"]: each["job"]["tasks"][0] for each in listed}
    assert tasks == {
        "history-hourly": "tap-iot-sitewise-history target-postgres",
        "history-late-values": "tap-iot-sitewise-history target-postgres",
        "plant-daily": "tap-iot-sitewise-plant target-postgres",
        "latest-values": "tap-iot-sitewise-latest target-postgres",
    }
    (late,) = (each["env"] for each in listed if each["env"])
    history = meltano(project, "config", "print", "tap-iot-sitewise-history", **late)
    assert history["telemetry_lookback"] == "P7D"


def test_the_second_extractor_has_the_streams_of_the_first_and_other_time_series(
    project: Path,
) -> None:
    first, second = (
        meltano(project, "config", "print", f"tap-iot-sitewise-{name}")
        for name in ("history", "line-2")
    )

    assert {name for name in first if first[name] != second[name]} == {
        "telemetry_alias_prefixes"
    }


def test_the_extractor_of_the_latest_values_selects_nothing_else(project: Path) -> None:
    extras = meltano(project, "config", "print", "--extras", "tap-iot-sitewise-latest")

    assert extras["_select"] == ["property_values.*"]
