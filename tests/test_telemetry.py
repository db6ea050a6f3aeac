"""Telemetry: every value of a plant once, whatever window, fault or stop."""

from __future__ import annotations

import contextlib
import gzip
import json
import signal
import typing as t
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from emulator import Emulator
from emulator.faults import Fault
from emulator.plant import SIZES
from tests import expected_telemetry as expected
from tests.conftest import discover, select, static
from tests.test_incremental import in_process

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.faults import Call
    from tests.conftest import Message, Run, TapCommand

LATEST, HISTORY, AGGREGATES = (
    *("property_values", "property_value_history", "property_aggregates"),
)
OPERATIONS = {
    LATEST: "BatchGetAssetPropertyValue",
    HISTORY: "BatchGetAssetPropertyValueHistory",
    AGGREGATES: "BatchGetAssetPropertyAggregates",
}
START, END = "2024-05-31T00:00:00", "2024-06-02T06:30:00"
PERIOD = expected.seconds(START), expected.seconds(END)
NO_ID = "11111111-1111-4111-8111-111111111111"
DATES = {"start_date": START, "end_date": END}


@pytest.fixture(scope="module")
def telemetry_catalog() -> Message:
    return discover("telemetry")


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    """A plant of difficult values that no test changes."""
    with small() as emulator:
        yield emulator


@pytest.fixture
def plant() -> Iterator[Emulator]:
    """A plant for one test, which may change it."""
    with small() as emulator:
        yield emulator


def small() -> Emulator:
    return Emulator(
        asset_models=3, portals=1, projects_per_portal=1, sizes=SIZES["hostile"]
    )


def settings(aws: Emulator, stream: str, **more: object) -> Message:
    return static(aws, extra_streams=[stream], **{**DATES, **more})


class Extract:
    """Runs the tap in this process, for one stream."""

    def __init__(self, catalog: Message) -> None:
        self.catalog = catalog

    def __call__(
        self,
        aws: Emulator,
        stream: str = HISTORY,
        *,
        state: Message | None = None,
        **more: object,
    ) -> Run:
        catalog = select(self.catalog, stream)
        entries = [e for e in catalog["streams"] if e["tap_stream_id"] == stream]
        config = settings(aws, stream, **more)
        return in_process(config, catalog={"streams": entries}, state=state)


@pytest.fixture
def extract(telemetry_catalog: Message) -> Extract:
    return Extract(telemetry_catalog)


def asked(aws: Emulator, stream: str) -> list[Message]:
    """Return the bodies of the requests from here on; the list grows."""
    bodies: list[Message] = []

    def note(call: Call) -> None:
        bodies.append(t.cast("Message", call.content))

    aws.faults.before(OPERATIONS[stream], note)
    return bodies


def same(found: list[Message], wanted: list[Message]) -> None:
    """Fail unless both have the same records, each as often, in any order."""
    texts = [
        Counter(json.dumps(record, sort_keys=True) for record in records)
        for records in (found, wanted)
    ]
    assert texts[0] == texts[1]


# What they send


@pytest.mark.parametrize(
    ("window", "concurrency", "zone"),
    [("P1D", 8, "UTC"), ("PT7H", 3, "Asia/Kolkata"), ("P30D", 1, "America/St_Johns")],
)
def test_every_value_of_the_period_is_sent_once_in_any_window_and_time_zone(
    tap: TapCommand, served: Emulator, window: str, concurrency: int, zone: str
) -> None:
    config = settings(
        served, HISTORY, telemetry_window=window, max_concurrency=concurrency
    )

    run = tap(config, environment={"TZ": zone}).succeeded()

    wanted = expected.history(served.plant, *PERIOD)
    assert len(wanted) > 500
    # Values on the edges of windows, and several qualities of one time, among them.
    edges = {PERIOD[0] + hours * 3600 for hours in range(24, 72, 24)}
    assert {record["time_in_seconds"] for record in wanted} & edges
    same(run.records(HISTORY), wanted)
    assert len(expected.table(HISTORY, wanted)) == len(wanted)


