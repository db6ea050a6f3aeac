"""INCREMENTAL replication: the state of one run into the next, and nothing missed."""

from __future__ import annotations

import contextlib
import io
import json
import signal
import time
import typing as t
from datetime import datetime, timezone

import pytest
from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from emulator import Emulator
from emulator.faults import Call, Fault
from tap_iot_sitewise.errors import TapError
from tap_iot_sitewise.streams import SiteWiseStream
from tap_iot_sitewise.tap import TapIoTSiteWise
from tests import expected
from tests.conftest import Run, select, static
from tests.interrupted import stopped

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emulator.plant import Plant
    from tests.conftest import Message, TapCommand

KEY = "last_update_date"
KEYS = {stream: columns[0] for stream, columns in expected.COLUMNS.items()}
OPERATIONS = ("ListAssetModels", "ListPortals", "ListProjects")
NOTHING: dict[str, list[str]] = {stream: [] for stream in KEYS}

FIRST = 1_600_000_000.123456
"""Date of the plant's first entity; each further one has a minute more."""
LATER = 1_700_000_000.75
"""After all of these, and before any run."""


def as_meltano_writes(catalog: Message, *incremental: str) -> Message:
    """Return the catalog that Meltano 4 makes of `metadata` in meltano.yml.

    It sets `replication-method` and `replication-key` in the metadata of the stream,
    and the same with underscores, as legacy catalogs have them, in its entry.
    """
    copy: Message = json.loads(json.dumps(catalog))
    for entry in copy["streams"]:
        entry["selected"] = True
        for item in entry["metadata"]:
            item["metadata"]["selected"] = True
            if item["breadcrumb"] == [] and entry["tap_stream_id"] in incremental:
                item["metadata"]["replication-method"] = "INCREMENTAL"
                item["metadata"]["replication-key"] = KEY
                entry["replication_method"] = "INCREMENTAL"
                entry["replication_key"] = KEY
    return copy


def touch(plant: Plant, stream: str, entity_id: str, at: float) -> str:
    """Date an entity's last update, to the microsecond; returns its id."""
    plant.touch(stream, entity_id, round(at, 6))
    return entity_id


def change(plant: Plant, stream: str, entity_id: str, **members: object) -> None:
    """Set members of an entity, and no date but one among them."""
    plant.change(stream, entity_id, **members)


def date_the_plant(plant: Plant) -> None:
    """Give each entity that has a date one of its own, in the order of the lists."""
    moment = FIRST
    for stream, records in expected.records(plant).items():
        for record in records:
            if record[KEY] is not None:
                touch(plant, stream, record[KEYS[stream]], moment)
                moment += 60


@pytest.fixture
def aws() -> Iterator[Emulator]:
    """A small account, its dates known; a portal and some projects have none."""
    with Emulator(asset_models=8, portals=5, projects_per_portal=6) as emulator:
        date_the_plant(emulator.plant)
        yield emulator


@pytest.fixture
def incremental(catalog: Message) -> Message:
    """The catalog with every stream incremental."""
    return as_meltano_writes(catalog, *KEYS)


def ids(run: Run, stream: str) -> list[str]:
    return [record[KEYS[stream]] for record in run.records(stream)]


def undated(plant: Plant, stream: str) -> set[str]:
    return {
        record[KEYS[stream]]
        for record in expected.records(plant)[stream]
        if record[KEY] is None
    }


def newest(plant: Plant, stream: str) -> tuple[str, str]:
    """Return id and date of the entity that was updated last."""
    records = [record for record in expected.records(plant)[stream] if record[KEY]]
    record = max(records, key=lambda record: str(record[KEY]))
    return record[KEYS[stream]], record[KEY]


def bookmarks(**moments: str) -> Message:
    """Return a state that holds these and nothing else."""
    return {
        "bookmarks": {
            stream: {"replication_key": KEY, "replication_key_value": moment}
            for stream, moment in moments.items()
        }
    }


