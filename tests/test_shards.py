"""Several runs that share the work."""

from __future__ import annotations

import itertools
import json
import typing as t
import zlib

import pytest
from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from emulator import Emulator
from emulator.plant import SIZES
from tests.conftest import discover, select, static
from tests.telemetry import NOON
from tests.test_incremental import in_process

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Message, Run, TapCommand

STREAMS = {
    "asset_models": "asset_model_id",
    "portals": "portal_id",
    "projects": "portal_id",
    "asset_model_properties": "asset_model_id",
    "asset_model_hierarchies": "asset_model_id",
    "asset_model_composite_models": "asset_model_id",
    "assets": "asset_model_id",
    "asset_associations": "parent_asset_id",
    "asset_properties": "asset_id",
    "time_series": "time_series_id",
    "project_assets": "project_id",
    "dashboards": "project_id",
    "access_policies": "resource_id",
    "gateways": "gateway_id",
    "bulk_import_jobs": "job_id",
    "computation_models": "computation_model_id",
    "property_values": "time_series_id",
    "property_value_history": "time_series_id",
    "property_aggregates": "time_series_id",
}
"""Each stream, and the column that decides its shard."""

TOP_LEVEL = {
    "asset_models",
    "portals",
    "time_series",
    "gateways",
    "bulk_import_jobs",
    "computation_models",
}
END = NOON - 10 * 3600
PERIOD = {
    "start_date": "2024-03-20T00:00:00Z",
    "end_date": "2024-03-20T02:00:00Z",
    "aggregate_resolutions": ["15m"],
}


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    """A plant that no test changes."""
    with Emulator(
        asset_models=9, portals=8, projects_per_portal=2, sizes=SIZES["hostile"]
    ) as emulator:
        # Otherwise the latest values of two runs differ.
        emulator.plant.values.end(END)
        yield emulator


@pytest.fixture(scope="module")
def everything() -> Message:
    """The catalog of all streams."""
    return discover("plant", "telemetry")


def settings(aws: Emulator, **given: object) -> Message:
    return static(aws, extra_streams=["plant", "telemetry"], **PERIOD, **given)


def lines(run: Run, stream: str) -> list[str]:
    """Return the records of a stream in an order that does not depend on the run."""
    return sorted(json.dumps(record) for record in run.records(stream))


class Whole:
    """The records of a run without shards.

    Hypothesis prints the arguments of a test that fails, so they must be short.
    """

    def __init__(self, catalog: Message, run: Run) -> None:
        self.catalog = catalog
        self.records = {stream: lines(run, stream) for stream in STREAMS}


@pytest.fixture(scope="module")
def whole(served: Emulator, everything: Message) -> Whole:
    run = in_process(settings(served), catalog=select(everything, *STREAMS))
    return Whole(everything, run.succeeded())


# The records of all shards


class Case(t.NamedTuple):
    """How many shards, and what they read."""

    shards: int
    streams: set[str]
    page_size: int


@given(
    case=st.builds(
        Case,
        st.integers(2, 4),
        st.sets(st.sampled_from(list(STREAMS)), min_size=1),
        st.sampled_from([1, 5, 250]),
    )
)
@hypothesis_settings(
    max_examples=5, deadline=None, phases=[Phase.explicit, Phase.generate]
)
def test_the_shards_together_send_each_record_of_an_unsharded_run_once(
    served: Emulator, whole: Whole, case: Case
) -> None:
    shards, streams, page_size = case
    chosen = select(whole.catalog, *streams)
    runs = [
        in_process(
            settings(
                served, shard_count=shards, shard_index=index, page_size=page_size
            ),
            catalog=chosen,
        ).succeeded()
        for index in range(shards)
    ]

    for stream in STREAMS:
        sent = sorted(itertools.chain(*(lines(run, stream) for run in runs)))
        assert sent == (whole.records[stream] if stream in streams else []), stream


def test_the_hash_of_the_parents_key_decides_on_every_machine_alike(
    tap: TapCommand, served: Emulator, everything: Message
) -> None:
    shard = {"shard_count": "3", "shard_index": "1"}
    environment = {f"TAP_IOT_SITEWISE_{k.upper()}": v for k, v in shard.items()}
    config = tap.file("given.json", settings(served))
    catalog = tap.file("all.json", select(everything, *STREAMS))
    options = ("--config", str(config), "--config", "ENV", "--catalog", str(catalog))

    run = tap(None, *options, environment=environment).succeeded()

    assert "this run is shard 1 of 3" in run.log
    for stream, column in STREAMS.items():
        keys = [record[column] for record in run.records(stream)]
        if stream in TOP_LEVEL:
            assert keys == [], stream
        else:
            assert keys, stream
            assert {zlib.crc32(key.encode()) % 3 for key in keys} == {1}, stream
    assert len(run.of("SCHEMA", "portals")) == 1
    assert run.kinds[-1][0] == "STATE"