def test_the_latest_value_of_each_time_series_is_sent_and_none_for_an_empty_one(
    extract: Extract, served: Emulator
) -> None:
    run = extract(served, LATEST).succeeded()

    wanted = expected.latest(served.plant)
    readable = [
        each
        for each in served.plant.listing("time_series").records
        if each["dataType"] in expected.READABLE
    ]
    assert 0 < len(wanted) < len(readable)
    # The hostile plant has values up to this moment: some may be new.
    end = datetime.now(timezone.utc) - timedelta(hours=1)
    old = [r for r in wanted if datetime.fromisoformat(r["event_timestamp"]) < end]
    found = expected.table(LATEST, run.records(LATEST))
    assert found.keys() == expected.table(LATEST, wanted).keys()
    assert [found[record["time_series_id"],] for record in old] == old


def test_every_aggregate_of_the_period_is_sent_once_in_every_resolution(
    extract: Extract, served: Emulator
) -> None:
    resolutions = ["1m", "15m", "1h", "1d"]
    bodies = asked(served, AGGREGATES)

    run = extract(served, AGGREGATES, aggregate_resolutions=resolutions).succeeded()

    wanted = expected.aggregates(served.plant, resolutions, *PERIOD)
    assert {record["resolution"] for record in wanted} == set(resolutions)
    same(run.records(AGGREGATES), wanted)
    for entry in (entry for body in bodies for entry in body["entries"]):
        kinds = served.plant.listing("time_series").records
        (series,) = (s for s in kinds if _is_of(entry, s))
        numeric = series["dataType"] in {"DOUBLE", "INTEGER"}
        assert (entry["aggregateTypes"] == ["COUNT"]) != numeric


def _is_of(entry: Message, series: Message) -> bool:
    if "propertyAlias" in entry:
        return bool(series.get("alias") == entry["propertyAlias"])
    return (series.get("assetId"), series.get("propertyId")) == (
        entry["assetId"],
        entry["propertyId"],
    )


def test_a_series_without_an_aggregate_that_is_asked_for_is_not_asked(
    extract: Extract, served: Emulator
) -> None:
    bodies = asked(served, AGGREGATES)

    run = extract(served, AGGREGATES, aggregate_types=["SUM"]).succeeded()

    numeric = {
        each["timeSeriesId"]
        for each in served.plant.listing("time_series").records
        if each["dataType"] in {"DOUBLE", "INTEGER"}
    }
    wanted = [
        {**record, **dict.fromkeys(set(expected.AGGREGATES) - {"sum"})}
        for record in expected.aggregates(served.plant, ["1h"], *PERIOD)
        if record["time_series_id"] in numeric
    ]
    same(run.records(AGGREGATES), wanted)
    types = {tuple(e["aggregateTypes"]) for body in bodies for e in body["entries"]}
    assert types == {("SUM",)}


@pytest.mark.parametrize("stream", [LATEST, HISTORY, AGGREGATES])
def test_only_values_of_the_quality_that_is_asked_for_are_sent(
    extract: Extract, served: Emulator, stream: str
) -> None:
    run = extract(served, stream, telemetry_quality="BAD").succeeded()

    found = run.records(stream)
    assert found
    assert {record["quality"] for record in found} == {"BAD"}
    if stream == HISTORY:
        wanted = expected.history(served.plant, *PERIOD)
        same(found, [record for record in wanted if record["quality"] == "BAD"])


# How they ask


@pytest.mark.parametrize(("stream", "size"), [(LATEST, 128), (HISTORY, 16)])
def test_batches_are_full_and_tokens_go_with_the_same_entries(
    extract: Extract, stream: str, size: int
) -> None:
    with Emulator(
        asset_models=30, portals=1, projects_per_portal=1, sizes=SIZES["hostile"]
    ) as aws:
        dense = _two_series(aws)[0]
        aws.plant.values.regular(dense, 5)
        bodies = asked(aws, stream)
        run = extract(aws, stream, telemetry_window="P30D").succeeded()
        series = {each["time_series_id"] for each in run.records(stream)}

    first = [body for body in bodies if "nextToken" not in body]
    sizes = sorted(len(body["entries"]) for body in first)
    assert sizes[1:] == [size] * (len(sizes) - 1)
    assert sum(sizes) >= len(series) > size // 2
    assert len(bodies) > len(first)
    for body in bodies:
        assert body.get("nextToken") != ""
        names = [entry["entryId"] for entry in body["entries"]]
        assert names == [str(number) for number in range(len(names))]
        without = {name: body[name] for name in body if name != "nextToken"}
        assert without in first


