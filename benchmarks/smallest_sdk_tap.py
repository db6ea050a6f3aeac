"""A peer: the smallest tap for the same three streams, as the SDK's guide has one.

Custom streams with ``get_records``, a parent's ``get_child_context``, boto3's
paginators, and everything else as the SDK does it by default.
"""

from __future__ import annotations

import typing as t

from singer_sdk import Stream, Tap
from singer_sdk import typing as th

from benchmarks.plain_boto3 import client

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from singer_sdk.helpers.types import Context, Record

_ERROR = th.ObjectType(
    th.Property("code", th.StringType),
    th.Property("message", th.StringType),
    th.Property(
        "details",
        th.ArrayType(
            th.ObjectType(
                th.Property("code", th.StringType),
                th.Property("message", th.StringType),
            )
        ),
    ),
)
_STATUS = th.Property(
    "status",
    th.ObjectType(th.Property("state", th.StringType), th.Property("error", _ERROR)),
)
_COMMON = (
    th.Property("id", th.StringType, required=True),
    th.Property("name", th.StringType),
    th.Property("description", th.StringType),
    th.Property("creationDate", th.DateTimeType),
    th.Property("lastUpdateDate", th.DateTimeType),
)


def listed(operation: str, member: str, **parameters: str) -> Iterable[Record]:
    """Yield what an operation lists."""
    paginator = CLIENT.get_paginator(operation)
    for page in paginator.paginate(PaginationConfig={"PageSize": 250}, **parameters):
        yield from page[member]


class AssetModels(Stream):
    """Asset models."""

    name = "asset_models"
    primary_keys: Sequence[str] = ("id",)
    schema = th.PropertiesList(
        *_COMMON,
        th.Property("arn", th.StringType),
        th.Property("assetModelType", th.StringType),
        th.Property("externalId", th.StringType),
        th.Property("version", th.StringType),
        _STATUS,
    ).to_dict()

    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Yield the records."""
        del context
        yield from listed("list_asset_models", "assetModelSummaries")


class Portals(Stream):
    """Portals."""

    name = "portals"
    primary_keys: Sequence[str] = ("id",)
    schema = th.PropertiesList(
        *_COMMON,
        th.Property("startUrl", th.StringType),
        th.Property("roleArn", th.StringType),
        th.Property("portalType", th.StringType),
        _STATUS,
    ).to_dict()

    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Yield the records."""
        del context
        yield from listed("list_portals", "portalSummaries")

    def get_child_context(self, record: Record, context: Context | None) -> Context:
        """Give the projects their portal."""
        del context
        return {"portal_id": record["id"]}


class Projects(Stream):
    """Projects."""

    name = "projects"
    primary_keys: Sequence[str] = ("id",)
    parent_stream_type = Portals
    schema = th.PropertiesList(
        *_COMMON, th.Property("portal_id", th.StringType)
    ).to_dict()

    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Yield the records of one portal."""
        portal_id: str = (context or {})["portal_id"]
        yield from listed("list_projects", "projectSummaries", portalId=portal_id)


class SmallestTap(Tap):
    """The smallest tap."""

    name = "smallest-tap"

    def discover_streams(self) -> list[Stream]:
        """Return the streams."""
        return [AssetModels(self), Portals(self), Projects(self)]


if __name__ == "__main__":
    CLIENT = client()
    SmallestTap.cli()
