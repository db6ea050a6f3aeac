"""The extra streams of a plant: which there are, and what they send."""

from __future__ import annotations

import gzip
import json
import re
import typing as t
from urllib.parse import unquote, urlsplit

import jsonschema
import pytest

from emulator import Emulator
from emulator.plant import SIZES
from tests import expected, expected_plant
from tests.answering import scripted
from tests.conftest import discover, select, static
from tests.test_incremental import in_process
from tests.test_work import on_a_terminal

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Message, Run, TapCommand

EXTRA = tuple(expected_plant.COLUMNS)
ALWAYS = tuple(expected.COLUMNS)


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    """A plant of difficult values that no test changes."""
    with Emulator(
        asset_models=12, portals=3, projects_per_portal=3, sizes=SIZES["hostile"]
    ) as emulator:
        yield emulator


@pytest.fixture
def plant() -> Iterator[Emulator]:
    """A plant for one test, which may change it."""
    with Emulator(
        asset_models=6, portals=2, projects_per_portal=2, sizes=SIZES["hostile"]
    ) as emulator:
        yield emulator


def whole(aws: Emulator) -> dict[str, list[Message]]:
    """Return the records of all streams."""
    return {**expected.records(aws.plant), **expected_plant.records(aws.plant)}


# What they send


@pytest.mark.parametrize(
    ("page_size", "zone"), [(1, "UTC"), (7, "Asia/Kolkata"), (250, "America/St_Johns")]
)
def test_every_record_is_the_plants_field_by_field_in_any_page_size_and_time_zone(
    tap: TapCommand, served: Emulator, page_size: int, zone: str
) -> None:
    settings = static(served, extra_streams=["plant"], page_size=page_size)

    run = tap(settings, environment={"TZ": zone}).succeeded()

    for stream, records in whole(served).items():
        assert records, stream
        assert run.records(stream) == records, stream
        columns = [list(record) for record in run.records(stream)]
        first = list(expected_plant.COLUMNS.get(stream, columns[0]))
        assert columns == [first] * len(records)


def test_every_column_of_a_factory_is_filled_in_some_record(tap: TapCommand) -> None:
    sizes = SIZES["factory"]
    with Emulator(
        contents="factory",
        asset_models=33,
        portals=4,
        projects_per_portal=3,
        sizes=sizes,
    ) as aws:
        run = tap(static(aws, extra_streams=["plant"])).succeeded()

        for stream, records in whole(aws).items():
            assert run.records(stream) == records, stream
    for stream in EXTRA:
        found = run.records(stream)
        for column in expected_plant.COLUMNS[stream]:
            assert any(record[column] not in (None, [], "") for record in found), column
    for stream in ("assets", "computation_models"):
        errors = [record["status"]["error"] for record in run.records(stream)]
        assert any(error and error["details"] for error in errors)


def test_every_record_is_valid_by_the_schema_of_its_stream_formats_included(
    tap: TapCommand, served: Emulator
) -> None:
    run = tap(static(served, extra_streams=["plant"])).succeeded()

    for stream in EXTRA:
        ((schema, key),) = (
            (message["schema"], message["key_properties"])
            for message in run.of("SCHEMA", stream)
        )
        columns = list(expected_plant.COLUMNS[stream])
        assert key == expected_plant.KEYS.get(stream, columns[:1])
        validator = jsonschema.Draft202012Validator(
            schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
        )
        for record in run.records(stream):
            validator.validate(record)
        keys = {tuple(record[name] for name in key) for record in run.records(stream)}
        assert len(keys) == len(run.records(stream))


# Which there are


def test_without_the_setting_there_are_three_streams(
    tap: TapCommand, served: Emulator
) -> None:
    served.stats.reset()

    run = tap(static(served)).succeeded()

    assert {stream for _, stream in run.kinds} - {None} == set(ALWAYS)
    assert served.stats.requests.keys() == {
        "ListAssetModels",
        "ListPortals",
        "ListProjects",
    }


def discovered(tap: TapCommand, *extra: str) -> list[str]:
    run = tap({"extra_streams": list(extra)}, "--discover").succeeded()
    return [entry["tap_stream_id"] for entry in json.loads(run.output)["streams"]]