def test_a_time_series_without_an_asset_is_asked_for_by_its_alias(
    extract: Extract, served: Emulator
) -> None:
    bodies = asked(served, LATEST)

    extract(served, LATEST).succeeded()

    entries = [entry for body in bodies for entry in body["entries"]]
    members = Counter(tuple(sorted(set(entry) - {"entryId"})) for entry in entries)
    without = [
        each["alias"]
        for each in served.plant.listing("time_series").records
        if "assetId" not in each and each["dataType"] in expected.READABLE
    ]
    assert set(members) == {("assetId", "propertyId"), ("propertyAlias",)}
    aliases = {entry.get("propertyAlias") for entry in entries} - {None}
    assert aliases == set(without)


@pytest.mark.parametrize("stream", [LATEST, HISTORY, AGGREGATES])
def test_a_stream_calls_its_own_operation_and_that_of_the_time_series_only(
    extract: Extract, plant: Emulator, stream: str
) -> None:
    extract(plant, stream).succeeded()

    assert set(plant.stats.requests) == {"ListTimeSeries", OPERATIONS[stream]}


def test_a_series_of_another_type_is_left_out_with_one_line_that_counts(
    tap: TapCommand, served: Emulator
) -> None:
    run = tap(settings(served, LATEST)).succeeded()

    others = Counter(
        each["dataType"]
        for each in served.plant.listing("time_series").records
        if each["dataType"] not in expected.READABLE
    )
    (line,) = (line for line in run.lines("INFO") if "left out" in line)
    assert line.startswith(f"{others.total()} time series have no values")
    assert all(f"{number} {name}" in line for name, number in others.items())


# Which time series


def _listed(aws: Emulator) -> list[dict[str, str]]:
    """Return the parameters of each ListTimeSeries from here on; the list grows."""
    found: list[dict[str, str]] = []
    aws.faults.before(
        "ListTimeSeries", lambda call: found.append(dict(call.parameters))
    )
    return found


def test_overlapping_prefixes_yield_each_time_series_once(
    extract: Extract, served: Emulator
) -> None:
    prefixes = ["/Z", "/Zürich/Halle 3/", "ns=2;", "/Zürich"]
    calls = _listed(served)

    run = extract(served, telemetry_alias_prefixes=prefixes).succeeded()

    def wanted(columns: Message) -> bool:
        return (columns["alias"] or "").startswith(tuple(prefixes))

    found = run.records(HISTORY)
    assert found
    same(found, expected.history(served.plant, *PERIOD, wanted))
    assert sorted(call["aliasPrefix"] for call in calls) == ["/Z", "ns=2;"]


def test_prefixes_assets_and_properties_narrow_together(
    extract: Extract, served: Emulator
) -> None:
    readable = [
        each
        for each in served.plant.listing("time_series").records
        if each["dataType"] in expected.READABLE
        and each.get("alias")
        and "assetId" in each
        and served.plant.values.between(each["timeSeriesId"], *PERIOD)
    ]
    first, second = readable[0], readable[-1]
    assets = [first["assetId"], second["assetId"], first["assetId"]]
    calls = _listed(served)

    run = extract(
        served,
        telemetry_asset_ids=assets,
        telemetry_property_ids=[first["propertyId"]],
        telemetry_alias_prefixes=[first["alias"]],
    ).succeeded()

    def wanted(columns: Message) -> bool:
        return bool(columns["time_series_id"] == first["timeSeriesId"])

    same(run.records(HISTORY), expected.history(served.plant, *PERIOD, wanted))
    # The API refuses a request with both.
    assert [set(call) & {"assetId", "aliasPrefix"} for call in calls] == [
        {"assetId"}
    ] * len(set(assets))