def bookmark(state: Message, stream: str) -> datetime:
    found = state["bookmarks"][stream]["replication_key_value"]
    return datetime.fromisoformat(found)


def missed(plant: Plant, *runs: Run) -> dict[str, list[str]]:
    """Return, by stream, what a table lacks that took the records of these runs."""
    lacking = {}
    for stream, records in expected.records(plant).items():
        table = {
            record[KEYS[stream]]: record
            for run in runs
            for record in run.records(stream)
        }
        lacking[stream] = [
            record[KEYS[stream]]
            for record in records
            if table.get(record[KEYS[stream]]) != record
        ]
    return lacking


def in_process(
    config: Message, *, catalog: Message | None = None, state: Message | None = None
) -> Run:
    """Run the tap without a process of its own, which takes a second to start."""
    return extracted(
        lambda: TapIoTSiteWise(config=config, catalog=catalog, state=state)
    )


def extracted(make_tap: Callable[[], TapIoTSiteWise]) -> Run:
    """Run a tap in this process."""
    handlers = {
        number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)
    }
    output = io.BytesIO()
    code, log = 0, ""
    with contextlib.redirect_stdout(io.TextIOWrapper(output, "utf-8")) as stdout:
        tap = make_tap()
        try:
            tap.sync_all()
        except TapError as error:
            code, log = 1, str(error)
        tap.message_writer.flush()
        stdout.detach()
    for number, handler in handlers.items():
        signal.signal(number, handler)
    return Run(code, output.getvalue(), log)


# From one run into the next


def test_a_second_run_sends_what_changed_what_is_at_the_bookmark_and_the_undated(
    tap: TapCommand, aws: Emulator, incremental: Message
) -> None:
    plant = aws.plant
    first = tap(static(aws), catalog=incremental).succeeded()

    assert missed(plant, first) == NOTHING
    assert first.lines("WARNING") == []
    assert first.states[-1] == bookmarks(
        **{stream: newest(plant, stream)[1] for stream in KEYS}
    )
    again = {
        stream: undated(plant, stream) | {newest(plant, stream)[0]} for stream in KEYS
    }
    untouched, last = plant.portals[0]["id"], plant.portals[-1]["id"]
    new_portal = plant.add("portals")
    changed = {
        "asset_models": [plant.asset_models[2], plant.add("asset_models")],
        "portals": [plant.portals[1], new_portal],
        "projects": [
            plant.projects[untouched][1],
            plant.add("projects", parent=last),
            plant.add("projects", parent=new_portal["id"]),
        ],
    }
    for stream, wires in changed.items():
        for wire in wires:
            again[stream].add(touch(plant, stream, wire["id"], LATER))

    second = tap(static(aws), catalog=incremental, state=first.states[-1]).succeeded()

    assert {stream: sorted(ids(second, stream)) for stream in KEYS} == {
        stream: sorted(again[stream]) for stream in KEYS
    }
    assert missed(plant, first, second) == NOTHING
    assert second.states[-1] == bookmarks(
        **dict.fromkeys(KEYS, "2023-11-14T22:13:20.750000+00:00")
    )


def test_without_news_a_run_sends_the_bookmarks_records_and_keeps_the_bookmark(
    aws: Emulator, incremental: Message
) -> None:
    state = bookmarks(**{stream: newest(aws.plant, stream)[1] for stream in KEYS})

    run = in_process(static(aws), catalog=incremental, state=state).succeeded()

    for stream in KEYS:
        assert set(ids(run, stream)) == {
            newest(aws.plant, stream)[0],
            *undated(aws.plant, stream),
        }
    assert run.states[-1] == state


def test_the_bookmark_outlives_the_record_that_it_came_from(
    aws: Emulator, incremental: Message
) -> None:
    entity_id, moment = newest(aws.plant, "asset_models")
    state = bookmarks(asset_models=moment)
    aws.plant.delete("asset_models", entity_id)

    run = in_process(static(aws), catalog=incremental, state=state).succeeded()

    assert run.records("asset_models") == []
    assert bookmark(run.states[-1], "asset_models") == datetime.fromisoformat(moment)


