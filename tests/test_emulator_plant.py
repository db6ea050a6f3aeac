"""The made-up plant, and how it changes."""

from __future__ import annotations

import gzip
import itertools
import json
import re
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import botocore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator import Account, Plant
from emulator.listing import Listing
from emulator.plant import CONTENTS

MODEL_FILE = Path(botocore.__file__).parent.joinpath(
    "data", "iotsitewise", "2019-12-02", "service-2.json.gz"
)
SHAPES: dict[str, Any] = json.loads(gzip.decompress(MODEL_FILE.read_bytes()))["shapes"]


def known_values(shape: str) -> set[str]:
    return set(SHAPES[shape]["enum"])


@pytest.fixture(scope="module")
def plant() -> Plant:
    return Plant.make(asset_models=200, portals=24, projects=12)


def test_the_same_seed_makes_the_same_plant() -> None:
    one, two, other = (
        Plant.make(asset_models=40, portals=6, projects=3, seed=seed)
        for seed in (3, 3, 4)
    )
    assert one.asset_models == two.asset_models
    assert one.portals == two.portals
    assert one.projects == two.projects
    assert one.asset_models != other.asset_models


def test_a_larger_plant_begins_as_a_smaller_one() -> None:
    small = Plant.make(asset_models=5, portals=2, projects=1)
    large = Plant.make(asset_models=9, portals=3, projects=4)
    assert large.asset_models[:5] == small.asset_models
    assert large.portals[:2] == small.portals
    for portal in small.portals:
        assert large.projects[portal["id"]][:1] == small.projects[portal["id"]]


def test_the_work_to_make_a_plant_grows_as_its_size() -> None:
    def calls(portals: int) -> int:
        counted = 0

        def count(*_: object) -> None:
            nonlocal counted
            counted += 1

        sys.setprofile(count)
        try:
            Plant.make(asset_models=0, portals=portals, projects=1)
        finally:
            sys.setprofile(None)
        return counted

    assert calls(1_000) < 4.5 * calls(250)


def test_every_state_and_error_code_comes_early(plant: Plant) -> None:
    models, portals = plant.asset_models[:20], plant.portals[:20]
    states = {model["status"]["state"] for model in models}
    assert states == known_values("AssetModelState")
    failures = [m["status"]["error"] for m in models if "error" in m["status"]]
    assert {failure["code"] for failure in failures} == known_values("ErrorCode")
    details = [part for failure in failures for part in failure.get("details", ())]
    assert {part["code"] for part in details} == known_values("DetailedErrorCode")
    types = {model.get("assetModelType") for model in models}
    assert types == {*known_values("AssetModelType"), None}
    states = {portal["status"]["state"] for portal in portals}
    assert states == known_values("PortalState")
    codes = {p["status"]["error"]["code"] for p in portals if "error" in p["status"]}
    assert codes == known_values("MonitorErrorCode")
    kinds = {portal.get("portalType") for portal in portals}
    assert kinds == {*known_values("PortalType"), None}


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("asset_models", "AssetModelSummary"),
        ("portals", "PortalSummary"),
        ("projects", "ProjectSummary"),
    ],
)
def test_members_are_those_of_the_service_model(
    plant: Plant,
    kind: str,
    shape: str,
) -> None:
    records = (
        [record for group in plant.projects.values() for record in group]
        if kind == "projects"
        else getattr(plant, kind)
    )
    members = set(SHAPES[shape]["members"])
    required = set(SHAPES[shape]["required"])
    assert set().union(*records) == members
    assert set.intersection(*map(set, records)) >= required
    for optional in members - required:
        assert any(optional not in record for record in records), optional
    pattern = re.compile(SHAPES["ID"]["pattern"])
    assert all(pattern.fullmatch(record["id"]) for record in records)
    assert len({record["id"] for record in records}) == len(records)


@pytest.mark.parametrize("contents", sorted(CONTENTS))
def test_a_plant_of_each_kind_has_the_size_asked_for(contents: str) -> None:
    plant = Plant.make(contents, asset_models=7, portals=3, projects=2)
    assert len(plant.asset_models) == 7
    assert [len(group) for group in plant.projects.values()] == [2, 2, 2]


END = datetime(2025, 7, 1, tzinfo=timezone.utc)
"""All of a factory happened before, so that no date is in the future."""


@pytest.fixture(scope="module")
def factory() -> Plant:
    return Plant.make("factory", asset_models=30_000, portals=300, projects=12)


