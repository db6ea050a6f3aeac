"""The ways to request a stream, with scripted answers."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from urllib.parse import parse_qs, urlsplit

import pytest

import tap_iot_sitewise
from tap_iot_sitewise.streams.asset_models import AssetModelHierarchies, AssetModels
from tap_iot_sitewise.streams.assets import AssetProperties, Assets
from tap_iot_sitewise.streams.monitor import Portals, ProjectAssets, Projects
from tap_iot_sitewise.streams.telemetry import PropertyValues
from tap_iot_sitewise.streams.time_series import TimeSeries
from tests.answering import scripted
from tests.conftest import clean_environment
from tests.declared import Models, Tap
from tests.test_incremental import extracted

if t.TYPE_CHECKING:
    from pathlib import Path

    from tap_iot_sitewise.streams.stream import SiteWiseStream
    from tap_iot_sitewise.tap import TapIoTSiteWise
    from tests.conftest import Message, Run


MODEL = "11111111-1111-4111-8111-11111111111{}"
ASSET = "22222222-2222-4222-8222-{:012}"
SERIES = 7


class Account:
    """Answers like SiteWise, and remembers what it was asked."""

    def __init__(self, series: int = SERIES) -> None:
        self.series = series
        self.asked: list[tuple[str, dict[str, t.Any]]] = []

    def __call__(self, target: str, body: bytes) -> tuple[int, bytes]:
        url = urlsplit(target)
        asked = json.loads(body) if body else parse_qs(url.query)
        self.asked.append((url.path, asked))
        return 200, json.dumps(self.answer(url.path, asked)).encode()

    def answer(  # noqa: C901, PLR0911 - one for each operation
        self, path: str, asked: dict[str, t.Any]
    ) -> dict[str, t.Any]:
        match path.strip("/").split("/"):
            case ["asset-models"]:
                return {
                    "assetModelSummaries": [{"id": MODEL.format(n)} for n in range(2)]
                }
            case ["asset-models", model]:
                # Both models have a hierarchy of the same ID.
                hierarchies = [{"id": MODEL.format(9), "name": f"of {model}"}]
                return {"assetModelId": model, "assetModelHierarchies": hierarchies}
            case ["portals"]:
                return {"portalSummaries": [{"id": MODEL.format(6)}]}
            case ["projects"]:
                return {"projectSummaries": [{"id": MODEL.format(5)}]}
            case ["projects", _, "assets"]:
                if "nextToken" in asked:
                    # The first one moved, and comes again.
                    return {"assetIds": [ASSET.format(0), ASSET.format(2)]}
                first = [ASSET.format(n) for n in range(2)]
                return {"assetIds": first, "nextToken": "more"}
            case ["timeseries"]:
                (start,) = map(int, asked.get("nextToken", ["0"]))
                end = min(start + 250, self.series)
                page = [
                    {
                        "timeSeriesId": f"series {number}",
                        "assetId": ASSET.format(number),
                        "propertyId": MODEL.format(7),
                        "dataType": "DOUBLE",
                    }
                    for number in range(start, end)
                ]
                more = {"nextToken": str(end)} if end < self.series else {}
                return {"TimeSeriesSummaries": page, **more}
            case ["assets"]:
                # All of them belong to the first model.
                first = asked["assetModelId"] == [MODEL.format(0)]
                number = self.series if first else 0
                assets = [{"id": ASSET.format(n)} for n in range(number)]
                return {"assetSummaries": assets}
            case ["assets", _, "properties"]:
                return {"assetPropertySummaries": [{"id": MODEL.format(7)}]}
            case ["properties", "batch", "latest"]:
                entries = asked["entries"]
                half = len(entries) // 2
                if "nextToken" in asked:
                    return success(entries[half:])
                return {**success(entries[:half]), "nextToken": "more"}
            case _:
                raise AssertionError(path)


def success(entries: list[dict[str, str]]) -> dict[str, t.Any]:
    value = {"value": {"doubleValue": 1.5}, "timestamp": {"timeInSeconds": 1}}
    found = [
        {"entryId": entry["entryId"], "assetPropertyValue": value} for entry in entries
    ]
    return {"successEntries": found, "errorEntries": [], "skippedEntries": []}


@pytest.fixture
def account() -> Account:
    return Account()


def settings(url: str) -> dict[str, str]:
    return {
        "aws_region": "eu-west-1",
        "aws_access_key_id": "AKIAEXAMPLE",
        "aws_secret_access_key": "example",
        "aws_endpoint_url": url,
    }


def extract(account: Account, *streams: type[SiteWiseStream], **more: object) -> Run:
    with scripted(account) as url:
        config: Message = {**settings(url), **more}
        kind = type("TestTap", (Tap,), {"chosen": streams})
        return extracted(lambda: kind(config=config))


def test_a_constant_parameter_and_one_from_the_settings_are_sent(
    account: Account,
) -> None:
    extract(account, Models, asset_model_types=["INTERFACE"]).succeeded()
    extract(account, Models).succeeded()

    (with_types, without) = (asked for _, asked in account.asked)
    assert with_types == {
        "assetModelTypes": ["INTERFACE"],
        "assetModelVersion": ["ACTIVE"],
        "maxResults": ["250"],
    }
    assert without == {"assetModelVersion": ["ACTIVE"], "maxResults": ["250"]}


def test_a_describe_operation_is_a_page_of_its_own(account: Account) -> None:
    run = extract(account, AssetModels, AssetModelHierarchies).succeeded()

    assert run.of("SCHEMA", "asset_model_hierarchies")[0]["key_properties"] == [
        "asset_model_id",
        "hierarchy_id",
    ]
    assert [
        (record["asset_model_id"], record["hierarchy_id"], record["name"])
        for record in run.records("asset_model_hierarchies")
    ] == [(MODEL.format(n), MODEL.format(9), f"of {MODEL.format(n)}") for n in range(2)]
    # Neither a size of the page nor anything else is asked for.
    described = [asked for path, asked in account.asked if path != "/asset-models"]
    assert described == [{"excludeProperties": ["true"]}] * 2


def test_a_page_can_hold_plain_strings_and_each_comes_once(account: Account) -> None:
    run = extract(account, Portals, Projects, ProjectAssets).succeeded()

    assert run.records("project_assets") == [
        {"project_id": MODEL.format(5), "asset_id": ASSET.format(n)} for n in range(3)
    ]


def test_a_batch_operation_asks_for_so_many_parents_and_follows_tokens_in_the_body(
    account: Account,
) -> None:
    account.series = 300

    run = extract(account, PropertyValues).succeeded()

    assert {record["time_series_id"] for record in run.records("property_values")} == {
        f"series {n}" for n in range(300)
    }
    batches = [asked for path, asked in account.asked if "batch" in path]
    # 300 parents, 128 at a time, two pages each.
    assert sorted(len(asked["entries"]) for asked in batches) == [
        *(44, 44),
        *(128, 128, 128, 128),
    ]
    assert [asked.get("nextToken") for asked in batches].count("more") == 3
    assert "" not in [asked.get("nextToken") for asked in batches]


def test_an_item_of_no_entry_ends_the_run(account: Account) -> None:
    def answer(target: str, body: bytes) -> tuple[int, bytes]:
        status, content = account(target, body)
        return status, content.replace(b'"entryId": "2"', b'"entryId": "8"')

    with scripted(answer) as url:
        run = extract(account, PropertyValues, aws_endpoint_url=url)

    assert run.code == 1
    assert "BatchGetAssetPropertyValue: an entry of the answer" in run.log


def test_a_stream_that_is_not_selected_runs_for_its_children_only(
    account: Account,
) -> None:
    with scripted(account) as url:
        config = settings(url)
        kind = type(
            "TestTap",
            (Tap,),
            {"chosen": (AssetModels, AssetModelHierarchies, TimeSeries)},
        )

        def without_parents() -> TapIoTSiteWise:
            tap: TapIoTSiteWise = kind(config=config)
            tap.streams["asset_models"].selected = False
            tap.streams["time_series"].selected = False
            return tap

        run = extracted(without_parents).succeeded()

    assert {stream for kind, stream in run.kinds if stream} == {
        "asset_model_hierarchies"
    }
    assert len(run.records("asset_model_hierarchies")) == 2
    assert not [path for path, _ in account.asked if path == "/timeseries"]


# A small process that starts the tap. Linux counts the memory of the process that
# starts a command as memory of the command, and pytest needs more than the tap.
MEASURE = """
import resource, subprocess, sys
with open(sys.argv[1], "wb") as output:
    subprocess.run(sys.argv[2:], stdout=output, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak(series: int, output: Path) -> float:
    """Run the tap with so many parents; returns its most memory at once, in MiB."""
    command = [sys.executable, "-m", tap_iot_sitewise.__name__, "--config", "ENV"]
    with scripted(Account(series)) as url:
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, str(output), *command],
            env=clean_environment(
                **{
                    f"TAP_IOT_SITEWISE_{name.upper()}": value
                    for name, value in {
                        **settings(url),
                        "extra_streams": "time_series,property_values",
                    }.items()
                }
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        )
    # Kilobytes on Linux, bytes on macOS.
    return int(done.stdout) / (1024 if sys.platform != "darwin" else 1024**2)


def test_memory_does_not_grow_with_the_number_of_parents(tmp_path: Path) -> None:
    output = tmp_path / "output.jsonl"

    few, many = (peak(series, output) for series in (450, 11_250))

    with output.open("rb") as file:
        values = sum(b'"stream":"property_values","record"' in line for line in file)
    assert values == 11_250
    assert many - few <= 12


def test_a_full_disk_is_one_error(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> t.NoReturn:
        raise OSError(28, "No space left on device")

    account.series = 30_000
    monkeypatch.setattr("tempfile.TemporaryFile", fail)

    run = extract(account, AssetModels, Assets, AssetProperties)

    assert run.code == 1
    assert run.log == (
        "TMPDIR: cannot use a temporary file (No space left on device); set TMPDIR to "
        "a directory with free space"
    )
