"""A small tap of the Singer SDK as it comes: what a habit of the SDK is shown with.

It extracts a few rows, the parts of each row (a child stream) and a zone, and needs no
source. `python -m tests.plain_tap` is its command.
"""

from __future__ import annotations

import copy
import os
import signal
import typing as t

from singer_sdk import Stream, Tap
from singer_sdk import typing as th
from singer_sdk.contrib.msgspec import MsgSpecWriter

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers.types import Context

ROWS: list[dict[str, t.Any]] = [
    {"id": 1, "changed": "2024-05-01T00:00:00+00:00", "status": {"state": "ACTIVE"}},
    {"id": 2, "changed": None, "status": None},
    {"id": 3, "changed": None, "status": {"state": "FAILED"}},
]


class Rows(Stream):
    """Three rows; only the first says when it changed, the second has no status."""

    name = "rows"
    schema: t.ClassVar = th.PropertiesList(
        th.Property("id", th.IntegerType, required=True),
        th.Property("changed", th.DateTimeType),
        th.Property("status", th.ObjectType(th.Property("state", th.StringType))),
    ).to_dict()
    primary_keys = ("id",)

    def get_records(self, context: Context | None) -> Iterator[dict[str, t.Any]]:
        del context
        for number, row in enumerate(ROWS):
            if number and self.config.get("stop"):
                os.kill(os.getpid(), signal.SIGTERM)
            # The SDK may change a record.
            yield copy.deepcopy(row)

    def get_child_context(
        self, record: dict[str, t.Any], context: Context | None
    ) -> dict[str, t.Any]:
        del context
        return {"row_id": record["id"]}


class Parts(Stream):
    """One part of each row."""

    name = "parts"
    parent_stream_type = Rows
    schema: t.ClassVar = th.PropertiesList(
        th.Property("id", th.IntegerType, required=True),
        th.Property("row_id", th.IntegerType, required=True),
    ).to_dict()
    primary_keys = ("id",)

    def get_records(self, context: Context | None) -> Iterator[dict[str, t.Any]]:
        if self.config.get("fail"):
            msg = "the source is broken"
            raise ValueError(msg)
        yield {"id": 10 * context["row_id"] if context else 0}


class Zones(Stream):
    """One zone."""

    name = "zones"
    schema: t.ClassVar = th.PropertiesList(th.Property("id", th.IntegerType)).to_dict()
    primary_keys = ("id",)

    def get_records(self, context: Context | None) -> Iterator[dict[str, t.Any]]:
        del context
        yield {"id": 100}


class PlainTap(Tap):
    """The tap, with a setting of each type."""

    name = "tap-plain"
    message_writer_class = MsgSpecWriter
    config_jsonschema: t.ClassVar = th.PropertiesList(
        th.Property("secret", th.StringType(allowed_values=["right"])),
        th.Property("count", th.IntegerType),
        th.Property("ratio", th.NumberType),
        th.Property("stop", th.BooleanType),
        th.Property("fail", th.BooleanType),
        th.Property("names", th.ArrayType(th.StringType)),
    ).to_dict()

    stream_classes: t.ClassVar[tuple[type[Stream], ...]] = (Rows, Parts, Zones)

    def discover_streams(self) -> list[Stream]:
        return [stream_class(self) for stream_class in self.stream_classes]


if __name__ == "__main__":
    PlainTap.cli()
