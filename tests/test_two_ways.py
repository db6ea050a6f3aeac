"""A page in one step, or each record through the SDK: the messages are the same."""

from __future__ import annotations

import copy
import datetime as dt
import typing as t

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from emulator import Emulator
from emulator.plant import SIZES
from tap_iot_sitewise.singer.stream import SingerStream
from tap_iot_sitewise.streams import ALL_STREAMS, STREAMS
from tests.conftest import static
from tests.test_incremental import as_meltano_writes, bookmarks, in_process

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Message, Run, TapCommand

NAMES = [stream.name for stream in STREAMS]
COLUMNS = {
    stream.name: [
        attribute.column
        for attribute in stream.entity.attributes
        if not attribute.is_key
    ]
    for stream in ALL_STREAMS
}
# No date of the plant, apart from those in the future, comes close to it.
TODAY = (dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=1)).isoformat()


def unchanged(names: t.Iterable[str] = NAMES) -> dict[str, t.Any]:
    """Return stream maps without a rule: they only lead through the SDK."""
    return {"stream_maps": {name: {} for name in names}}


UNCHANGED = unchanged()


@pytest.fixture(scope="module")
def plant() -> Iterator[Emulator]:
    with Emulator(
        asset_models=7, portals=3, projects_per_portal=2, sizes=SIZES["hostile"]
    ) as emulator:
        yield emulator


def messages(run: Run) -> list[Message]:
    """Return the messages, without the moments that differ between two runs."""
    found = copy.deepcopy(run.messages)
    for message in found:
        message.pop("time_extracted", None)
        message.pop("version", None)
        for bookmark in message.get("value", {}).get("bookmarks", {}).values():
            # The start of the run, less five minutes. No bookmark goes beyond it.
            bookmark.pop("replication_key_signpost", None)
            if bookmark.get("replication_key_value", "") > TODAY:
                bookmark["replication_key_value"] = "start of the run"
    return found


def lines(run: Run) -> list[list[str]]:
    """Return the members of each message, in the order in which they are written."""
    return [list(message) for message in run.messages]


@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=8,
    deadline=None,
    # A run takes half a second: to shrink an example would take minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(data=st.data())
def test_both_ways_give_equal_messages(
    plant: Emulator, plant_catalog: Message, data: st.DataObject
) -> None:
    names = [entry["tap_stream_id"] for entry in plant_catalog["streams"]]
    dated = [
        stream.name
        for stream in ALL_STREAMS
        if stream.name in names and stream.entity.change_column
    ]
    incremental = data.draw(st.sets(st.sampled_from(dated)))
    chosen = as_meltano_writes(plant_catalog, *incremental)
    selected = data.draw(st.sets(st.sampled_from(names), min_size=1))
    for entry in chosen["streams"]:
        name = entry["tap_stream_id"]
        columns = COLUMNS[name]
        left_out = data.draw(st.sets(st.sampled_from(columns))) if columns else set()
        for item in entry["metadata"]:
            if not item["breadcrumb"]:
                item["metadata"]["selected"] = name in selected
            elif item["breadcrumb"][-1] in left_out:
                item["metadata"]["selected"] = False
    moment = st.sampled_from(["2019-01-01", "2021-06-01", "2024-01-01T12:00:00Z"])
    state = data.draw(
        st.none() | st.dictionaries(st.sampled_from(dated), moment).map(as_state)
    )
    config = static(
        plant,
        page_size=data.draw(st.integers(1, 50)),
        emit_activate_version_messages=data.draw(st.booleans()),
        extra_streams=["plant"],
    )
    frequency = data.draw(st.integers(1, 60))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SingerStream, "STATE_MSG_FREQUENCY", frequency)
        pages = in_process(config, catalog=chosen, state=state).succeeded()
        through_the_sdk = in_process(
            {**config, **unchanged(selected)}, catalog=chosen, state=state
        ).succeeded()

    assert messages(pages) == messages(through_the_sdk)
    assert lines(pages) == lines(through_the_sdk)
    assert pages.of("STATE")


def as_state(moments: dict[str, str]) -> Message:
    return bookmarks(**moments)


@pytest.mark.parametrize("settings", [{}, UNCHANGED], ids=["pages", "sdk"])
def test_a_test_sends_one_record_of_each_stream_and_reports_each(
    tap: TapCommand, aws: Emulator, settings: dict[str, t.Any]
) -> None:
    run = tap(static(aws, **settings), "--test").succeeded()

    assert {name: len(run.records(name)) for name in NAMES} == dict.fromkeys(NAMES, 1)
    assert run.messages[-1]["type"] == "STATE"
    assert [line for line in run.lines("INFO") if line.startswith("--test:")] == [
        "--test: asset_models: 1 record seen",
        "--test: portals: 1 record seen",
        "--test: projects: 1 record seen",
    ]
    timers = [
        line for line in run.log.splitlines() if '"metric":"sync_duration"' in line
    ]
    assert len(timers) == len(NAMES)
    assert all('"status":"succeeded"' in line for line in timers)


@pytest.mark.parametrize("settings", [{}, UNCHANGED], ids=["pages", "sdk"])
def test_metrics_count_the_records_of_each_stream(
    tap: TapCommand, aws: Emulator, settings: dict[str, t.Any]
) -> None:
    run = tap(static(aws, **settings)).succeeded()

    for name in NAMES:
        (counter,) = (
            line
            for line in run.log.splitlines()
            if '"metric":"record_count"' in line and f'"{name}"' in line
        )
        assert f'"value":{len(run.records(name))}' in counter
        assert any(
            line.startswith(f"{name}: {len(run.records(name))} record")
            for line in run.lines("INFO")
        )


def test_the_summary_counts_what_a_filter_let_pass(
    tap: TapCommand, aws: Emulator
) -> None:
    chosen = aws.plant.portals[0]["name"]
    maps = {"portals": {"__filter__": f"name == {chosen!r}"}}

    run = tap(static(aws, stream_maps=maps)).succeeded()

    sent = len(run.records("portals"))
    assert 0 < sent < len(aws.plant.portals)
    (summary,) = (line for line in run.lines("INFO") if line.startswith("portals: "))
    assert summary.startswith(f"portals: {sent} record")


def test_a_test_names_the_action_that_is_denied_and_tries_the_other_streams(
    tap: TapCommand, aws: Emulator
) -> None:
    aws.deny("iotsitewise:ListPortals")

    run = tap(static(aws), "--test")

    assert run.code == 1
    assert "allow iotsitewise:ListPortals" in run.error
    verdicts = [line for line in run.lines("INFO") if line.startswith("--test:")]
    assert verdicts[0] == "--test: asset_models: 1 record seen"
    assert "allow iotsitewise:ListPortals" in verdicts[1]
    assert verdicts[2] == "--test: projects: not tried, because portals failed"
