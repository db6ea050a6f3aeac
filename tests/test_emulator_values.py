"""The values of a plant: formulas, aggregates, and values that arrive late."""

from __future__ import annotations

import itertools
import json
import math
import statistics
import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import Emulator, Plant
from tests.operations import account
from tests.telemetry import (
    AGGREGATES,
    HISTORY,
    LATEST,
    NOON,
    Value,
    ask,
    entry,
    hourly,
    pages,
    plant,
    post,
    value,
    values,
)
from tests.test_emulator_wire import send

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = 86_400
MONDAY = 1_710_720_000
"""18 March 2024, 00:00 in UTC."""


@pytest.fixture(scope="module")
def factory() -> Iterator[Emulator]:
    with account("factory", asset_models=18) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def hostile() -> Iterator[Emulator]:
    with account("hostile", asset_models=16) as emulator:
        yield emulator


def series_named(aws: Emulator, ending: str, number: int = 0) -> str:
    """Return the ID of a time series by the end of its alias."""
    found = [
        each["timeSeriesId"]
        for each in aws.plant.listing("time_series").records
        if each.get("alias", "").endswith(ending)
    ]
    return str(found[number])


def since_start(aws: Emulator) -> None:
    """Date all time series in 2001, so that every later day has values."""
    for each in aws.plant.listing("time_series").records:
        changed = {"timeSeriesCreationDate": 1e9}
        aws.plant.change("time_series", each["timeSeriesId"], **changed)


def numbers(found: list[Value], member: str = "doubleValue") -> list[Any]:
    return [each["value"].get(member) for each in found]


def nanos(found: Value) -> int:
    at = found["timestamp"]
    return int(at["timeInSeconds"]) * 10**9 + int(at.get("offsetInNanos", 0))


# The factory


@pytest.fixture(scope="module")
def machine(factory: Emulator) -> dict[str, list[Value]]:
    """The values of a machine in a week, by the names of the properties."""
    since_start(factory)
    plant = factory.plant
    running = plant.find("time_series", series_named(factory, "/running"))
    return {
        plant.find("asset_model_properties", each["propertyId"])["name"]: (
            plant.values.between(each["timeSeriesId"], MONDAY, MONDAY + 7 * DAY)
        )
        for each in plant.listing("time_series").records
        if each.get("assetId") == running["assetId"]
    }


def test_quick_signals_come_every_ten_seconds_and_slow_ones_every_minute(
    machine: dict[str, list[Value]],
) -> None:
    for name in ("Speed", "Power", "Vibration"):
        assert len(machine[name]) == 7 * DAY // 10
    assert len(machine["Temperature"]) == 7 * DAY // 60
    seconds = [each["timestamp"]["timeInSeconds"] for each in machine["Speed"]]
    assert {after - before for before, after in itertools.pairwise(seconds)} == {10}
    assert len({nanos(each) % 10**9 for each in machine["Speed"]}) > 100


def running(machine: dict[str, list[Value]]) -> list[tuple[int, int]]:
    """Return the nanoseconds between which a machine runs."""
    changes = machine["Running"]
    assert [each["value"]["booleanValue"] for each in changes] == [
        number % 2 == 0 for number in range(len(changes))
    ]
    times = [nanos(each) for each in changes]
    return list(zip(times[::2], times[1::2], strict=True))


def test_the_signals_of_a_machine_agree(machine: dict[str, list[Value]]) -> None:
    states = {nanos(each): each["value"]["stringValue"] for each in machine["State"]}
    runs = running(machine)
    assert {"RUNNING", "OFF", "FAULT"} < set(states.values())
    assert len(runs) > 20
    for start, end in runs:
        assert states[start] == "RUNNING"
        assert states[end] != "RUNNING"
    speeds = [each for each in machine["Speed"] if each["quality"] == "GOOD"]
    # The speed follows the state in less than two minutes.
    late = 120 * 10**9
    fast = {nanos(each) for each in speeds if each["value"]["doubleValue"] > 1000}
    slow = {nanos(each) for each in speeds if each["value"]["doubleValue"] < 10}
    assert len(fast) > 5000
    assert len(slow) > 5000
    for start, end in runs:
        assert not any(start + late < at < end for at in slow)
    assert all(any(start < at < end + late for start, end in runs) for at in fast)