def test_a_factory_has_sites_with_lines_machines_and_components() -> None:
    plant = Plant.make("factory", asset_models=33, portals=5, projects=4)
    models = {model["name"]: model for model in plant.asset_models}
    assert models["Site"]["assetModelType"] == "ASSET_MODEL"
    for line, machine, component in (
        ("Bottling line", "Filler", "Dosing pump"),
        ("Assembly line", "Press", "Hydraulic unit"),
        ("Machining line", "Lathe", "Main drive"),
    ):
        assert models[line]["assetModelType"] == "ASSET_MODEL"
        assert models[machine]["assetModelType"] == "ASSET_MODEL"
        assert models[component]["assetModelType"] == "COMPONENT_MODEL"
    assert {portal["name"].split()[0] for portal in plant.portals} == {
        "Cork",
        "Hamburg",
    }
    for projects in plant.projects.values():
        names = [project["name"] for project in projects]
        assert names == ["Line 1", "Line 2", "Line 3", "Line 4"]


def test_a_factory_of_any_size_has_names_that_a_person_can_read(factory: Plant) -> None:
    for records in (factory.asset_models, factory.portals):
        names = [record["name"] for record in records]
        assert len(set(names)) == len(names)
        for name in names:
            assert re.fullmatch(r"[A-Z]\w*([ /]+\w+)*", name), name
        assert max(map(len, names)) < 70
    external_ids = [model["externalId"] for model in factory.asset_models]
    assert len(set(external_ids)) == len(external_ids)
    shape = SHAPES["ExternalId"]
    for external_id in external_ids:
        assert re.fullmatch(shape["pattern"], external_id)
        assert len(external_id) <= shape["max"]


def test_no_date_of_a_factory_is_in_the_future(factory: Plant) -> None:
    for records in (factory.asset_models, factory.portals, every_project(factory)):
        years = set()
        for record in records:
            created, updated = record["creationDate"], record["lastUpdateDate"]
            assert created <= updated < END.timestamp()
            years.add(datetime.fromtimestamp(updated, timezone.utc).year)
        assert len(years) >= 5
    for portal in factory.portals:
        for project in factory.projects[portal["id"]]:
            assert project["creationDate"] >= portal["creationDate"]


def test_little_of_a_factory_has_failed(factory: Plant) -> None:
    for shape, records, small in (
        ("ErrorCode", factory.asset_models, 30),
        ("MonitorErrorCode", factory.portals, 5),
    ):
        states = Counter(record["status"]["state"] for record in records)
        assert states["ACTIVE"] > 0.85 * len(records)
        failed = [record for record in records if record["status"]["state"] == "FAILED"]
        assert failed[0] in records[:small]
        for record in failed:
            assert record["status"]["error"]["code"] in known_values(shape)
            assert record["status"]["error"]["message"]


def test_names_and_descriptions_are_hard_to_carry(plant: Plant) -> None:
    names = "".join(model["name"] for model in plant.asset_models)
    for piece in "风ポКمप압🏭" + "\"',\n\t\\":
        assert piece in names
    descriptions = [project.get("description") for project in every_project(plant)]
    assert "" in descriptions
    assert None in descriptions


def every_project(plant: Plant) -> list[dict[str, Any]]:
    return [project for group in plant.projects.values() for project in group]


def test_dates_have_milliseconds_or_microseconds_or_no_fraction(plant: Plant) -> None:
    dates = [repr(model["creationDate"]) for model in plant.asset_models]
    lengths = {len(date.partition(".")[2]) for date in dates if not date.endswith(".0")}
    assert {3, 6} <= lengths
    assert any(date.endswith(".0") for date in dates)
    for model in plant.asset_models:
        assert 0 < model["creationDate"] <= model["lastUpdateDate"] < 2**32


def test_asset_models_are_added_changed_touched_and_deleted() -> None:
    plant = Plant.make(asset_models=3)
    kept, changed, gone = (model["id"] for model in plant.asset_models)
    before = plant.asset_models
    plant.delete("asset_models", gone)
    new = plant.change("asset_models", changed, name="New", invented=None)
    touched = plant.touch("asset_models", kept, at=2e9)
    added = plant.add("asset_models")
    given_record = plant.add("asset_models", {"id": "x"})
    assert plant.asset_models == (touched, new, added, given_record)
    assert touched == {**before[0], "lastUpdateDate": 2e9}
    assert new == {**before[1], "name": "New", "invented": None}
    assert before[1]["name"] != "New"
    assert len({model["id"] for model in (*before, added)}) == 4
    with pytest.raises(KeyError):
        plant.delete("asset_models", gone)


