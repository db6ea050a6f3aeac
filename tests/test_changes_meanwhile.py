"""What others change while a run lists: each record once, and nothing left out."""

from __future__ import annotations

import itertools
import json
import random
import typing as t

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from emulator import Emulator
from emulator.plant import SIZES
from tap_iot_sitewise.aws.paging import Request, Seen
from tests import expected, expected_plant
from tests.conftest import static
from tests.test_answers import extract
from tests.test_incremental import in_process

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator import Call
    from emulator.listing import Listing as Entities
    from tests.conftest import Message, TapCommand


def move_to_the_end(entities: Entities, place: int) -> None:
    """Have an entity listed again after all others, as if it were made anew."""
    entity = entities.records[place]
    entities.delete(entity[entities.key])
    entities.add(entity)


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    with Emulator(asset_models=9, portals=7, projects_per_portal=5) as emulator:
        yield emulator


def keys(messages: list[Message], stream: str) -> list[str]:
    return [
        message["record"][expected.COLUMNS[stream][0]]
        for message in messages
        if message["type"] == "RECORD" and message["stream"] == stream
    ]


@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=20,
)
@given(
    page_size=st.integers(1, 5),
    moves=st.lists(st.integers(0, 4), max_size=12),
)
def test_an_entity_that_moves_between_pages_is_sent_once_and_with_its_children(
    served: Emulator, page_size: int, moves: list[int]
) -> None:
    plant = served.plant
    left = list(moves)

    def move(call: Call) -> None:
        if not left:
            return
        place = left.pop()
        if call.operation == "ListProjects":
            portal = call.parameter("portalId") or ""
            move_to_the_end(plant.listing("projects", portal), place)
        elif call.operation == "ListPortals":
            move_to_the_end(plant.listing("portals"), place)
        else:
            move_to_the_end(plant.listing("asset_models"), place)

    served.faults.clear()
    served.faults.before("*", move)
    records = expected.records(plant)
    whole = {
        stream: sorted(
            record[expected.COLUMNS[stream][0]] for record in records[stream]
        )
        for stream in records
    }

    messages = extract(served, page_size=page_size)

    for stream, all_keys in whole.items():
        assert sorted(keys(messages, stream)) == all_keys


KINDS = (
    "asset_models",
    "asset_model_properties",
    "assets",
    "asset_properties",
    "asset_associations",
    "time_series",
    "portals",
    "projects",
    "project_assets",
    "dashboards",
    "access_policies",
)


def frozen(record: Message) -> str:
    return json.dumps(record, sort_keys=True)


@hypothesis_settings(
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=10,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(
    page_size=st.integers(1, 9),
    concurrency=st.sampled_from([1, 3, 8]),
    deeds=st.dictionaries(
        st.integers(0, 120),
        st.tuples(st.sampled_from(KINDS), st.integers(0, 50), st.booleans()),
        max_size=15,
    ),
)
def test_whatever_is_deleted_or_moved_each_record_that_stays_is_sent_once(
    page_size: int, concurrency: int, deeds: dict[int, tuple[str, int, bool]]
) -> None:
    sizes = {**SIZES["hostile"], "assets": 3, "asset_model_properties": 3}
    with Emulator(asset_models=5, portals=3, projects_per_portal=2, sizes=sizes) as aws:
        plant, number = aws.plant, itertools.count()
        before = {**expected.records(plant), **expected_plant.records(plant)}

        def act(_: Call) -> None:
            deed = deeds.get(next(number))
            if deed is None:
                return
            kind, place, is_deleted = deed
            listings = [listing for listing in plant.listings(kind) if len(listing)]
            if not listings:
                return
            listing = listings[place % len(listings)]
            record = listing.records[place % len(listing)]
            if is_deleted:
                plant.delete(kind, record[listing.key])
            else:
                move_to_the_end(listing, place % len(listing))

        aws.faults.before("*", act)
        run = in_process(
            static(
                aws,
                extra_streams=["plant"],
                page_size=page_size,
                max_concurrency=concurrency,
            )
        ).succeeded()
        after = {**expected.records(plant), **expected_plant.records(plant)}

    for stream, records in before.items():
        sent = [frozen(record) for record in run.records(stream)]
        assert len(sent) == len(set(sent)), stream
        assert set(sent) <= set(map(frozen, records)), stream
        assert set(sent) >= set(map(frozen, after[stream])), stream


def test_a_listing_that_is_rearranged_for_ever_is_an_error(
    tap: TapCommand, aws: Emulator
) -> None:
    aws.faults.before(
        "ListPortals", lambda _: move_to_the_end(aws.plant.listing("portals"), 0)
    )

    run = tap(static(aws, page_size=1))

    assert "ListPortals: the listing does not end (100 pages in a row had" in run.error
    assert aws.stats.requests["ListPortals"] < 120


def test_a_portal_that_is_deleted_amid_its_projects_is_told_as_it_is(
    tap: TapCommand, aws: Emulator
) -> None:
    before = expected.records(aws.plant)
    gone = aws.plant.portals[2]["id"]

    def delete(call: Call) -> None:
        if call.parameter("portalId") == gone and call.parameter("nextToken"):
            aws.plant.delete("portals", gone)

    aws.faults.before("ListProjects", delete)

    run = tap(static(aws, page_size=3)).succeeded()

    projects = [r for r in before["projects"] if r["portal_id"] != gone]
    first = [r for r in before["projects"] if r["portal_id"] == gone][:3]
    assert [r for r in run.records("projects") if r not in first] == projects
    assert [r for r in run.records("projects") if r["portal_id"] == gone] == first
    (warning,) = run.lines("WARNING")
    assert warning.startswith(
        f"portal_id {gone} was deleted while it was listed: only the first 3 of its "
        "projects are in the output (ListProjects: ResourceNotFoundException"
    )


def test_half_a_million_entities_are_remembered_whatever_their_number() -> None:
    request = Request(
        "ListAssetModels", "assetModelSummaries", identity=lambda item: item["id"]
    )
    listing = Seen(request)
    size, pages = 10_000, 120

    def page(number: int) -> list[dict[str, str]]:
        return [{"id": f"{number}-{place}"} for place in range(size)]

    for number in range(pages):
        assert len(listing.new(page(number), f"token {number}")) == size

    dice = random.Random(7)  # noqa: S311 - has to be repeatable
    for number in dice.sample(range(pages - 50, pages), 5):
        assert listing.new(page(number), f"again {number}") == []
    # The first ones are forgotten: memory has a bound.
    assert len(listing.new(page(0), "again 0")) == size


def test_a_clock_that_is_set_back_does_not_hold_up_the_end(
    tap: TapCommand, aws: Emulator, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, time\n"
        "right = time.time\n"
        "time.time = lambda: right() - 3600 * os.path.exists(os.environ['SET_BACK'])\n"
    )
    set_back = tmp_path / "set-back"
    aws.faults.before("ListProjects", lambda _: set_back.touch())

    run = tap(
        static(aws, emit_activate_version_messages=True),
        environment={"PYTHONPATH": str(tmp_path), "SET_BACK": str(set_back)},
        timeout=60,
    ).succeeded()

    assert set_back.exists()
    assert [kind for kind, _ in run.kinds].count("ACTIVATE_VERSION") == 3