def test_the_counter_grows_while_the_machine_runs_and_starts_anew_with_a_shift(
    machine: dict[str, list[Value]],
) -> None:
    runs, minute = running(machine), 60 * 10**9
    falls = Counter[int]()
    grew = 0
    for before, after in itertools.pairwise(machine["Good parts"]):
        at = nanos(after)
        growth = after["value"]["integerValue"] - before["value"]["integerValue"]
        if growth > 0:
            grew += 1
            assert any(start < at and at - minute < end for start, end in runs)
        elif growth < 0:
            falls[at // 10**9 % DAY // 3600] += 1
            assert after["value"]["integerValue"] == 0
    assert grew > 1000
    # At 14 and 22 o'clock; in the morning it is 0 already.
    assert set(falls) == {14, 22}


def test_machines_rest_at_night_and_on_sundays(machine: dict[str, list[Value]]) -> None:
    for each in machine["State"]:
        second = each["timestamp"]["timeInSeconds"] - MONDAY
        assert second < 6 * DAY
        assert 6 * 3600 <= second % DAY <= 22 * 3600


def test_a_transform_follows_its_input(machine: dict[str, list[Value]]) -> None:
    pairs = zip(machine["Temperature"], machine["Temperature in kelvin"], strict=True)
    for celsius, kelvin in pairs:
        assert kelvin["timestamp"] == celsius["timestamp"]
        assert kelvin["quality"] == celsius["quality"]
        if "nullValue" in celsius["value"]:
            assert kelvin["value"] == celsius["value"]
        else:
            difference = (
                kelvin["value"]["doubleValue"] - celsius["value"]["doubleValue"]
            )
            assert difference == pytest.approx(273.15, abs=0.002)


def test_metrics_come_at_the_ends_of_their_intervals(
    machine: dict[str, list[Value]],
) -> None:
    hourly_ = [each["timestamp"]["timeInSeconds"] for each in machine["Average power"]]
    assert hourly_ == [MONDAY + 3600 * hour for hour in range(1, 7 * 24 + 1)]
    shifts = {
        each["timestamp"]["timeInSeconds"] % DAY // 3600
        for each in machine["Parts per shift"]
    }
    assert shifts == {6, 14, 22}


def test_sensors_fail_a_few_times_a_week(factory: Emulator) -> None:
    since_start(factory)
    found: Counter[str] = Counter()
    for number in range(4):
        series = series_named(factory, "/temperature", number)
        for each in factory.plant.values.between(series, MONDAY, MONDAY + 14 * DAY):
            found[each["quality"]] += 1
            found["null"] += each["value"] == {"nullValue": {"valueType": "D"}}
    total = found["GOOD"] + found["BAD"] + found["UNCERTAIN"]
    assert found["BAD"] > found["null"] > 0
    assert found["UNCERTAIN"] > 0
    assert 0.8 * total < found["GOOD"] < 0.999 * total


def test_the_same_seed_makes_the_same_values_whatever_was_read_before() -> None:
    one, other = (
        Plant.make("factory", asset_models=12, assets=1, seed=3) for _ in range(2)
    )
    record = {"alias": "/x/line-1/press-1/speed", "dataType": "DOUBLE"}
    for made in (one, other):
        made.add("time_series", {**record, "timeSeriesId": "x"})
    whole = one.values.between("x", MONDAY, MONDAY + 3 * DAY)
    halves = [
        other.values.between("x", MONDAY + begin, MONDAY + end)
        for begin, end in ((DAY + 5, 3 * DAY), (0, DAY + 5))
    ]
    assert halves[1] + halves[0] == whole


def test_values_begin_in_the_week_before_the_creation() -> None:
    made = Plant.make("factory")
    record = {
        "alias": "/x/line-1/press-1/temperature",
        "dataType": "DOUBLE",
        "timeSeriesId": "x",
        "timeSeriesCreationDate": NOON + 0.5,
    }
    made.add("time_series", record)
    first = made.values.between("x", 0, NOON)[0]
    assert NOON - 7 * DAY < first["timestamp"]["timeInSeconds"] < NOON - 6 * DAY
    made.change("time_series", "x", dataType="STRING")
    assert made.values.between("x", 0, NOON) == []


# The hostile plant


def test_a_hostile_plant_has_every_odd_value(hostile: Emulator) -> None:
    since_start(hostile)
    variants: defaultdict[str, set[Any]] = defaultdict(set)
    offsets, qualities, sizes = set(), set(), []
    together = 0
    only_in_1970 = 0
    for each in hostile.plant.listing("time_series").records:
        read = hostile.plant.values
        found = read.between(each["timeSeriesId"], NOON, NOON + DAY)
        latest = read.latest(each["timeSeriesId"])
        if latest and latest["timestamp"]["timeInSeconds"] < 100:
            only_in_1970 += 1
        sizes.append(len(found))
        keys = list(map(nanos, found))
        assert keys == sorted(keys)
        together += len(keys) - len(set(keys))
        for got in found:
            ((member, content),) = got["value"].items()
            shown = repr(content) if member == "doubleValue" else str(content)
            variants[member].add(shown)
            offsets.add(got["timestamp"].get("offsetInNanos"))
            qualities.add(got.get("quality"))
    assert {"'NaN'", "'Infinity'", "'-Infinity'", "-0.0", "5e-324"} <= variants[
        "doubleValue"
    ]
    assert variants["nullValue"] == {str({"valueType": kind}) for kind in "DBSIU"}
    assert {str(2**31 - 1), str(-(2**31))} <= variants["integerValue"]
    assert {"", "null", "\x01\x1b[0m\x1f\x7f"} <= variants["stringValue"]
    assert variants["booleanValue"] == {"True", "False"}
    assert {None, 0, 999_999_999} <= offsets
    assert qualities == {None, "GOOD", "BAD", "UNCERTAIN"}
    assert together > 100
    assert only_in_1970 > 1
    assert sizes.count(0) > 1
    assert max(sizes) < 100


def test_all_hostile_values_are_answered_as_they_are(hostile: Emulator) -> None:
    since_start(hostile)
    readable = ("DOUBLE", "INTEGER", "STRING", "BOOLEAN")
    series = [
        each
        for each in hostile.plant.listing("time_series").records
        if each["dataType"] in readable and "alias" in each
    ][:64]
    now = int(time.time())
    for start in range(0, len(series), 16):
        window = {"startDate": now - DAY, "endDate": now}
        entries = [
            {"entryId": str(number), "propertyAlias": each["alias"], **window}
            for number, each in enumerate(series[start : start + 16])
        ]
        found = values(HISTORY, pages(hostile, HISTORY, entries, maxResults=333))
        assert found == {
            str(number): hostile.plant.values.between(
                each["timeSeriesId"], now - DAY, now
            )
            for number, each in enumerate(series[start : start + 16])
        }


# Latest values, and values that arrive late


def test_a_late_value_is_read_by_all_operations() -> None:
    with Emulator(plant=plant("DOUBLE")) as aws:
        add = aws.plant.values.add
        add("s0", [value(NOON + 60, 1.0), value(NOON + 120, 2.0)])
        read = [
            values(HISTORY, [ask(aws, HISTORY, [entry("s0")])]),
            values(AGGREGATES, [ask(aws, AGGREGATES, [hourly("s0")])]),
        ]
        add("s0", [value(NOON + 90, 6.0), value(NOON + 120, 2.5, quality="BAD")])
        again = [
            values(HISTORY, [ask(aws, HISTORY, [entry("s0")])]),
            values(AGGREGATES, [ask(aws, AGGREGATES, [hourly("s0")])]),
        ]
        add("s0", [value(NOON + 120, 9.0)])
        latest = values(LATEST, [ask(aws, LATEST, [entry("s0")])])["s0"]
    assert numbers(read[0]["s0"]) == [1.0, 2.0]
    assert [each["value"]["average"] for each in read[1]["s0"]] == [1.5]
    assert numbers(again[0]["s0"]) == [1.0, 6.0, 2.5, 2.0]
    averages = {each["quality"]: each["value"] for each in again[1]["s0"]}
    assert averages == {"BAD": {"average": 2.5}, "GOOD": {"average": 3.0}}
    assert latest[0]["timestamp"]["timeInSeconds"] == NOON + 120


def test_a_value_replaces_one_with_its_timestamp_and_quality(
    factory: Emulator,
) -> None:
    since_start(factory)
    series = series_named(factory, "/speed")
    read = factory.plant.values.between
    before = read(series, NOON, NOON + 60)
    changed = {**before[2], "value": {"doubleValue": -1.0}}
    other = {**before[3], "quality": "UNCERTAIN"}
    factory.plant.values.add(series, [changed, other])
    expected = [*before[:2], changed, before[3], other, *before[4:]]
    assert read(series, NOON, NOON + 60) == expected


def test_values_are_read_and_added_by_the_controls(factory: Emulator) -> None:
    aws = factory
    series = series_named(aws, "/temperature")
    now = int(time.time())
    for path in (series, quote(series)):
        late = [value(now - 30, 77.5, 5), value(now - 20, 78.5)]
        for body in (late, {"values": late}):
            raw = json.dumps(body).encode()
            assert post(aws, f"/_emulator/values/{path}", raw)[0] == 200
        window = f"after={now - 40}&until={now}"
        status, _, listed = send(aws, f"/_emulator/values/{path}?{window}")
        assert status == 200
        found = json.loads(listed)
        assert [each for each in found if each in late] == late
        assert found == aws.plant.values.between(series, now - 40, now)
        assert len(json.loads(send(aws, f"/_emulator/values/{path}")[2])) in {61, 62}


def test_the_controls_refuse_what_is_wrong(factory: Emulator) -> None:
    series = series_named(factory, "/temperature")
    assert send(factory, "/_emulator/values/unknown")[0] == 404
    assert send(factory, f"/_emulator/values/{series}?until=x")[0] == 400
    wrongs: list[object] = [{}, [1], [{"value": {}}], "x", [value(1, quality="FINE")]]
    for body in wrongs:
        raw = json.dumps(body).encode()
        assert post(factory, f"/_emulator/values/{series}", raw)[0] == 400


def test_a_generated_series_has_values_or_none(factory: Emulator) -> None:
    def add(members: Value) -> list[Value]:
        path = "/_emulator/plant/time_series"
        assert post(factory, path, json.dumps(members).encode())[0] == 200
        asked = [{"entryId": "x", "propertyAlias": members["alias"]}]
        return values(HISTORY, [ask(factory, HISTORY, asked)])["x"]

    assert len(add({"alias": "/new/line-1/press/power", "dataType": "DOUBLE"})) == 100
    assert add({"alias": "/new/line-1/press/other", "dataType": "DOUBLE"}) == []


def test_replaced_values_are_all_there_is() -> None:
    made = plant("DOUBLE")
    made.values.regular("s0", 10)
    window = (NOON, NOON + 3600)
    found = made.values.between("s0", *window)
    every_ten = [each["timestamp"]["timeInSeconds"] for each in found]
    assert every_ten == list(range(NOON + 10, NOON + 3601, 10))
    made.values.replace("s0", [value(NOON + 9), value(NOON + 3)])
    assert made.values.between("s0", 0) == [value(NOON + 3), value(NOON + 9)]
    # A change of the record does not bring the formula back.
    made.change("time_series", "s0", timeSeriesCreationDate=1e9)
    assert len(made.values.between("s0", 0)) == 2
    with pytest.raises(KeyError):
        made.values.between("unknown", 0)


def test_a_series_with_the_id_of_a_deleted_one_has_values_of_its_own() -> None:
    made = plant("DOUBLE")
    record = made.find("time_series", "s0")
    for number in (1.0, 2.0):
        made.values.replace("s0", [value(NOON, number)])
        assert numbers(made.values.between("s0", 0)) == [number]
        made.delete("time_series", "s0")
        with pytest.raises(KeyError):
            made.values.between("s0")
        made.add("time_series", record)
        assert numbers(made.values.between("s0", NOON - 1, NOON)) != [number]


# Aggregates

SECONDS = {"1m": 60, "15m": 900, "1h": 3600, "1d": DAY}
TYPES = ["AVERAGE", "COUNT", "MAXIMUM", "MINIMUM", "SUM", "STANDARD_DEVIATION"]


def expected_aggregates(
    every: list[Value], resolution: str, after: int, until: int
) -> dict[tuple[int, str], Value]:
    """Compute aggregates from all values, by the interval's end and the quality."""
    groups: defaultdict[tuple[int, str], list[float]] = defaultdict(list)
    length = SECONDS[resolution] * 10**9
    for each in every:
        number = each["value"].get("doubleValue")
        if number is not None and math.isfinite(float(number)):
            end = -(-nanos(each) // length) * length // 10**9
            groups[end, each.get("quality", "GOOD")].append(number)
    return {
        (end, each): {
            "average": pytest.approx(statistics.fmean(found)),
            "count": len(found),
            "maximum": max(found),
            "minimum": min(found),
            "sum": pytest.approx(math.fsum(found)),
            "standardDeviation": pytest.approx(statistics.pstdev(found), abs=1e-6),
        }
        for (end, each), found in groups.items()
        if after < end <= until
    }


VALUES = st.lists(
    st.builds(
        value,
        st.integers(0, 9000).map(lambda second: NOON + second - second % 5),
        st.floats(-1e6, 1e6) | st.sampled_from(["NaN", "Infinity"]).map(float),
        st.sampled_from([None, 0, 1, 999_999_999]),
        st.sampled_from(["GOOD", "BAD", "UNCERTAIN"]),
    ),
    max_size=60,
    unique_by=lambda each: (nanos(each), each["quality"]),
)


@pytest.fixture(scope="module")
def one_series() -> Iterator[Emulator]:
    with Emulator(plant=plant("DOUBLE")) as emulator:
        yield emulator


@settings(deadline=None, max_examples=40)
@given(
    every=VALUES,
    resolution=st.sampled_from(list(SECONDS)),
    window=st.tuples(st.integers(-DAY, 9000), st.integers(1, 2 * DAY)),
    size=st.integers(1, 30),
)
def test_aggregates_are_those_of_the_values(
    one_series: Emulator,
    every: list[Value],
    resolution: str,
    window: tuple[int, int],
    size: int,
) -> None:
    aws, after = one_series, NOON + window[0]
    until = after + window[1]
    aws.plant.values.replace("s0", every)
    asked = hourly(
        "s0",
        aggregateTypes=TYPES,
        resolution=resolution,
        startDate=after,
        endDate=until,
    )
    found = values(AGGREGATES, pages(aws, AGGREGATES, [asked], maxResults=size))["s0"]
    by_key = {(each["timestamp"], each["quality"]): each["value"] for each in found}
    assert by_key == expected_aggregates(every, resolution, after, until)
    assert list(by_key) == sorted(by_key)
    assert found == aws.plant.values.aggregates("s0", resolution, after, until)


def test_aggregates_of_a_hostile_day_are_those_of_its_values(
    hostile: Emulator,
) -> None:
    since_start(hostile)
    series = next(
        each["timeSeriesId"]
        for each in hostile.plant.listing("time_series").records
        if each["dataType"] == "BOOLEAN"
        and len(hostile.plant.values.between(each["timeSeriesId"], MONDAY, NOON)) > 50
    )
    read = hostile.plant.values
    every = read.between(series, MONDAY, MONDAY + DAY)
    counted = [each for each in every if "nullValue" not in each["value"]]
    counts = Counter(each.get("quality", "GOOD") for each in counted)
    found = read.aggregates(series, "1d", MONDAY, MONDAY + DAY)
    assert {each["quality"]: each["value"] for each in found} == {
        quality: {"count": count} for quality, count in counts.items()
    }


def test_only_the_types_the_quality_and_the_order_asked_for_are_answered() -> None:
    made = plant("INTEGER")
    made.values.replace(
        "s0",
        [
            value(NOON + 60 * minute, minute, quality=each)
            for minute in range(3)
            for each in ("GOOD", "BAD")
        ],
    )
    asked = hourly(
        "s0",
        aggregateTypes=["SUM", "COUNT"],
        resolution="1m",
        startDate=NOON - 1,
        qualities=["BAD"],
        timeOrdering="DESCENDING",
    )
    with Emulator(plant=made) as aws:
        found = values(AGGREGATES, pages(aws, AGGREGATES, [asked], maxResults=2))
    assert found["s0"] == [
        {
            "timestamp": NOON + 60 * minute,
            "quality": "BAD",
            "value": {"sum": minute, "count": 1},
        }
        for minute in (2, 1, 0)
    ]


def test_an_interval_exists_when_it_has_ended() -> None:
    now = int(time.time())
    this_hour = now // 3600 * 3600
    made = plant("DOUBLE")
    made.values.replace("s0", [value(this_hour - 5), value(this_hour + 1)])
    asked = hourly("s0", startDate=this_hour - DAY, endDate=this_hour + DAY)
    with Emulator(plant=made) as aws:
        before = values(AGGREGATES, [ask(aws, AGGREGATES, [asked])])["s0"]
    assert this_hour in {each["timestamp"] for each in before}
    assert this_hour + 7200 > max(each["timestamp"] for each in before)
    assert len(before) <= 1 + (time.time() >= this_hour + 3600)


def test_huge_numbers_overflow_to_text() -> None:
    made = plant("DOUBLE")
    made.values.replace(
        "s0", [value(NOON + second, 1.7976931348623157e308) for second in (1, 2)]
    )
    (found,) = made.values.aggregates("s0", "1h", NOON, NOON + 3600)
    assert found["value"]["sum"] == "Infinity"
    assert found["value"]["maximum"] == 1.7976931348623157e308