def test_undated_records_are_sent_in_every_run_and_leave_no_bookmark(
    aws: Emulator, incremental: Message
) -> None:
    for stream, records in expected.records(aws.plant).items():
        for record in records:
            change(aws.plant, stream, record[KEYS[stream]], lastUpdateDate=None)

    first = in_process(static(aws), catalog=incremental).succeeded()
    state = first.states[-1]
    second = in_process(static(aws), catalog=incremental, state=state).succeeded()

    for run in (first, second):
        assert missed(aws.plant, run) == NOTHING
        assert run.states[-1] == {"bookmarks": {stream: {} for stream in KEYS}}


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%d %H:%M:%S.%f"])
def test_start_date_is_the_first_bookmark(
    aws: Emulator, incremental: Message, form: str
) -> None:
    third = expected.records(aws.plant)["asset_models"][2]
    start = datetime.fromisoformat(third[KEY])
    config = static(aws, start_date=start.strftime(form))

    run = in_process(config, catalog=incremental).succeeded()

    # The third one itself, and all dates after it.
    assert missed(aws.plant, run) == {
        **NOTHING,
        "asset_models": [wire["id"] for wire in aws.plant.asset_models[:2]],
    }
    assert run.states[-1] == bookmarks(
        **{stream: newest(aws.plant, stream)[1] for stream in KEYS}
    )


def test_a_bookmark_prevails_over_the_start_date(
    aws: Emulator, incremental: Message
) -> None:
    state = bookmarks(asset_models=newest(aws.plant, "asset_models")[1])
    config = static(aws, start_date="2000-01-01")

    run = in_process(config, catalog=incremental, state=state).succeeded()

    assert ids(run, "asset_models") == [newest(aws.plant, "asset_models")[0]]
    assert missed(aws.plant, run)["projects"] == []


def test_a_start_date_leaves_a_full_table_whole(aws: Emulator) -> None:
    run = in_process(static(aws, start_date="2023-01-01")).succeeded()

    assert missed(aws.plant, run) == NOTHING


# The bookmark and the clock


def test_dates_in_the_future_do_not_carry_the_bookmark_beyond_the_start_of_the_run(
    aws: Emulator, incremental: Message
) -> None:
    plant, start = aws.plant, time.time()
    for stream, records in expected.records(plant).items():
        touch(plant, stream, records[0][KEYS[stream]], start + 86_400)

    first = in_process(static(aws), catalog=incremental).succeeded()

    for stream in KEYS:
        found = bookmark(first.states[-1], stream)
        assert found < datetime.fromtimestamp(start, timezone.utc)
        # It stays behind for the machine's clock being off, not for more than that.
        assert found > datetime.fromtimestamp(start - 600, timezone.utc)
    touch(plant, "projects", plant.projects[plant.portals[2]["id"]][0]["id"], start)
    state = first.states[-1]
    second = in_process(static(aws), catalog=incremental, state=state).succeeded()
    assert missed(plant, first, second) == NOTHING


@pytest.mark.parametrize("ahead", [0, -240])
def test_what_changes_while_the_run_reads_is_in_the_next_one(
    aws: Emulator, incremental: Message, ahead: float
) -> None:
    plant = aws.plant

    def meanwhile(call: Call) -> None:
        if call.number == 2:
            # Too late for the first page, in time for the second, and dated later,
            # by AWS's clock, which may be off from the machine's.
            now = time.time() + ahead
            touch(plant, "asset_models", plant.asset_models[0]["id"], now)
            touch(plant, "asset_models", plant.asset_models[-1]["id"], now + 0.5)

    aws.faults.before("ListAssetModels", meanwhile)
    config = static(aws, page_size=4)
    first = in_process(config, catalog=incremental).succeeded()
    assert missed(plant, first)["asset_models"] == [plant.asset_models[0]["id"]]

    state = first.states[-1]
    second = in_process(config, catalog=incremental, state=state).succeeded()

    assert missed(plant, first, second) == NOTHING


