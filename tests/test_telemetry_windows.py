"""Windows, bookmarks and whole histories of telemetry, in any order."""

from __future__ import annotations

import gzip
import itertools
import json
import signal
import time
import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from emulator import Emulator
from emulator.faults import Fault
from tap_iot_sitewise.streams.windows import (
    Period,
    Window,
    WindowBatch,
    WindowProgress,
)
from tests import expected_telemetry as expected
from tests import telemetry
from tests.conftest import discover, select, static
from tests.test_incremental import in_process

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.faults import Call
    from tests.conftest import Message, Run, TapCommand

HISTORY, AGGREGATES = "property_value_history", "property_aggregates"
OPERATIONS = (telemetry.HISTORY, telemetry.AGGREGATES)
INTERVALS = {"1m": 60, "15m": 900, "1h": 3600, "1d": 86_400}
MINUTE, DAY = 60, 86_400
OLDEST = 7 * DAY

# Windows of a period

MOMENTS = st.integers(0, 40 * DAY)
PERIODS = st.builds(
    Period,
    start_date=st.integers(0, DAY) | MOMENTS,
    end=MOMENTS,
    size=st.sampled_from([MINUTE, 61, 3600, DAY, 1000 * DAY])
    | st.integers(600, 3 * DAY),
    lookback=st.sampled_from([0, 1, 900, OLDEST, 900 * DAY]) | st.integers(0, 9 * DAY),
    bookmark=st.none() | MOMENTS,
)


def begin(period: Period) -> int:
    """Return where a period begins by the contract."""
    if period.bookmark is None:
        return period.start_date
    return max(period.start_date, period.bookmark - period.lookback)


@given(period=PERIODS)
def test_windows_tile_the_period_without_gap_overlap_or_empty_window(
    period: Period,
) -> None:
    first = begin(period)
    # A minute as the window of years makes too many windows to look at.
    windows = list(itertools.islice(period.windows(), 3000))
    until = windows[-1].end if windows else period.end

    assert until == period.end or len(windows) == 3000
    assert [window.start for window in windows] == [
        first,
        *(window.end for window in windows[:-1]),
    ][: len(windows)]
    assert all(0 < window.end - window.start <= period.size for window in windows)
    assert all(w.end - w.start == period.size for w in windows[:-1])
    assert [w.is_first for w in windows] == [True, *[False] * (len(windows) - 1)][
        : len(windows)
    ]
    assert isinstance(next(iter(windows), Window(0, 1)), Window)
    # What is not over has a window, whatever the look-back.
    assert windows or period.is_over


@given(period=PERIODS, interval=st.sampled_from(list(INTERVALS.values())))
def test_aggregates_begin_with_the_interval_that_the_period_begins_in(
    period: Period, interval: int
) -> None:
    start = period.begin(interval)

    assert period.start_date <= start <= begin(period)
    if period.bookmark is None:
        assert start == period.start_date
    elif start > period.start_date:
        # The interval that contains the beginning as its last moment at the latest.
        assert start % interval == 0
        assert start < begin(period) <= start + interval


@given(
    period=PERIODS,
    ahead=st.integers(-6 * MINUTE, 8 * DAY),
    interval=st.none() | st.sampled_from(list(INTERVALS.values())),
)
def test_the_catch_up_of_a_new_series_meets_the_first_window(
    period: Period, ahead: int, interval: int | None
) -> None:
    created = max(0, (period.bookmark or 0) + ahead)

    start = period.start_of_new(expected.moment(created), interval)

    first = period.begin(interval)
    if period.bookmark is None or created < period.bookmark - 5 * MINUTE:
        assert start is None
    elif start is None:
        # The windows contain every value that SiteWise may have accepted.
        assert first == period.start_date or first < created - OLDEST
    else:
        # A window does not contain its start.
        assert period.start_date <= start < first
        assert start == period.start_date or start < created - OLDEST


# Progress of windows


@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=6),
    first_end=st.sampled_from([None, 0]),
    data=st.data(),
)
def test_the_bookmark_names_only_windows_complete_with_all_before_them(
    sizes: list[int], first_end: int | None, data: st.DataObject
) -> None:
    ends = [100 * number or first_end for number in range(len(sizes))]
    batches = [
        WindowBatch(number, index, index == size - 1, ends[number])
        for number, size in enumerate(sizes)
        for index in range(size)
    ]
    order = data.draw(st.permutations(batches))
    progress = WindowProgress()
    reached, done = None, set()

    for batch in order:
        done.add((batch.window, batch.index))
        end = progress.batch_done(batch)

        whole = list(
            itertools.takewhile(
                lambda number: all((number, i) in done for i in range(sizes[number])),
                range(len(sizes)),
            )
        )
        latest = max(
            (e for e in (ends[number] for number in whole) if e is not None),
            default=None,
        )
        assert end == (latest if latest != reached else None)
        reached = latest
    assert reached == max((e for e in ends if e is not None), default=None)