# The requests of one shard


def test_a_shard_lists_the_ancestors_but_only_its_share_of_the_children(
    served: Emulator, everything: Message
) -> None:
    config = settings(served, shard_count=4, shard_index=2)
    served.stats.reset()
    run = in_process(config, catalog=select(everything, "projects")).succeeded()
    portals = {record["portal_id"] for record in run.records("projects")}

    assert served.stats.requests == {"ListPortals": 1, "ListProjects": len(portals)}
    assert 0 < len(portals) < 8

    served.stats.reset()
    run = in_process(config, catalog=select(everything, "dashboards")).succeeded()
    projects = {r["project_id"] for r in run.records("dashboards")}

    assert served.stats.requests["ListProjects"] == 8
    assert served.stats.requests["ListDashboards"] == len(projects)
    assert 0 < len(projects) < 16


def test_only_the_first_shard_lists_a_stream_without_parent_and_children(
    served: Emulator, everything: Message
) -> None:
    chosen = select(everything, "gateways", "computation_models")
    served.stats.reset()

    in_process(settings(served, shard_count=2, shard_index=1), catalog=chosen)
    assert served.stats.requests == {}

    in_process(settings(served, shard_count=2, shard_index=0), catalog=chosen)
    assert served.stats.requests.keys() == {"ListGateways", "ListComputationModels"}


def test_a_filter_that_matches_series_of_other_shards_only_is_not_warned_of(
    tap: TapCommand, served: Emulator
) -> None:
    series = served.plant.listing("time_series").records
    alias = next(each["alias"] for each in series if each.get("alias"))
    given = settings(served, shard_count=2, telemetry_alias_prefixes=[alias])

    for index in (0, 1):
        run = tap({**given, "shard_index": index}, "--test").succeeded()
        assert run.lines("WARNING") == []


# The state of a shard


def test_a_shard_resumes_from_its_own_state_and_refuses_that_of_another(
    tap: TapCommand, served: Emulator, everything: Message
) -> None:
    chosen = select(everything, "property_value_history", "projects")
    given = settings(served, shard_count=2, shard_index=1)
    state = tap(given, catalog=chosen).succeeded().states[-1]
    assert state["shard"] == "1 of 2"

    assert tap(given, catalog=chosen, state=state).succeeded().states[-1] == state

    for other in ({"shard_index": 0}, {"shard_count": 3}, {"shard_count": 1}):
        config = {**given, "shard_index": 0, **other}
        served.stats.reset()
        run = tap(config, catalog=chosen, state=state)
        assert run.code == 1
        own = f"shard 0 of {config['shard_count']}"
        if config["shard_count"] == 1:
            own = "not divided into shards"
        assert run.error == (
            "--state: the state belongs to shard 1 of 2, but this run is "
            f"{own}; give each shard its own state, for example with meltano run "
            "--state-id-suffix"
        )
        assert served.stats.requests == {}


def test_a_shard_accepts_the_state_of_an_unsharded_run(
    tap: TapCommand, served: Emulator, everything: Message
) -> None:
    chosen = select(everything, "property_value_history")
    state = tap(settings(served), catalog=chosen).succeeded().states[-1]
    assert "shard" not in state

    run = tap(
        settings(served, shard_count=2, shard_index=1), catalog=chosen, state=state
    ).succeeded()

    assert run.states[-1] == {**state, "shard": "1 of 2"}


# The settings


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"shard_count": 0}, "shard_count must be at least 1, not 0"),
        ({"shard_index": -1}, "shard_index must be at least 0, not -1"),
        ({"shard_index": 1}, "shard_index must be less than shard_count (1), not 1"),
        (
            {"shard_count": 4, "shard_index": 4},
            "shard_index must be less than shard_count (4), not 4",
        ),
        (
            {"shard_count": 2, "emit_activate_version_messages": True},
            (
                "emit_activate_version_messages must be false with shard_count 2: the "
                "message of one shard would delete the rows of the others"
            ),
        ),
    ],
)
def test_shards_that_do_not_exist_or_delete_rows_are_refused_before_any_call(
    tap: TapCommand, served: Emulator, given: Message, problem: str
) -> None:
    served.stats.reset()

    run = tap(settings(served, **given))

    assert run.code == 1
    assert problem in run.error
    assert served.stats.requests == {}