# Runs that do not come to their end


def test_the_state_of_a_failed_run_leads_on_without_a_gap(
    tap: TapCommand, aws: Emulator, incremental: Message
) -> None:
    plant = aws.plant
    third = plant.portals[2]["id"]

    def fault(call: Call) -> Fault | None:
        return Fault.ACCESS_DENIED if call.parameter("portalId") == third else None

    aws.faults.before("ListProjects", fault)
    first = tap(static(aws), catalog=incremental)
    assert "ListProjects" in first.error
    # The asset models were complete, the rest was not.
    state = first.states[-1]
    assert (
        bookmark(state, "asset_models").isoformat() == newest(plant, "asset_models")[1]
    )
    assert not any(state["bookmarks"].get(stream) for stream in ("portals", "projects"))
    aws.faults.clear()
    model = touch(plant, "asset_models", plant.asset_models[3]["id"], LATER)

    second = tap(static(aws), catalog=incremental, state=state).succeeded()

    assert set(ids(second, "asset_models")) == {model, plant.asset_models[-1]["id"]}
    assert missed(plant, first, second) == NOTHING
    assert missed(plant, second)["projects"] == []


def test_the_state_of_a_stopped_run_leads_on_without_a_gap(
    tap: TapCommand, aws: Emulator, incremental: Message
) -> None:
    plant = aws.plant
    state = bookmarks(**{stream: newest(plant, stream)[1] for stream in KEYS})
    # From both sides of the place at which the run is stopped.
    for portal in (plant.portals[0], plant.portals[3]):
        project = plant.projects[portal["id"]][0]["id"]
        touch(plant, "projects", project, LATER)
    touch(plant, "portals", plant.portals[0]["id"], LATER)
    touch(plant, "asset_models", plant.asset_models[0]["id"], LATER)
    silent = plant.portals[2]["id"]

    def fault(call: Call) -> Fault | None:
        return Fault.SILENCE if call.parameter("portalId") == silent else None

    aws.faults.before("ListProjects", fault)
    sent = plant.projects[plant.portals[0]["id"]][0]["id"]
    first = stopped(tap, static(aws), after=sent, catalog=incremental, state=state)
    assert first.states[-1] == bookmarks(
        asset_models=newest(plant, "asset_models")[1],
        portals=bookmark(state, "portals").isoformat(),
        projects=bookmark(state, "projects").isoformat(),
    )
    aws.faults.clear()

    second = tap(static(aws), catalog=incremental, state=first.states[-1]).succeeded()

    news = {
        "asset_models": [plant.asset_models[0]["id"]],
        "portals": [plant.portals[0]["id"]],
        "projects": [
            plant.projects[portal["id"]][0]["id"]
            for portal in (plant.portals[0], plant.portals[3])
        ],
    }
    for stream, changed in news.items():
        assert set(changed) <= set(ids(second, stream))
    assert second.states[-1] == bookmarks(
        **{stream: newest(plant, stream)[1] for stream in KEYS}
    )