def test_portals_and_projects_are_added_changed_touched_and_deleted() -> None:
    plant = Plant.make(portals=2, projects=2)
    first, second = (portal["id"] for portal in plant.portals)
    added = plant.add("portals")
    project = plant.add("projects", parent=added["id"])
    another = plant.add("projects", parent=second)
    assert plant.projects[added["id"]] == (project,)
    assert plant.projects[second][-1] == another
    assert len({record["id"] for record in every_project(plant)}) == 6
    assert plant.change("portals", second, name="B")["name"] == "B"
    assert plant.touch("portals", second, at=2e9)["lastUpdateDate"] == 2e9
    assert plant.change("projects", another["id"], name="P")["name"] == "P"
    assert plant.touch("projects", another["id"])["lastUpdateDate"] > 1.7e9
    plant.delete("projects", project["id"])
    assert plant.projects[added["id"]] == ()
    plant.delete("portals", first)
    assert list(plant.projects) == [second, added["id"]]
    assert [portal["id"] for portal in plant.portals] == [second, added["id"]]
    for kind in ("portals", "projects"):
        for missing in (plant.delete, plant.touch):
            with pytest.raises(KeyError):
                missing(kind, "unknown")


def test_an_id_is_given_once_and_never_changes() -> None:
    plant = Plant.make(asset_models=1, portals=2, projects=2)
    first, second = (portal["id"] for portal in plant.portals)
    project = plant.projects[first][0]["id"]
    before = (plant.portals, plant.projects)

    with pytest.raises(ValueError, match="exists already in portals"):
        plant.add("portals", {"id": first})
    # A project of one portal can't have the ID of another portal's project.
    with pytest.raises(ValueError, match="exists already in projects"):
        plant.add("projects", {"id": project}, parent=second)
    with pytest.raises(ValueError, match="can't be changed"):
        plant.change("portals", first, id="other")
    assert (plant.portals, plant.projects) == before

    plant.delete("portals", first)
    assert plant.add("portals", {"id": first}) == plant.find("portals", first)
    assert plant.projects[first] == ()


def test_a_plant_of_unknown_kinds_is_refused() -> None:
    with pytest.raises(KeyError, match="robots"):
        Plant.make(robots=3)


def test_changes_of_several_threads_are_all_kept() -> None:
    plant = Plant.make(portals=3, projects=2)
    portals = [portal["id"] for portal in plant.portals]
    number = 200

    def work(thread: int) -> None:
        for place in range(number):
            plant.add("projects", parent=portals[place % 3])
            plant.add("asset_models")
            plant.change("portals", portals[0], **{f"{thread}/{place}": place})
            gone = plant.add("portals")["id"]
            plant.add("projects", parent=gone)
            plant.delete("portals", gone)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(work, range(4)))
    finally:
        sys.setswitchinterval(interval)

    assert [portal["id"] for portal in plant.portals] == portals
    assert len({model["id"] for model in plant.asset_models}) == 4 * number
    projects = every_project(plant)
    assert len({project["id"] for project in projects}) == 6 + 4 * number
    changed = plant.find("portals", portals[0])
    for thread, place in itertools.product(range(4), range(number)):
        assert changed[f"{thread}/{place}"] == place


def test_a_plant_is_made_for_its_partition() -> None:
    partitions = {"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"}
    for region, partition in partitions.items():
        plant = Plant.make(asset_models=1, account=Account(region))
        arn = plant.asset_models[0]["arn"]
        assert arn.startswith(f"arn:{partition}:iotsitewise:{region}:")


@given(
    size=st.integers(0, 12),
    limit=st.integers(1, 5),
    deeds=st.lists(st.lists(st.integers(-1, 11), max_size=3), max_size=12),
)
def test_paging_neither_skips_nor_repeats_whatever_happens_in_between(
    size: int,
    limit: int,
    deeds: list[list[int]],
) -> None:
    """A deed of -1 adds an entity, any other number deletes the one of that id."""
    listing = Listing()
    for number in range(size):
        listing.add({"id": str(number)})
    alive = {str(number) for number in range(size)}
    untouched = set(alive)
    seen: list[str] = []
    after: int | None = 0
    pages = 0
    while after is not None:
        page, after = listing.page(after, limit)
        seen += [record["id"] for record in json.loads(b"[%b]" % page)]
        for deed in deeds[pages] if pages < len(deeds) else ():
            if deed == -1:
                listing.add({"id": f"new {pages}"})
            elif str(deed) in alive:
                listing.delete(str(deed))
                alive.discard(str(deed))
                untouched.discard(str(deed))
        pages += 1
    old = [entity for entity in seen if not entity.startswith("new")]
    assert len(old) == len(set(old))
    assert untouched <= set(old)
    assert len(listing) == len(listing.records)