def test_without_a_match_nothing_is_read_and_the_bookmark_stays(
    tap: TapCommand, plant: Emulator, telemetry_catalog: Message
) -> None:
    catalog = select(telemetry_catalog, HISTORY)
    config = settings(plant, HISTORY, telemetry_alias_prefixes=["/no-such-line/"])

    run = tap(config, catalog=catalog).succeeded()

    assert set(plant.stats.requests) == {"ListTimeSeries"}
    assert [line for line in run.lines("WARNING") if "alias_prefixes" in line] == [
        "no time series matches telemetry_alias_prefixes; nothing is read"
    ]
    assert not run.states[-1]["bookmarks"].get(HISTORY)


@pytest.mark.parametrize(
    ("narrowed", "streams"),
    [
        ({"telemetry_alias_prefixes": ["/no-such-line/"]}, []),
        ({"telemetry_property_ids": [NO_ID]}, []),
        ({}, [LATEST]),
    ],
)
def test_only_a_setting_that_matches_no_time_series_keeps_the_rows_of_the_last_run(
    tap: TapCommand,
    plant: Emulator,
    telemetry_catalog: Message,
    narrowed: Message,
    streams: list[str],
) -> None:
    if not narrowed:
        for series in plant.plant.listing("time_series").records:
            plant.plant.delete("time_series", series["timeSeriesId"])
    config = settings(plant, LATEST, emit_activate_version_messages=True, **narrowed)

    run = tap(config, catalog=select(telemetry_catalog, LATEST)).succeeded()

    activated = [stream for kind, stream in run.kinds if kind == "ACTIVATE_VERSION"]
    assert activated == streams


# Windows and bookmarks


def bookmark(run: Run, stream: str = HISTORY) -> str:
    return str(run.states[-1]["bookmarks"][stream]["replication_key_value"])


def at(text: str) -> Message:
    value = {"replication_key": "event_timestamp", "replication_key_value": text}
    return {"bookmarks": {HISTORY: value, AGGREGATES: value}}


def test_a_state_follows_each_window_and_comes_nowhere_else(
    extract: Extract, served: Emulator
) -> None:
    run = extract(served, telemetry_window="PT12H", max_concurrency=1).succeeded()

    ends = [
        state["bookmarks"][HISTORY]["replication_key_value"] for state in run.states
    ]
    halves = [START.replace("T00", "T12"), "2024-06-01T00:00:00", "2024-06-01T12:00:00"]
    assert ends == [
        f"{end}.000000+00:00" for end in (*halves, "2024-06-02T00:00:00", END)
    ]
    wanted = expected.history(served.plant, *PERIOD)
    same(run.records(HISTORY), wanted)
    for end, state in zip(ends, _records_before_states(run), strict=True):
        done = {key for key in state if key[0] <= end}
        assert done == {
            key
            for key in ((r["event_timestamp"], json.dumps(r)) for r in wanted)
            if key[0] <= end
        }


def moment(whole: int) -> str:
    return expected.moment(whole)


def _records_before_states(run: Run) -> list[set[tuple[str, str]]]:
    found: list[set[tuple[str, str]]] = []
    seen: set[tuple[str, str]] = set()
    for message in run.messages:
        if message["type"] == "RECORD":
            record = message["record"]
            seen.add((record["event_timestamp"], json.dumps(record)))
        elif message["type"] == "STATE":
            found.append(set(seen))
    return found


def test_a_second_run_begins_before_the_bookmark_and_sends_equal_records(
    extract: Extract, plant: Emulator
) -> None:
    middle = expected.seconds("2024-06-01T10:00:00")
    first = extract(plant, end_date=moment(middle)).succeeded()
    late = {
        "value": {"doubleValue": 1.25},
        "timestamp": {"timeInSeconds": middle - 3599, "offsetInNanos": 7},
        "quality": "GOOD",
    }
    missed = {**late, "timestamp": {"timeInSeconds": middle - 3600}}
    series = next(
        each["timeSeriesId"]
        for each in plant.plant.listing("time_series").records
        if each["dataType"] == "DOUBLE"
    )
    plant.plant.values.add(series, [late, missed])

    second = extract(
        plant, state=first.states[-1], telemetry_lookback="PT1H"
    ).succeeded()

    same(
        second.records(HISTORY),
        expected.history(plant.plant, middle - 3600, PERIOD[1]),
    )
    assert bookmark(second) == moment(PERIOD[1])
    both = [*first.records(HISTORY), *second.records(HISTORY)]
    wanted = expected.table(HISTORY, expected.history(plant.plant, *PERIOD))
    # Only what arrived later than the look-back allows is missing.
    found = expected.table(HISTORY, both)
    assert {key: wanted[key] for key in wanted if key in found} == found
    assert [key[1] for key in wanted if key not in found] == [middle - 3600]