def test_a_state_within_a_stream_does_not_vouch_for_what_comes_after_it(
    incremental: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In place of 10,000 records.
    monkeypatch.setattr(SiteWiseStream, "STATE_MSG_FREQUENCY", 10)
    with Emulator(asset_models=24, portals=0) as aws:
        plant = aws.plant
        # The latest dates come first: a bookmark among them would hide all others.
        for number, wire in enumerate(plant.asset_models):
            touch(plant, "asset_models", wire["id"], LATER - number)
        aws.faults.fail_next("ListAssetModels", Fault.INTERNAL_FAILURE, after=4)
        config = static(aws, page_size=5, max_attempts=1)
        first = in_process(config, catalog=incremental)
        # Of the four pages that came, two at most were waiting to be sent.
        assert first.code == 1
        assert 10 <= len(first.records("asset_models")) < 24
        state = first.states[-1]
        assert "asset_models" in state["bookmarks"]

        second = in_process(config, catalog=incremental, state=state).succeeded()

        assert missed(plant, first, second) == NOTHING
        latest = newest(plant, "asset_models")[1]
        assert bookmark(second.states[-1], "asset_models").isoformat() == latest


def test_the_last_state_is_clean_also_right_after_one_in_the_middle(
    catalog: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In place of 10,000 records.
    monkeypatch.setattr(SiteWiseStream, "STATE_MSG_FREQUENCY", 10)
    chosen = select(
        catalog, "asset_models", replication_method="INCREMENTAL", replication_key=KEY
    )
    with Emulator(asset_models=20, portals=0) as aws:
        date_the_plant(aws.plant)
        run = in_process(static(aws), catalog=chosen).succeeded()

    assert len(run.records("asset_models")) == 20
    assert run.states[-1] == bookmarks(
        asset_models=newest(aws.plant, "asset_models")[1]
    )


# Beside full tables


def test_only_full_tables_are_activated_and_only_the_others_bookmarked(
    tap: TapCommand, aws: Emulator, catalog: Message
) -> None:
    chosen = as_meltano_writes(catalog, "portals")
    config = static(aws, emit_activate_version_messages=True)
    state = bookmarks(portals=newest(aws.plant, "portals")[1])

    run = tap(config, catalog=chosen, state=state).succeeded()

    assert [kind for kind in run.kinds if kind[0] == "ACTIVATE_VERSION"] == [
        ("ACTIVATE_VERSION", "asset_models"),
        ("ACTIVATE_VERSION", "projects"),
    ]
    assert len(run.records("portals")) == 2
    # All of them, whether their portal is new or not.
    assert missed(aws.plant, run) == {
        **NOTHING,
        "portals": [wire["id"] for wire in aws.plant.portals[:3]],
    }
    assert run.states[-1] == {
        "bookmarks": {"asset_models": {}, "projects": {}, **state["bookmarks"]}
    }


def test_a_state_does_not_thin_out_a_full_table(aws: Emulator) -> None:
    state = bookmarks(**dict.fromkeys(KEYS, "2024-01-01T00:00:00+00:00"))
    config = static(aws, emit_activate_version_messages=True)

    run = in_process(config, state=state).succeeded()

    assert missed(aws.plant, run) == NOTHING
    for stream in KEYS:
        assert len(run.of("ACTIVATE_VERSION", stream)) == 1


def test_the_state_of_full_tables_is_empty(aws: Emulator) -> None:
    run = in_process(static(aws)).succeeded()

    assert run.states[-1] == {"bookmarks": {stream: {} for stream in KEYS}}


def test_singers_own_metadata_is_enough_to_be_incremental(
    aws: Emulator, catalog: Message
) -> None:
    chosen = select(
        catalog, *KEYS, replication_method="INCREMENTAL", replication_key=KEY
    )
    state = bookmarks(**{stream: newest(aws.plant, stream)[1] for stream in KEYS})

    run = in_process(static(aws), catalog=chosen, state=state).succeeded()

    assert ids(run, "asset_models") == [newest(aws.plant, "asset_models")[0]]
    for stream in KEYS:
        (schema,) = run.of("SCHEMA", stream)
        assert schema["bookmark_properties"] == [KEY]


def test_the_versions_of_runs_grow_also_when_one_follows_at_once(aws: Emulator) -> None:
    # A target drops the rows of older versions. Of two runs of the same version the
    # second would leave what was deleted between them, for good.
    config = static(aws, emit_activate_version_messages=True)
    # At the beginning of a second, so that there is room for both in it.
    time.sleep(1 - time.time() % 1)

    first, second = (in_process(config).succeeded() for _ in range(2))

    for stream in KEYS:
        (old,), (new,) = (run.of("ACTIVATE_VERSION", stream) for run in (first, second))
        assert old["version"] < new["version"]


# Any history


class History:
    """A plant that changes, and the table that is loaded from it."""

    def __init__(self, aws: Emulator, catalog: Message) -> None:
        self.aws = aws
        self.plant = aws.plant
        self.catalog = catalog
        self.clock = LATER
        date_the_plant(self.plant)
        self.state: Message | None = None
        self.runs: list[Run] = []

    def change(self, stream: str, number: int, seconds: float) -> None:
        """Change an entity; with 0 seconds at the same moment as the last one."""
        entity_id = self._pick(stream, number)
        self._pass(seconds)
        if entity_id is None:
            return
        name = f"changed at {self.clock}, change {number}"
        dated = entity_id not in undated(self.plant, stream)
        members = {"name": name, **({"lastUpdateDate": self.clock} if dated else {})}
        change(self.plant, stream, entity_id, **members)

    def add(self, stream: str, number: int, seconds: float) -> None:
        self._pass(seconds)
        portal_id = self._pick("portals", number) if stream == "projects" else None
        if stream == "projects" and portal_id is None:
            return
        wire = self.plant.add(stream, parent=portal_id)
        if "lastUpdateDate" in wire:
            touch(self.plant, stream, wire["id"], self.clock)

    def delete(self, stream: str, number: int, _: float) -> None:
        entity_id = self._pick(stream, number)
        if entity_id is not None:
            self.plant.delete(stream, entity_id)

    def run(self, failure: tuple[str, int] | None = None) -> None:
        """Run the tap; with a failure after so many requests of an operation."""
        if failure:
            operation, after = failure
            fault = Fault.INTERNAL_FAILURE
            self.aws.faults.fail_next(operation, fault, after=after)
        config = static(self.aws, page_size=2, max_attempts=1, max_concurrency=2)
        run = in_process(config, catalog=self.catalog, state=self.state)
        self.aws.faults.clear()
        assert failure or run.code == 0, run.log
        self.runs.append(run)
        if run.states:
            self.state = run.states[-1]
        if run.code == 0:
            # Rows of what is deleted stay behind: incremental loads cannot see it.
            assert missed(self.plant, *self.runs) == NOTHING
            for stream in run.states[-1]["bookmarks"].values():
                assert stream.keys() in (
                    {"replication_key", "replication_key_value"},
                    set(),
                )

    def _pass(self, seconds: float) -> None:
        # Milliseconds, as AWS has them: sums of floats come to lie between them.
        self.clock = round(self.clock + seconds, 3)

    def _pick(self, stream: str, number: int) -> str | None:
        records = expected.records(self.plant)[stream]
        return records[number % len(records)][KEYS[stream]] if records else None


NUMBERS = st.integers(0, 30)
DEEDS = st.tuples(
    st.sampled_from(["change", "change", "add", "delete"]),
    st.sampled_from(list(KEYS)),
    NUMBERS,
    st.sampled_from([0.0, 0.001, 60.0]),
)
FAILURES = st.none() | st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 4))
CHAPTERS = st.lists(
    st.tuples(st.lists(DEEDS, min_size=1, max_size=6), FAILURES),
    min_size=1,
    max_size=3,
)


def test_whatever_changes_and_whichever_run_fails_the_table_gets_to_be_the_plant(
    incremental: Message,
) -> None:
    @hypothesis_settings(
        max_examples=7,
        deadline=None,
        # A run takes a third of a second, and shrinking thousands of runs.
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
    )
    @given(chapters=CHAPTERS)
    def holds(chapters: list[t.Any]) -> None:
        with Emulator(asset_models=3, portals=2, projects_per_portal=3) as aws:
            history = History(aws, incremental)
            history.run()
            for deeds, failure in chapters:
                for name, *arguments in deeds:
                    getattr(history, name)(*arguments)
                history.run(failure)
            history.run()

    holds()
