"""The List operations of a whole plant, and the records that they list."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import botocore.session
import pytest

from emulator import Emulator, Plant
from emulator.plant import SIZES

Record = dict[str, Any]

MODEL = botocore.session.get_session().get_service_model("iotsitewise")
CONTENTS = ("factory", "hostile")


def account(contents: str, asset_models: int = 33) -> Emulator:
    return Emulator(
        contents=contents,
        asset_models=asset_models,
        portals=4,
        projects_per_portal=3,
        sizes=SIZES[contents],
    )


@dataclass(frozen=True)
class Case:
    """An operation, and which records of a plant it lists."""

    operation: str
    member: str
    kind: str
    by: str | None = None
    among: str = ""
    """Kind of the parents, if the kind has several."""
    fixed: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.operation + self.fixed.get("resourceType", "").title()

    @property
    def shape(self) -> Any:  # noqa: ANN401 - botocore has no types
        output = MODEL.operation_model(self.operation).output_shape
        return output.members[self.member].member

    def arguments(self, parent: str | None) -> dict[str, str]:
        named = {} if self.by is None or parent is None else {self.by: parent}
        return {**self.fixed, **named}

    def parents(self, plant: Plant) -> list[str | None]:
        if self.by is None:
            return [None]
        return [
            parent
            for parent in plant.by_parent(self.kind)
            if not self.among or plant.has(self.among, parent)
        ]

    def listed(self, plant: Plant, parent: str | None) -> list[Any]:
        """Return what AWS sends for the records of a parent."""
        records = plant.listing(self.kind, parent).records
        return [wire(plant, self.kind, record) for record in records]

    def fullest(self, plant: Plant) -> str | None:
        """Return the parent with the most records."""
        return max(
            self.parents(plant),
            key=lambda parent: len(plant.listing(self.kind, parent)),
        )


def wire(plant: Plant, kind: str, record: Record) -> Any:  # noqa: ANN401 - an ID or more
    if kind == "asset_associations":
        return plant.find("assets", record["id"])
    if kind == "project_assets":
        return record["assetId"]
    return {name: record[name] for name in record if name != "assetPropertyId"}


_ALL = {"filter": "ALL"}
CASES = [
    Case("ListAssetModels", "assetModelSummaries", "asset_models"),
    Case(
        "ListAssetModelProperties",
        "assetModelPropertySummaries",
        "asset_model_properties",
        by="assetModelId",
        fixed=_ALL,
    ),
    Case(
        "ListAssetModelCompositeModels",
        "assetModelCompositeModelSummaries",
        "asset_model_composite_models",
        by="assetModelId",
    ),
    Case("ListAssets", "assetSummaries", "assets", by="assetModelId"),
    Case("ListAssociatedAssets", "assetSummaries", "asset_associations", by="assetId"),
    Case(
        "ListAssetProperties",
        "assetPropertySummaries",
        "asset_properties",
        by="assetId",
        fixed=_ALL,
    ),
    Case("ListTimeSeries", "TimeSeriesSummaries", "time_series"),
    Case("ListPortals", "portalSummaries", "portals"),
    Case("ListProjects", "projectSummaries", "projects", by="portalId"),
    Case("ListProjectAssets", "assetIds", "project_assets", by="projectId"),
    Case("ListDashboards", "dashboardSummaries", "dashboards", by="projectId"),
    *(
        Case(
            "ListAccessPolicies",
            "accessPolicySummaries",
            "access_policies",
            by="resourceId",
            among=f"{resource.lower()}s",
            fixed={"resourceType": resource},
        )
        for resource in ("PORTAL", "PROJECT")
    ),
    Case("ListGateways", "gatewaySummaries", "gateways"),
    Case("ListBulkImportJobs", "jobSummaries", "bulk_import_jobs"),
    Case("ListComputationModels", "computationModelSummaries", "computation_models"),
]
BY_OPERATION = {case.operation: case for case in CASES}
DESCRIBE = "DescribeAssetModel"
OPERATIONS = [*BY_OPERATION, DESCRIBE]

each_case = pytest.mark.parametrize("case", CASES, ids=str)


def known(shape: Any, value: Any) -> Any:  # noqa: ANN401 - any part of a record
    """Return what a client with botocore's model keeps of a value."""
    if shape.type_name == "structure":
        return {
            name: known(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if shape.type_name == "list":
        return [known(shape.member, each) for each in value]
    return value


def parsed(shape: Any, value: Any) -> Any:  # noqa: ANN401 - any part of a record
    """Return a value as boto3 returns it: known members, and dates as datetime."""
    if shape.type_name == "structure":
        return {
            name: parsed(shape.members[name], each)
            for name, each in known(shape, value).items()
        }
    if shape.type_name == "list":
        return [parsed(shape.member, each) for each in value]
    if shape.type_name == "timestamp":
        return datetime.fromtimestamp(value, timezone.utc)
    return value


def as_json(value: object) -> Any:  # noqa: ANN401 - any JSON value
    return json.loads(json.dumps(value))


def ids(records: list[Record]) -> list[str]:
    return [record["id"] for record in records]


def every(plant: Plant, kind: str) -> list[Record]:
    return [record for group in plant.by_parent(kind).values() for record in group]