def test_the_bookmark_does_not_move_back_while_a_run_reads_the_look_back(
    extract: Extract, served: Emulator
) -> None:
    state = at("2024-06-01T12:00:00+00:00")

    run = extract(
        served,
        state=state,
        telemetry_lookback="P1D",
        telemetry_window="PT9H",
        max_concurrency=1,
    ).succeeded()

    ends = [s["bookmarks"][HISTORY]["replication_key_value"] for s in run.states]
    assert ends == sorted(ends)
    assert ends[0] == "2024-06-01T12:00:00.000000+00:00"


def test_aggregates_begin_with_the_interval_in_which_the_look_back_ends(
    extract: Extract, served: Emulator
) -> None:
    bodies = asked(served, AGGREGATES)
    state = at("2024-06-01T10:10:00+00:00")

    run = extract(
        served,
        AGGREGATES,
        state=state,
        telemetry_lookback="PT10M",
        aggregate_resolutions=["1m", "1h", "1d"],
    ).succeeded()

    begin = {
        "1m": expected.seconds("2024-06-01T09:59:00"),
        "1h": expected.seconds("2024-06-01T09:00:00"),
        "1d": expected.seconds("2024-06-01T00:00:00"),
    }
    starts = {
        resolution: min(
            entry["startDate"]
            for body in bodies
            for entry in body["entries"]
            if entry["resolution"] == resolution
        )
        for resolution in begin
    }
    assert starts == begin
    wanted = [
        record
        for resolution, start in begin.items()
        for record in expected.aggregates(served.plant, [resolution], start, PERIOD[1])
    ]
    same(run.records(AGGREGATES), wanted)


@pytest.mark.parametrize("stream", [HISTORY, AGGREGATES])
def test_a_new_time_series_is_read_from_seven_days_before_its_creation(
    extract: Extract, plant: Emulator, stream: str
) -> None:
    created = "2024-06-01T09:00:00"
    state = at("2024-06-01T08:00:00+00:00")
    old, new = _two_series(plant)
    for series in plant.plant.listing("time_series").records:
        plant.plant.change(
            "time_series",
            series["timeSeriesId"],
            timeSeriesCreationDate=expected.seconds("2020-01-01T00:00:00"),
        )
    plant.plant.change(
        "time_series", new, timeSeriesCreationDate=expected.seconds(created)
    )

    run = extract(
        plant,
        stream,
        state=state,
        start_date="2024-01-01",
        telemetry_lookback="PT0S",
    ).succeeded()

    since = {
        new: expected.seconds("2024-05-25T09:00:00"),
        old: expected.seconds("2024-06-01T08:00:00"),
    }
    for series_id, after in since.items():
        if stream == HISTORY:
            wanted = expected.history(plant.plant, after, PERIOD[1])
        else:
            # The interval that ends at the bookmark is read again.
            wanted = expected.aggregates(plant.plant, ["1h"], after - 3600, PERIOD[1])
        wanted = [r for r in wanted if r["time_series_id"] == series_id]
        found = [r for r in run.records(stream) if r["time_series_id"] == series_id]
        assert wanted
        same(found, wanted)


def _two_series(aws: Emulator) -> tuple[str, str]:
    found = [
        each["timeSeriesId"]
        for each in aws.plant.listing("time_series").records
        if each["dataType"] == "DOUBLE"
        and aws.plant.values.between(each["timeSeriesId"], *PERIOD)
    ]
    return found[0], found[1]


def test_a_new_time_series_is_not_read_before_start_date(
    extract: Extract, plant: Emulator
) -> None:
    state = at("2024-06-01T08:00:00+00:00")
    for series in plant.plant.listing("time_series").records:
        plant.plant.change(
            "time_series",
            series["timeSeriesId"],
            timeSeriesCreationDate=expected.seconds("2024-06-01T09:00:00"),
        )

    run = extract(plant, state=state).succeeded()

    same(run.records(HISTORY), expected.history(plant.plant, *PERIOD))