def test_a_catalog_has_the_streams_that_were_asked_for_and_no_others(
    tap: TapCommand, catalog: Message
) -> None:
    assert discovered(tap) == [entry["tap_stream_id"] for entry in catalog["streams"]]
    assert discovered(tap, "plant") == sorted([*ALWAYS, *EXTRA])
    # Not the parents of those streams, and each once.
    assert discovered(tap, "asset_properties", "gateways", "gateways") == sorted(
        [*ALWAYS, "asset_properties", "gateways"]
    )
    assert discovered(tap, "plant", "assets") == sorted([*ALWAYS, *EXTRA])


@pytest.mark.parametrize("given", ['["gateways", "assets"]', "gateways, assets"])
def test_the_streams_can_be_named_in_a_variable(
    tap: TapCommand, served: Emulator, given: str
) -> None:
    config = static(served)
    environment = {f"TAP_IOT_SITEWISE_{n.upper()}": v for n, v in config.items()}
    environment["TAP_IOT_SITEWISE_EXTRA_STREAMS"] = given

    run = tap(None, "--config", "ENV", environment=environment).succeeded()

    streams = {stream for _, stream in run.kinds} - {None}
    assert streams == {*ALWAYS, "gateways", "assets"}


@pytest.mark.parametrize("option", [(), ("--discover",), ("--test",)])
@pytest.mark.parametrize(
    ("given", "problems"),
    [
        (
            ["plants", "zzz"],
            "extra_streams: plants is not an extra stream; did you mean plant?; extra",
        ),
        (
            ["portals"],
            "extra_streams: the tap always has the stream portals; remove it",
        ),
        (
            ["asset_propertys"],
            "extra_streams: asset_propertys is not an extra stream; did you mean ",
        ),
        (["zzz"], "extra_streams: zzz is not an extra stream; use plant, telemetry, "),
        (
            ["s3cr3t-of-the-plant"],
            "extra_streams: a name of 19 characters is not an extra stream; use plant",
        ),
        ("plant", "extra_streams must be a list"),
        ([7], "extra_streams must be text"),
    ],
)
def test_what_is_not_an_extra_stream_is_refused_before_any_call(
    tap: TapCommand,
    served: Emulator,
    option: tuple[str, ...],
    given: object,
    problems: str,
) -> None:
    served.stats.reset()

    run = tap(static(served, extra_streams=given), *option)

    assert run.error.startswith(f"Settings: {problems}")
    assert "s3cr3t" not in run.log
    assert not run.output
    assert served.stats.total == 0


def test_all_settings_that_are_wrong_are_told_with_the_streams(
    tap: TapCommand, served: Emulator
) -> None:
    run = tap(static(served, extra_streams=["plants"], page_size=0))

    assert "page_size must be 1 to 250" in run.error
    assert "extra_streams: plants is not an extra stream" in run.error


def test_a_catalog_that_names_a_stream_that_is_not_enabled_is_warned_of(
    tap: TapCommand, served: Emulator, plant_catalog: Message
) -> None:
    served.stats.reset()

    run = tap(static(served, extra_streams=["gateways"]), catalog=plant_catalog)

    assert run.succeeded().lines("WARNING") == [
        f"--catalog: the stream {stream} is ignored, because it is an extra stream; "
        "add it to extra_streams"
        for stream in sorted(EXTRA)
        if stream != "gateways"
    ]
    assert {stream for _, stream in run.kinds} - {None} == {*ALWAYS, "gateways"}
    assert "ListAssets" not in served.stats.requests


def test_the_bookmarks_of_streams_that_are_not_enabled_are_passed_through(
    tap: TapCommand, served: Emulator
) -> None:
    bookmarks = {
        "assets": {
            "replication_key": "last_update_date",
            "replication_key_value": "2024-05-31T00:00:00.000000+00:00",
            "progress_markers": {"Note": "not complete"},
        },
        "dashboards": {"replication_key_value": "anything"},
    }

    run = tap(
        static(served, extra_streams=["asset_associations"]),
        state={"bookmarks": bookmarks},
    ).succeeded()

    assert not run.lines("WARNING")
    for state in run.states:
        kept = {name: state["bookmarks"].get(name) for name in bookmarks}
        assert kept == bookmarks


