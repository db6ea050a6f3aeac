"""Batch files in Parquet: the types of the schema, and nothing lost."""

from __future__ import annotations

import typing as t
from contextlib import closing

import duckdb
import pytest

from emulator import Emulator
from tests import expected
from tests.conftest import ROOT, static

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Message, TapCommand

    Written = Callable[..., list[Path]]


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    with Emulator(asset_models=8, portals=5, projects_per_portal=1) as emulator:
        yield emulator


@pytest.fixture
def written(tap: TapCommand, served: Emulator) -> Written:
    """Runs the tap, and returns the files of a stream in the order of their numbers."""

    def run(stream: str, **settings: object) -> list[Path]:
        root = tap.directory / "batches"
        root.mkdir()
        batches = {
            "encoding": {"format": "parquet"},
            "storage": {"root": root.as_uri()},
            "batch_size": 2,
        }
        # PyArrow is no dependency of the tap.
        (packages,) = (ROOT / ".tools" / "pyarrow").glob("lib/*/site-packages")
        config = static(served, batch_config=batches, **settings)
        tap(config, environment={"PYTHONPATH": str(packages)}).succeeded()
        files = root.glob(f"*--{stream}-*")
        return sorted(files, key=lambda path: int(path.stem.rpartition("=")[2]))

    return run


def read(file: Path) -> list[Message]:
    with closing(duckdb.connect()) as database:
        found = database.read_parquet(str(file))
        rows = found.fetchall()
        return [dict(zip(found.columns, row, strict=True)) for row in rows]


def types(file: Path) -> list[str]:
    with closing(duckdb.connect()) as database:
        return list(map(str, database.read_parquet(str(file)).types))


@pytest.mark.parametrize("stream", list(expected.COLUMNS))
def test_every_file_of_a_stream_has_the_same_types_and_every_record_is_in_one(
    written: Written, served: Emulator, stream: str
) -> None:
    files = written(stream)

    assert len(files) > 1
    assert [types(file) for file in files] == [types(files[0])] * len(files)
    records = [record for file in files for record in read(file)]
    assert records == expected.records(served.plant)[stream]


def test_a_value_with_members_that_the_schema_does_not_have_is_written_whole(
    written: Written,
) -> None:
    new = """json.loads('{"site": {"name": "Cork"}, "state": "ACTIVE"}')"""

    files = written("portals", stream_maps={"portals": {"status": new}})

    records = [record for file in files for record in read(file)]
    assert [record["status"] for record in records] == [
        {"site": {"name": "Cork"}, "state": "ACTIVE"}
    ] * 5


def test_an_expression_with_values_of_another_type_than_declared_is_written(
    written: Written,
) -> None:
    files = written("portals", stream_maps={"portals": {"rank": "7", "name": "name"}})

    records = [record for file in files for record in read(file)]
    assert [record["rank"] for record in records] == [7] * 5