def test_a_bookmark_after_the_end_is_nothing_to_do_and_the_log_says_so(
    tap: TapCommand, plant: Emulator, telemetry_catalog: Message
) -> None:
    state = at("2024-06-03T00:00:00+00:00")
    catalog = select(telemetry_catalog, HISTORY)

    run = tap(settings(plant, HISTORY), catalog=catalog, state=state).succeeded()

    assert run.records(HISTORY) == []
    assert set(plant.stats.requests) == {"ListTimeSeries"}
    assert (
        "property_value_history: nothing to read: the bookmark "
        "(2024-06-03T00:00:00.000000+00:00) is not before end_date "
        "(2024-06-02T06:30:00.000000+00:00)"
    ) in run.lines("INFO")
    assert bookmark(run) == "2024-06-03T00:00:00.000000+00:00"


def test_without_end_date_a_run_reads_up_to_its_start(
    extract: Extract, plant: Emulator
) -> None:
    begin = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=2)
    before = int(datetime.now(timezone.utc).timestamp())

    run = extract(plant, start_date=begin.isoformat(), end_date=None).succeeded()

    end = int(datetime.fromisoformat(bookmark(run)).timestamp())
    assert before <= end <= datetime.now(timezone.utc).timestamp()
    same(
        run.records(HISTORY),
        expected.history(plant.plant, int(begin.timestamp()), end),
    )


def test_an_end_date_in_the_future_is_the_start_of_the_run(
    extract: Extract, plant: Emulator
) -> None:
    begin = datetime.now(timezone.utc) - timedelta(minutes=5)
    future = datetime.now(timezone.utc) + timedelta(days=400)

    run = extract(
        plant, start_date=begin.isoformat(), end_date=future.isoformat()
    ).succeeded()

    assert datetime.fromisoformat(bookmark(run)) <= datetime.now(timezone.utc)


def test_as_full_table_the_history_is_read_from_start_date_each_time(
    tap: TapCommand, served: Emulator, telemetry_catalog: Message
) -> None:
    catalog = select(telemetry_catalog, HISTORY, replication_method="FULL_TABLE")
    config = settings(served, HISTORY, emit_activate_version_messages=True)

    run = tap(config, catalog=catalog, state=at("2024-06-02T00:00:00Z")).succeeded()

    same(run.records(HISTORY), expected.history(served.plant, *PERIOD))
    assert not [kind for kind, _ in run.kinds if kind == "ACTIVATE_VERSION"]


def test_only_the_latest_values_are_part_of_an_activate_version(
    tap: TapCommand, served: Emulator
) -> None:
    config = static(
        served,
        extra_streams=["telemetry"],
        emit_activate_version_messages=True,
        **DATES,
    )

    run = tap(config).succeeded()

    activated = {stream for kind, stream in run.kinds if kind == "ACTIVATE_VERSION"}
    assert activated == {"asset_models", "portals", "projects", LATEST}
    assert all("version" not in message for message in run.of("RECORD", HISTORY))


# Faults, stops and deletions


@pytest.mark.parametrize(
    "fault",
    [
        *(Fault.THROTTLE, Fault.UNAVAILABLE, Fault.DROP, Fault.DROP_IN_BODY),
        *(Fault.CUT_SHORT, Fault.NOT_JSON, Fault.EMPTY_OBJECT, Fault.EMPTY_PAGE),
        Fault.REPEATED_PAGE,
    ],
    ids=lambda fault: str(fault.value),
)
@pytest.mark.parametrize("stream", [LATEST, HISTORY, AGGREGATES])
def test_a_fault_in_the_middle_loses_and_doubles_nothing(
    extract: Extract, plant: Emulator, stream: str, fault: Fault
) -> None:
    plant.faults.fail_next(OPERATIONS[stream], fault, times=2, after=1)

    run = extract(plant, stream, telemetry_window="PT20H").succeeded()

    wanted = {
        LATEST: lambda: run.records(LATEST),
        HISTORY: lambda: expected.history(plant.plant, *PERIOD),
        AGGREGATES: lambda: expected.aggregates(plant.plant, ["1h"], *PERIOD),
    }[stream]()
    same(run.records(stream), wanted)
    assert len(expected.table(stream, wanted)) == len(wanted) > 20