# Whole histories

START = expected.seconds("2024-05-20T00:00:00")
"""The first run is eleven days later, so that catching up need not begin here."""

RESOLUTIONS = ["15m", "1d"]
SERIES = 18
"""One batch has 16 series."""

NUMBERS = st.integers(0, 10_000)
NANOS = st.sampled_from([0, 0, 1, 999_999_999])
WINDOWS = st.sampled_from(["PT13H", "P1D", "PT37H11M7S", "P1000D"])
LOOKBACKS = {"PT0S": 0, "PT15M": 900, "PT11H1S": 39_601, "P7D": OLDEST}


@dataclass(frozen=True)
class Deed:
    """Something that happens to the plant.

    Args:
        kind: ``late``, ``new`` or ``delete``.
        number: Decides which series, and the value.
        age: How long ago, as a share of what is possible, in ten-thousandths.
        nanos: Fraction of the second.
        quality: Quality of a late value.
    """

    kind: str
    number: int
    age: int
    nanos: int
    quality: str


DEEDS = st.builds(
    Deed,
    st.sampled_from(["late", "late", "late", "new", "new", "delete"]),
    NUMBERS,
    # The oldest and the newest that can be, more often than chance has it.
    st.sampled_from([0, 1, 5000, 10_000]) | NUMBERS,
    NANOS,
    st.sampled_from(["GOOD", "BAD"]),
)


@dataclass(frozen=True)
class Chapter:
    """What happens between two runs, and the second run.

    Args:
        before: What happens before the run.
        meanwhile: What happens before a request of the run, by its number.
        passed: Seconds since the run before.
        window: The setting.
        concurrency: The setting.
        failure: Number of the request that fails, and which fault; None for success.
        back: Seconds that ``end_date`` is before the present.
    """

    before: list[Deed]
    meanwhile: dict[int, Deed]
    passed: int
    window: str
    concurrency: int
    failure: tuple[int, Fault] | None
    back: int


CHAPTERS = st.builds(
    Chapter,
    st.lists(DEEDS, max_size=8),
    st.dictionaries(st.integers(0, 12), DEEDS, max_size=4),
    st.sampled_from([1, 59, 900, 3600, DAY, 2 * DAY + 1]),
    WINDOWS,
    st.sampled_from([1, 3, 8]),
    st.none()
    | st.tuples(
        st.integers(0, 25), st.sampled_from([Fault.ACCESS_DENIED, Fault.UNAVAILABLE])
    ),
    st.sampled_from([0, 0, 0, 1, 3600]),
)