def test_a_stream_map_of_a_stream_that_is_not_enabled_is_refused(
    tap: TapCommand, served: Emulator
) -> None:
    maps = {
        "assets": {"name": "name.upper()"},
        "copy": {"__source__": "gateways"},
        "dashboards": {"nmae": None},
    }
    served.stats.reset()

    run = tap(static(served, extra_streams=["dashboards"], stream_maps=maps))

    assert run.error.startswith(
        "Settings: stream_maps: assets is an extra stream; add it to extra_streams; "
        "stream_maps: gateways is an extra stream; add it to extra_streams; "
        "stream_maps: dashboards.nmae is not a column"
    )
    assert served.stats.total == 0


# What they call


@pytest.mark.parametrize("stream", EXTRA)
def test_a_stream_calls_the_operations_of_its_chain_only(
    tap: TapCommand, served: Emulator, stream: str
) -> None:
    operations = expected_plant.CHAINS[stream]
    key = served.issue_session(actions=[f"iotsitewise:{name}" for name in operations])
    settings = static(
        served,
        extra_streams=[stream],
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        aws_session_token=key.session_token,
    )
    catalog = discover(stream)
    served.stats.reset()

    run = tap(settings, catalog=select(catalog, stream)).succeeded()

    assert run.records(stream) == expected_plant.records(served.plant)[stream]
    assert {kind for kind in run.kinds if kind[0] != "STATE"} == {
        ("SCHEMA", stream),
        ("RECORD", stream),
    }
    assert served.stats.requests.keys() == operations