def test_a_token_that_comes_twice_ends_the_run(
    tap: TapCommand, plant: Emulator
) -> None:
    plant.faults.always(OPERATIONS[HISTORY], Fault.SAME_TOKEN)

    run = tap(settings(plant, HISTORY))

    assert "the same token came twice" in run.error


def test_a_time_series_that_is_deleted_costs_a_warning(
    tap: TapCommand, plant: Emulator
) -> None:
    gone = [
        each["timeSeriesId"]
        for each in plant.plant.listing("time_series").records
        if each["dataType"] in expected.READABLE
    ][:12]

    def delete(_: Call) -> None:
        for series in gone:
            with contextlib.suppress(KeyError):
                plant.plant.delete("time_series", series)

    plant.faults.before(OPERATIONS[HISTORY], delete)

    run = tap(settings(plant, HISTORY, telemetry_window="PT6H")).succeeded()

    same(run.records(HISTORY), expected.history(plant.plant, *PERIOD))
    warned = [line for line in run.lines("WARNING") if "deleted" in line]
    assert len(warned) == 11
    named = {line.split()[1] for line in warned[:10]}
    assert len(named) == 10
    assert named < set(gone)
    assert warned[-1].startswith("2 more parents were deleted")


def test_a_time_series_that_is_denied_ends_the_run_and_is_named(
    tap: TapCommand, plant: Emulator
) -> None:
    denied = _two_series(plant)[1]
    plant.deny_series(denied)

    run = tap(settings(plant, HISTORY))

    assert run.error.startswith(f"{OPERATIONS[HISTORY]}: time_series_id {denied}")
    assert "AccessDeniedException" in run.error
    assert f"allow iotsitewise:{OPERATIONS[HISTORY]}" in run.error
    assert not any(state["bookmarks"].get(HISTORY) for state in run.states)


def test_a_run_that_fails_resumes_after_its_last_complete_window(
    tap: TapCommand, extract: Extract, plant: Emulator
) -> None:
    window: Message = {"telemetry_window": "PT6H", "telemetry_lookback": "PT0S"}
    count = 0

    def fail(call: Call) -> Fault | None:
        nonlocal count
        starts = {entry["startDate"] for entry in (call.content or {})["entries"]}
        late = expected.seconds("2024-06-01T12:00:00")
        count += min(starts) >= late
        return Fault.ACCESS_DENIED if min(starts) >= late and count > 1 else None

    plant.faults.before(OPERATIONS[HISTORY], fail)
    first = tap(settings(plant, HISTORY, max_concurrency=2, **window))
    assert first.code == 1
    plant.faults.clear()

    second = extract(plant, state=first.states[-1], **window).succeeded()

    reached = datetime.fromisoformat(bookmark(first))
    assert reached == datetime.fromisoformat("2024-06-01T12:00:00+00:00")
    assert all(
        datetime.fromisoformat(record["event_timestamp"]) > reached
        for record in second.records(HISTORY)
    )
    wanted = expected.history(plant.plant, *PERIOD)
    both = [*first.records(HISTORY), *second.records(HISTORY)]
    assert expected.table(HISTORY, both) == expected.table(HISTORY, wanted)


def test_a_run_that_is_stopped_in_a_window_ends_with_its_last_complete_bookmark(
    tap: TapCommand, plant: Emulator
) -> None:
    config = settings(plant, HISTORY, telemetry_window="PT12H", max_concurrency=1)

    def hold(call: Call) -> None:
        starts = {entry["startDate"] for entry in (call.content or {})["entries"]}
        if min(starts) >= expected.seconds("2024-06-01T00:00:00"):
            plant.faults.hold = lambda: True

    plant.faults.before(OPERATIONS[HISTORY], hold)
    process = tap.start(config)
    assert process.stdout is not None
    assert process.stderr is not None
    output = b""
    while b'"replication_key_value":"2024-06-01T00:00:00' not in output:
        output += process.stdout.read1(65536)  # type: ignore[attr-defined]
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=60)
    plant.faults.clear()

    assert process.returncode == 143
    lines = (output + rest).splitlines()
    states = [json.loads(line) for line in lines if b'"STATE"' in line]
    assert states[-1]["value"]["bookmarks"][HISTORY]["replication_key_value"] == (
        "2024-06-01T00:00:00.000000+00:00"
    )