@dataclass
class Chronicle:
    """A plant that changes between runs and during them, and what was loaded of it."""

    aws: Emulator
    catalog: Message
    lookback: str
    clock: int = START + 11 * DAY
    state: Message | None = None
    runs: list[Run] = field(default_factory=list)
    series: int = 0

    def __post_init__(self) -> None:
        for number in range(SERIES):
            name = self._create(expected.seconds("2020-01-01T00:00:00"))
            ages = (0, 1, DAY // 2, DAY, OLDEST, 11 * DAY - 1, number * 3600 + 17)
            self._add(name, [telemetry.value(self.clock - age, 1.5) for age in ages])

    # What happens

    def happen(self, deed: Deed) -> None:
        getattr(self, f"_{deed.kind}")(deed)

    def _late(self, deed: Deed) -> None:
        """Add or replace a value as old as the look-back allows, or newer."""
        name = self._pick(deed.number)
        if name is not None:
            oldest = LOOKBACKS[self.lookback]
            self._add(name, [self._value(deed, self._aged(deed, oldest))])

    def _new(self, deed: Deed) -> None:
        """Create a series with values as old as SiteWise accepts, or newer.

        The clock of AWS can be five minutes behind that of the tap.
        """
        created = self.clock - deed.number % 301
        name = self._create(created)
        self._add(
            name,
            [
                self._value(deed, (created - age, deed.nanos))
                for age in {OLDEST, OLDEST * deed.age // 10_000, 0, -deed.number}
            ],
        )

    def _delete(self, deed: Deed) -> None:
        name = self._pick(deed.number)
        if name is not None:
            self.aws.plant.delete("time_series", name)

    def _create(self, created: int) -> str:
        name = f"s{self.series:04}"
        self.series += 1
        types = ("DOUBLE", "INTEGER", "STRING", "BOOLEAN")
        self.aws.plant.add(
            "time_series",
            {
                "timeSeriesId": name,
                "alias": f"/{name}",
                "dataType": types[self.series % 4] if self.series > 2 else "DOUBLE",
                "timeSeriesCreationDate": float(created),
            },
        )
        self.aws.plant.values.replace(name, [])
        return name

    def _add(self, name: str, values: list[Message]) -> None:
        kinds = {"DOUBLE": float, "INTEGER": int, "STRING": str, "BOOLEAN": bool}
        data_type = self.aws.plant.find("time_series", name)["dataType"]
        for each in values:
            ((_, number),) = each["value"].items()
            as_typed = kinds[data_type](number)
            each["value"] = telemetry.value(0, as_typed)["value"]
        self.aws.plant.values.add(name, values)

    def _aged(self, deed: Deed, oldest: int) -> tuple[int, int]:
        """Return a time after the clock's less what the oldest value may have."""
        at = self.clock - oldest * deed.age // 10_000
        at = max(at, START)
        # A value that arrives after the start of a run is not older than the look-back.
        nanos = deed.nanos if at > self.clock - oldest else max(1, deed.nanos)
        return at, nanos

    def _value(self, deed: Deed, at: tuple[int, int]) -> Message:
        seconds, nanos = at
        return telemetry.value(seconds, float(deed.number), nanos, deed.quality)

    def _pick(self, number: int) -> str | None:
        records = self.aws.plant.listing("time_series").records
        return records[number % len(records)]["timeSeriesId"] if records else None

    # Runs

    def run(self, chapter: Chapter) -> Run:
        for deed in chapter.before:
            self.happen(deed)
        self.clock += chapter.passed
        end = self.clock - chapter.back
        numbers = itertools.count()

        def meanwhile(_: Call) -> Fault | None:
            number = next(numbers)
            if number in chapter.meanwhile:
                self.happen(chapter.meanwhile[number])
            if chapter.failure is not None and number == chapter.failure[0]:
                return chapter.failure[1]
            return None

        for operation in OPERATIONS:
            self.aws.faults.before(operation, meanwhile)
        config = static(
            self.aws,
            extra_streams=[HISTORY, AGGREGATES],
            start_date=expected.moment(START),
            end_date=expected.moment(max(end, START + 1), 999_999_000),
            telemetry_window=chapter.window,
            telemetry_lookback=self.lookback,
            aggregate_resolutions=RESOLUTIONS,
            max_concurrency=chapter.concurrency,
            max_attempts=1,
        )
        run = in_process(config, catalog=self.catalog, state=self.state)
        self.aws.faults.clear()
        assert run.code == 0 or chapter.failure, run.log
        self.runs.append(run)
        if run.states:
            self.state = run.states[-1]
        return run

    def check(self) -> None:
        """Compare what was loaded with the plant. Call this after a good run."""
        plant, until = self.aws.plant, self.clock
        wanted = {
            HISTORY: expected.history(plant, START, until),
            AGGREGATES: expected.aggregates(plant, RESOLUTIONS, START, until),
        }
        left = {each["timeSeriesId"] for each in plant.listing("time_series").records}
        for stream, records in wanted.items():
            sent = [r for run in self.runs for r in run.records(stream)]
            loaded = expected.table(stream, sent)
            # Rows of deleted series stay.
            assert {k: r for k, r in loaded.items() if k[0] in left} == expected.table(
                stream, records
            ), stream
        for run in self.runs:
            for stream in wanted:
                sent = run.records(stream)
                assert len(expected.table(stream, sent)) == len(sent), stream


LAST = Chapter([], {}, DAY + 1, "P1D", 4, None, 0)


def test_after_the_last_good_run_the_table_is_the_plant_whatever_happened() -> None:
    catalog = select(discover("telemetry"), HISTORY, AGGREGATES)
    names = {HISTORY, AGGREGATES}
    catalog["streams"] = [e for e in catalog["streams"] if e["tap_stream_id"] in names]

    @hypothesis_settings(
        max_examples=4,
        deadline=None,
        # A run takes a third of a second, and shrinking thousands of runs.
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
    )
    @given(
        chapters=st.lists(CHAPTERS, min_size=2, max_size=4),
        lookback=st.sampled_from(list(LOOKBACKS)),
    )
    def holds(chapters: list[Chapter], lookback: str) -> None:
        with Emulator(plant=telemetry.plant()) as aws:
            chronicle = Chronicle(aws, catalog, lookback)
            for chapter in (*chapters, LAST):
                chronicle.run(chapter)
            chronicle.check()

    holds()


# Unusual settings


@pytest.fixture(scope="module")
def telemetry_catalog() -> Message:
    return discover("telemetry")


@pytest.fixture
def regular() -> Iterator[Emulator]:
    """Forty series with a value every 20 minutes."""
    with Emulator(plant=telemetry.plant(*["DOUBLE"] * 40)) as emulator:
        for number in range(40):
            emulator.plant.values.regular(f"s{number}", 1200)
        yield emulator


def settings(aws: Emulator, **more: object) -> Message:
    return static(
        aws,
        extra_streams=[HISTORY],
        **{
            "start_date": expected.moment(START),
            "end_date": expected.moment(START + 2 * DAY),
            **more,
        },
    )


def in_files(directory: Path, size: int) -> Message:
    return {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": directory.as_uri()},
        "batch_size": size,
    }


@pytest.mark.parametrize("in_batches", [False, True], ids=["records", "batches"])
def test_a_filter_that_drops_every_record_does_not_stop_the_bookmark(
    regular: Emulator, telemetry_catalog: Message, tmp_path: Path, *, in_batches: bool
) -> None:
    config = settings(regular, stream_maps={HISTORY: {"__filter__": "False"}})
    if in_batches:
        config["batch_config"] = in_files(tmp_path, 100)

    run = in_process(config, catalog=select(telemetry_catalog, HISTORY)).succeeded()

    assert {kind for kind, _ in run.kinds} == {"SCHEMA", "STATE"}
    bookmark = run.states[-1]["bookmarks"][HISTORY]["replication_key_value"]
    assert bookmark == expected.moment(START + 2 * DAY)


def test_the_batches_of_stopped_runs_and_the_last_one_contain_every_value(
    tap: TapCommand, regular: Emulator, telemetry_catalog: Message, tmp_path: Path
) -> None:
    batches = tmp_path / "batches"
    batches.mkdir()
    config = settings(
        regular, telemetry_window="PT4H", batch_config=in_files(batches, 150)
    )
    catalog = select(telemetry_catalog, HISTORY)
    state: Message | None = None
    loaded: list[Message] = []
    codes = []
    for stopped_after in (3, 6, None):
        process = tap.start(config, catalog=catalog, state=state)
        assert process.stdout is not None
        output = b"".join(process.stdout.readline() for _ in range(stopped_after or 0))
        if stopped_after:
            process.send_signal(signal.SIGTERM)
        output += process.stdout.read()
        _, log = process.communicate(timeout=60)
        codes.append(process.returncode)
        assert b"Traceback" not in log
        for message in map(json.loads, output.splitlines()):
            if message["type"] == "BATCH":
                loaded += itertools.chain.from_iterable(map(rows, message["manifest"]))
            elif message["type"] == "STATE":
                state = message["value"]

    assert codes[-1] == 0
    assert set(codes) <= {0, 128 + signal.SIGTERM}
    wanted = expected.history(regular.plant, START, START + 2 * DAY)
    assert expected.table(HISTORY, loaded) == expected.table(HISTORY, wanted)


def rows(name: str) -> list[Message]:
    """Return the records in a batch file."""
    content = gzip.decompress(Path(unquote(urlsplit(name).path)).read_bytes())
    return [json.loads(line) for line in content.splitlines()]


@pytest.mark.parametrize("concurrency", [1, 32])
def test_one_window_can_reach_from_the_year_1900_to_tomorrow(
    telemetry_catalog: Message, concurrency: int
) -> None:
    tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
    now = int(time.time())
    with Emulator(plant=telemetry.plant("DOUBLE")) as aws:
        # The first second that a value can have, and one that is yet to come.
        times = (1, now - 60, now + 3600)
        aws.plant.values.add("s0", [telemetry.value(each) for each in times])
        config = settings(
            aws,
            start_date="1900-01-01",
            end_date=tomorrow.isoformat(),
            telemetry_window="P9000Y",
            telemetry_lookback="P9000Y",
            max_concurrency=concurrency,
        )
        catalog = select(telemetry_catalog, HISTORY)
        first = in_process(config, catalog=catalog).succeeded()
        # Not the state of the first run, which can end in the second it began in.
        bookmark = {
            "replication_key": "event_timestamp",
            "replication_key_value": expected.moment(now - 30),
        }
        state = {"bookmarks": {HISTORY: bookmark}}
        again = in_process(config, catalog=catalog, state=state).succeeded()

        assert aws.stats.requests[telemetry.HISTORY] == 2
    for run in (first, again):
        sent = [record["time_in_seconds"] for record in run.records(HISTORY)]
        assert sent == [1, now - 60]