def test_each_ancestor_is_listed_once_whatever_number_of_descendants_runs(
    tap: TapCommand, served: Emulator
) -> None:
    served.stats.reset()

    tap(static(served, extra_streams=["plant"])).succeeded()

    plant = served.plant
    assets = [asset for group in plant.by_parent("assets").values() for asset in group]
    projects = [each for group in plant.projects.values() for each in group]
    models, portals = len(plant.asset_models), len(plant.portals)
    assert served.stats.requests == {
        "ListAssetModels": 1,
        "ListAssetModelProperties": models,
        "DescribeAssetModel": models,
        "ListAssetModelCompositeModels": models,
        "ListAssets": models,
        # One for each hierarchy; none for an asset without.
        "ListAssociatedAssets": sum(len(asset["hierarchies"]) for asset in assets),
        "ListAssetProperties": len(assets),
        "ListTimeSeries": -(-len(plant.listing("time_series")) // 250),
        "ListPortals": 1,
        "ListProjects": portals,
        "ListProjectAssets": len(projects),
        "ListDashboards": len(projects),
        "ListAccessPolicies": portals + len(projects),
        "ListGateways": 1,
        "ListBulkImportJobs": 1,
        "ListComputationModels": 1,
    }
    assert any(not asset["hierarchies"] for asset in assets)


def test_one_schema_a_stream_and_one_state_a_top_level_stream(
    tap: TapCommand, served: Emulator
) -> None:
    kinds = tap(static(served, extra_streams=["plant"])).succeeded().kinds

    schemas = [stream for kind, stream in kinds if kind == "SCHEMA"]
    assert sorted(map(str, schemas)) == sorted([*ALWAYS, *EXTRA])
    # Models with their descendants, portals with theirs, and four others.
    assert [kind for kind, _ in kinds].count("STATE") == 6
    assert kinds[-1] == ("STATE", None)


def test_the_constant_parameters_are_sent(tap: TapCommand, served: Emulator) -> None:
    served.stats.reset()

    tap(static(served, extra_streams=["plant"], page_size=99)).succeeded()

    sent = {
        "ListAssetModelProperties": {"filter=ALL", "maxResults=99"},
        "ListAssetProperties": {"filter=ALL", "maxResults=99"},
        "DescribeAssetModel": {"excludeProperties=true"},
    }
    for operation, query in served.stats.log:
        if operation in sent and "nextToken" not in query:
            assert set(query.split("&")) == sent[operation]


@pytest.mark.parametrize(
    "settings",
    [
        {"max_concurrency": 1},
        {"emit_activate_version_messages": True},
        {"stream_maps": {"asset_properties": {"alias": "alias"}}},
        {"stream_maps": {"__else__": None, "asset_properties": {}}},
        {"stream_maps": {"*": {"__alias__": "'x_' + __stream_name__"}}},
        {"flattening_enabled": True, "flattening_max_depth": 0},
        {"batch_config": {"encoding": {"format": "jsonl", "compression": "gzip"}}},
    ],
    ids=[
        "one at a time",
        "activate version",
        "map of the child",
        "only the child",
        "map of all",
        "flattened",
        "batch files",
    ],
)
def test_a_parent_that_is_not_enabled_sends_nothing_in_any_form_of_its_children(
    tap: TapCommand, served: Emulator, settings: Message
) -> None:
    if "batch_config" in settings:
        settings["batch_config"]["storage"] = {"root": tap.directory.as_uri()}
    config = static(served, extra_streams=["asset_properties"], **settings)

    run = tap(config, catalog=select(discover("asset_properties"), "asset_properties"))

    name = "asset_properties"
    if "*" in settings.get("stream_maps", {}):
        name = "x_asset_properties"
    records = run.succeeded().records(name)
    for message in run.of("BATCH", name):
        for file in message["manifest"]:
            with gzip.open(
                unquote(urlsplit(file).path), "rt", encoding="utf-8"
            ) as lines:
                records += map(json.loads, lines)
    wanted = expected_plant.records(served.plant)["asset_properties"]
    if "flattening_enabled" in settings:
        # Lists are JSON text there.
        wanted = [{**record, "path": None} for record in wanted]
        records = [{**record, "path": None} for record in records]
        wanted = [without(record, "notification") for record in wanted]
        records = [without(record, "notification") for record in records]
    assert records == wanted
    assert {stream for _, stream in run.kinds} == {None, name}
    assert all("assets" not in state.get("bookmarks", {}) for state in run.states)


def without(record: Message, column: str) -> Message:
    return {name: value for name, value in record.items() if name != column}


PROJECT = "55555555-5555-4555-8555-555555555555"


def test_a_parent_that_is_listed_twice_is_visited_once() -> None:
    asked: list[str] = []

    def answer(target: str, _: bytes) -> tuple[int, bytes]:
        url = urlsplit(target)
        asked.append(url.path)
        match url.path:
            case "/asset-models":
                return 200, b'{"assetModelSummaries": []}'
            case "/portals":
                portals = [{"id": PROJECT.replace("5", digit)} for digit in "67"]
                return 200, json.dumps({"portalSummaries": portals}).encode()
            case "/projects":
                # Both portals have the same project.
                return 200, b'{"projectSummaries": [{"id": "%b"}]}' % PROJECT.encode()
            case _:
                return 200, b'{"dashboardSummaries": [{"id": "d"}]}'

    with scripted(answer) as url:
        config = {
            "aws_region": "eu-west-1",
            "aws_access_key_id": "AKIAEXAMPLE",
            "aws_secret_access_key": "example",
            "aws_endpoint_url": url,
            "extra_streams": ["dashboards"],
        }
        run = in_process(config).succeeded()

    assert asked.count("/projects") == 2
    assert asked.count("/dashboards") == 1
    assert [record["dashboard_id"] for record in run.records("dashboards")] == ["d"]


def test_a_terminal_shows_how_many_of_its_parents_a_stream_has_read(
    tap: TapCommand, plant: Emulator
) -> None:
    plant.faults.latency = 0.1
    assets = sum(map(len, plant.plant.by_parent("assets").values()))
    settings = static(plant, extra_streams=["asset_properties"], max_concurrency=1)

    shown = on_a_terminal(tap, settings)

    lines = re.findall(r"\[K(\w+): [\d,]+ records, \d+ requests(.*?) \.\.\.", shown)
    progress = {stream: found for stream, found in lines if stream}
    # At least one line came while each parent was read.
    done, known = map(int, re.findall(r"\d+", progress["asset_properties"]))
    assert 1 <= done <= known == assets
    assert progress.get("asset_models", "") == ""


# What changes meanwhile


def test_deleted_parents_are_named_up_to_ten_and_then_counted(tap: TapCommand) -> None:
    with Emulator(
        asset_models=4, portals=0, sizes={**SIZES["hostile"], "assets": 6}
    ) as aws:
        before = expected_plant.records(aws.plant)
        assets = [asset["asset_id"] for asset in before["assets"]]
        gone = [*assets[:8], *assets[10:15]]

        def delete(_: object) -> None:
            while gone:
                aws.plant.delete("assets", gone.pop(0))

        aws.faults.before("ListAssetProperties", delete)
        deleted = list(gone)

        run = tap(
            static(aws, extra_streams=["asset_properties"], max_concurrency=1)
        ).succeeded()

        left = expected_plant.records(aws.plant)["asset_properties"]
        assert run.records("asset_properties") == left
    warnings = run.lines("WARNING")
    assert len(warnings) == 11
    for asset, warning in zip(deleted, warnings[:10], strict=False):
        assert warning.startswith(
            f"asset_id {asset} was deleted during the run: its asset_properties are "
            "not in the output (ListAssetProperties: ResourceNotFoundException: "
        )
    assert warnings[-1] == (
        "3 more parents were deleted during the run: their asset_properties are not, "
        "or not all, in the output"
    )


def test_a_deleted_parent_with_several_listings_is_one_warning(
    tap: TapCommand, plant: Emulator
) -> None:
    asset = next(
        record["asset_id"]
        for record in expected_plant.records(plant.plant)["assets"]
        if len(record["hierarchies"]) > 1
    )

    def delete(_: object) -> None:
        if plant.plant.has("assets", asset):
            plant.plant.delete("assets", asset)

    plant.faults.before("ListAssociatedAssets", delete)

    run = tap(static(plant, extra_streams=["asset_associations"])).succeeded()

    (warning,) = run.lines("WARNING")
    assert warning.startswith(
        f"asset_id {asset} was deleted during the run: its asset_"
    )
    associations = expected_plant.records(plant.plant)["asset_associations"]
    assert run.records("asset_associations") == associations


def test_a_portal_that_is_deleted_is_missed_by_each_stream_below_it(
    tap: TapCommand, plant: Emulator
) -> None:
    portal = plant.plant.portals[0]
    projects = [project["id"] for project in plant.plant.projects[portal["id"]]]

    def delete(_: object) -> None:
        if plant.plant.has("portals", portal["id"]):
            plant.plant.delete("portals", portal["id"])

    plant.faults.before("ListAccessPolicies", delete)
    extra = ["access_policies", "dashboards", "project_assets"]

    run = tap(static(plant, extra_streams=extra)).succeeded()

    left = expected_plant.records(plant.plant)
    for stream in extra:
        assert run.records(stream) == left[stream]
    parents = [
        f"portal_id {portal['id']}",
        *(f"project_id {each}" for each in projects),
    ]
    wanted = [(parent, "access_policies") for parent in parents]
    wanted += [(parent, stream) for stream in extra[1:] for parent in parents[1:]]
    found = [
        (" ".join(line.split()[:2]), line.partition(": its ")[2].split()[0])
        for line in run.lines("WARNING")
    ]
    assert sorted(found) == sorted(wanted)


def test_a_hierarchy_without_an_id_ends_the_run(
    tap: TapCommand, plant: Emulator
) -> None:
    asset = expected_plant.records(plant.plant)["assets"][0]["asset_id"]
    plant.plant.change("assets", asset, hierarchies=[{"name": "Machines"}])

    run = tap(static(plant, extra_streams=["asset_associations"]))

    assert run.error == (
        "ListAssociatedAssets: hierarchies.id is missing in a record of the parent "
        "stream; report this line as an issue of the tap"
    )


# --test


def test_a_trial_run_tries_each_operation_and_reports_the_enabled_streams(
    tap: TapCommand, served: Emulator
) -> None:
    served.stats.reset()

    run = tap(static(served, extra_streams=["plant"]), "--test").succeeded()

    reports = [line for line in run.lines("INFO") if line.startswith("--test: ")]
    assert sorted(reports) == sorted(
        f"--test: {stream}: 1 record seen" for stream in [*ALWAYS, *EXTRA]
    )
    operations = {name for chain in expected_plant.CHAINS.values() for name in chain}
    assert served.stats.requests.keys() == operations


def test_a_trial_run_does_not_report_a_parent_that_is_not_enabled(
    tap: TapCommand, served: Emulator
) -> None:
    run = tap(static(served, extra_streams=["asset_properties"]), "--test").succeeded()

    reports = [line for line in run.lines("INFO") if line.startswith("--test: ")]
    assert sorted(reports) == sorted(
        f"--test: {stream}: 1 record seen" for stream in [*ALWAYS, "asset_properties"]
    )


def test_a_trial_run_reads_one_page_of_a_parent_that_is_not_enabled(
    tap: TapCommand,
) -> None:
    # Of the models only the first has assets.
    sizes = {**SIZES["hostile"], "assets": 40}
    with Emulator(asset_models=1, portals=0, sizes=sizes) as aws:
        settings = static(aws, extra_streams=["asset_properties"], page_size=3)
        tap(settings, "--test")

        # Up to two further pages are fetched ahead.
        assert aws.stats.requests["ListAssets"] <= 3


def test_a_trial_run_names_each_action_that_is_denied(
    tap: TapCommand, plant: Emulator
) -> None:
    plant.deny("iotsitewise:ListAssetProperties", "iotsitewise:ListProjects")

    run = tap(static(plant, extra_streams=["plant"]), "--test")

    assert run.error.endswith(
        "allow iotsitewise:ListAssetProperties in a policy of the role or user"
    )
    reports = [line for line in run.lines("INFO") if line.startswith("--test: ")]
    failed = [line for line in reports if not line.endswith("1 record seen")]
    assert [line.split(":")[1].strip() for line in failed] == [
        "asset_properties",
        "projects",
        "access_policies",
        "dashboards",
        "project_assets",
    ]
    assert failed[2:] == [
        f"--test: {stream}: not tried, because projects failed"
        for stream in ("access_policies", "dashboards", "project_assets")
    ]


# Incremental


DATED = (
    "assets",
    "time_series",
    "dashboards",
    "access_policies",
    "gateways",
    "computation_models",
)


def incremental(catalog: Message) -> Message:
    chosen: Message = select(
        catalog,
        *EXTRA,
        replication_method="INCREMENTAL",
        replication_key="last_update_date",
    )
    for entry in chosen["streams"]:
        if entry["tap_stream_id"] not in DATED:
            (root,) = (each for each in entry["metadata"] if not each["breadcrumb"])
            root["metadata"]["replication-method"] = "FULL_TABLE"
            del root["metadata"]["replication-key"]
    return chosen


def test_the_streams_with_a_date_send_what_changed_and_the_others_everything(
    tap: TapCommand, served: Emulator, plant_catalog: Message
) -> None:
    catalog = incremental(plant_catalog)
    settings = static(served, extra_streams=["plant"])
    everything = expected_plant.records(served.plant)
    first: Run = tap(settings, catalog=catalog).succeeded()

    second = tap(settings, catalog=catalog, state=first.states[-1]).succeeded()

    for stream in EXTRA:
        assert first.records(stream) == everything[stream]
        if stream not in DATED:
            assert second.records(stream) == everything[stream]
            continue
        bookmark = first.states[-1]["bookmarks"][stream]["replication_key_value"]
        assert second.records(stream) == [
            record
            for record in everything[stream]
            if record["last_update_date"] is None
            or record["last_update_date"] >= bookmark
        ]
        assert len(second.records(stream)) < len(everything[stream])
    assert second.of("SCHEMA", "assets")[0]["bookmark_properties"] == [
        "last_update_date"
    ]


@pytest.mark.parametrize("stream", [each for each in EXTRA if each not in DATED])
def test_a_stream_without_a_date_cannot_be_incremental(
    tap: TapCommand, served: Emulator, stream: str
) -> None:
    settings = static(served, extra_streams=[stream])
    catalog = discover(stream)
    chosen = select(catalog, stream, replication_method="INCREMENTAL")

    run = tap(settings, catalog=chosen)

    assert run.error == (
        f"--catalog: {stream}: the stream has no replication key; use the replication "
        "method FULL_TABLE"
    )