# The other ways of a record


def test_stream_maps_columns_and_flattening_change_what_they_should(
    tap: TapCommand, served: Emulator
) -> None:
    maps = {HISTORY: {"alias": "alias or 'none'", "celsius": "double_value"}}
    config = settings(
        served,
        HISTORY,
        stream_maps=maps,
        flattening_enabled=True,
        flattening_max_depth=1,
        max_concurrency=1,
    )

    run = tap(config).succeeded()

    wanted = [
        {**r, "alias": r["alias"] or "none", "celsius": r["double_value"]}
        for r in expected.history(served.plant, *PERIOD)
    ]
    same(run.records(HISTORY), wanted)
    bookmarks = [state["bookmarks"].get(HISTORY) for state in run.states]
    ends = [each["replication_key_value"] for each in bookmarks if each]
    assert [*dict.fromkeys(ends)] == sorted(set(ends))
    assert len(set(ends)) == 3


def test_columns_that_are_not_selected_are_not_sent(
    tap: TapCommand, served: Emulator, telemetry_catalog: Message
) -> None:
    catalog = select(telemetry_catalog, HISTORY)
    (entry,) = (e for e in catalog["streams"] if e["tap_stream_id"] == HISTORY)
    for item in entry["metadata"]:
        if item["breadcrumb"] and item["breadcrumb"][1] in {"asset_id", "alias"}:
            item["metadata"]["selected"] = False

    run = tap(settings(served, HISTORY), catalog=catalog).succeeded()

    wanted = [
        {name: r[name] for name in r if name not in {"asset_id", "alias"}}
        for r in expected.history(served.plant, *PERIOD)
    ]
    same(run.records(HISTORY), wanted)


@pytest.mark.parametrize("size", [1, 37, 100_000])
def test_in_batches_a_state_follows_the_files_with_its_windows(
    tap: TapCommand, served: Emulator, tmp_path: Path, size: int
) -> None:
    batches = tmp_path / "batches"
    batches.mkdir()
    config = settings(
        served,
        HISTORY,
        telemetry_window="PT12H",
        telemetry_property_ids=[
            each["propertyId"]
            for each in served.plant.listing("time_series").records
            if each["timeSeriesId"] in _two_series(served)
        ],
        batch_config={
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": batches.as_uri()},
            "batch_size": size,
        },
    )

    run = tap(config).succeeded()

    wanted = expected.history(
        served.plant,
        *PERIOD,
        lambda columns: columns["property_id"] in config["telemetry_property_ids"],
    )
    loaded: list[Message] = []
    for message in run.messages:
        if message["type"] == "BATCH" and message["stream"] == HISTORY:
            for name in message["manifest"]:
                path = unquote(urlsplit(name).path)
                lines = gzip.decompress(Path(path).read_bytes()).splitlines()
                loaded += map(json.loads, lines)
        if message["type"] == "STATE" and HISTORY in message["value"]["bookmarks"]:
            end = message["value"]["bookmarks"][HISTORY]["replication_key_value"]
            before = [r for r in wanted if r["event_timestamp"] <= end]
            found = [r for r in loaded if r["event_timestamp"] <= end]
            same(found, before)
    same(loaded, wanted)
    assert bookmark(run) == moment(PERIOD[1])


# --test


def test_the_dry_run_sends_one_request_for_one_series_and_moves_no_bookmark(
    tap: TapCommand, plant: Emulator
) -> None:
    bodies = {stream: asked(plant, stream) for stream in OPERATIONS}

    run = tap(static(plant, extra_streams=["telemetry"], **DATES), "--test").succeeded()

    for stream, sent in bodies.items():
        (body,) = sent
        assert len(body["entries"]) == 1, stream
        assert body.get("maxResults", 1) == 1
        assert len(run.records(stream)) <= 1
    assert plant.stats.requests["ListTimeSeries"] == 1
    assert [line for line in run.lines("INFO") if f"{HISTORY}: 1 record seen" in line]
    assert not any(state["bookmarks"].get(HISTORY) for state in run.states)
