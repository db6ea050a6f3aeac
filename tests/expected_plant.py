"""What the extra streams ought to send for a plant, apart from the tap's own code."""

from __future__ import annotations

import re
import typing as t

from tests.expected import Record, rfc3339

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from emulator.plant import Plant

    Wire = Mapping[str, t.Any]

_STATUS: dict[str, t.Any] = {
    "status": {
        "state": {},
        "error": {"code": {}, "message": {}, "details": [{"code": {}, "message": {}}]},
    }
}
_PATH: dict[str, t.Any] = {"path": [{"id": {}, "name": {}}]}
_DATES: dict[str, t.Any] = {"creation_date": {}, "last_update_date": {}}

# Columns in their order, each with the columns inside of it.
COLUMNS: dict[str, dict[str, t.Any]] = {
    "asset_model_properties": {
        "asset_model_id": {},
        "property_id": {},
        "external_id": {},
        "name": {},
        "data_type": {},
        "data_type_spec": {},
        "unit": {},
        "property_type": {},
        "default_value": {},
        "expression": {},
        "variables": [],
        "window_interval": {},
        "window_offset": {},
        "compute_location": {},
        "forwarding_state": {},
        "composite_model_id": {},
        **_PATH,
        "interface_summaries": [
            {"interface_asset_model_id": {}, "interface_asset_model_property_id": {}}
        ],
    },
    "asset_model_hierarchies": {
        "asset_model_id": {},
        "hierarchy_id": {},
        "external_id": {},
        "name": {},
        "child_asset_model_id": {},
    },
    "asset_model_composite_models": {
        "asset_model_id": {},
        "composite_model_id": {},
        "external_id": {},
        "name": {},
        "composite_model_type": {},
        "description": {},
        **_PATH,
    },
    "assets": {
        "asset_id": {},
        "asset_model_id": {},
        "arn": {},
        "external_id": {},
        "name": {},
        "description": {},
        "hierarchies": [{"id": {}, "external_id": {}, "name": {}}],
        **_DATES,
        **_STATUS,
    },
    "asset_associations": {
        "parent_asset_id": {},
        "hierarchy_id": {},
        "child_asset_id": {},
    },
    "asset_properties": {
        "asset_id": {},
        "property_id": {},
        "external_id": {},
        "alias": {},
        "unit": {},
        "notification": {"topic": {}, "state": {}},
        "composite_model_id": {},
        **_PATH,
    },
    "time_series": {
        "time_series_id": {},
        "asset_id": {},
        "property_id": {},
        "alias": {},
        "data_type": {},
        "data_type_spec": {},
        "arn": {},
        **_DATES,
    },
    "project_assets": {"project_id": {}, "asset_id": {}},
    "dashboards": {
        "dashboard_id": {},
        "project_id": {},
        "name": {},
        "description": {},
        **_DATES,
    },
    "access_policies": {
        "access_policy_id": {},
        "identity_type": {},
        "identity_id": {},
        "resource_type": {},
        "resource_id": {},
        "permission": {},
        **_DATES,
    },
    "gateways": {
        "gateway_id": {},
        "name": {},
        "gateway_version": {},
        "platform": {
            "greengrass": {"group_arn": {}},
            "greengrass_v2": {
                "core_device_thing_name": {},
                "core_device_operating_system": {},
            },
            "siemens_ie": {"iot_core_thing_name": {}},
        },
        "capabilities": [{"capability_namespace": {}, "capability_sync_status": {}}],
        **_DATES,
    },
    "bulk_import_jobs": {"job_id": {}, "name": {}, "status": {}},
    "computation_models": {
        "computation_model_id": {},
        "arn": {},
        "name": {},
        "description": {},
        "computation_model_type": {},
        "computation_model_version": {},
        **_DATES,
        **_STATUS,
    },
}

CHAINS = {
    "asset_model_properties": {"ListAssetModels", "ListAssetModelProperties"},
    "asset_model_hierarchies": {"ListAssetModels", "DescribeAssetModel"},
    "asset_model_composite_models": {
        "ListAssetModels",
        "ListAssetModelCompositeModels",
    },
    "assets": {"ListAssetModels", "ListAssets"},
    "asset_associations": {"ListAssetModels", "ListAssets", "ListAssociatedAssets"},
    "asset_properties": {"ListAssetModels", "ListAssets", "ListAssetProperties"},
    "time_series": {"ListTimeSeries"},
    "project_assets": {"ListPortals", "ListProjects", "ListProjectAssets"},
    "dashboards": {"ListPortals", "ListProjects", "ListDashboards"},
    "access_policies": {"ListPortals", "ListProjects", "ListAccessPolicies"},
    "gateways": {"ListGateways"},
    "bulk_import_jobs": {"ListBulkImportJobs"},
    "computation_models": {"ListComputationModels"},
}
"""The operations that each stream calls."""

KEYS = {
    "asset_model_properties": ["asset_model_id", "property_id"],
    "asset_model_hierarchies": ["asset_model_id", "hierarchy_id"],
    "asset_model_composite_models": ["asset_model_id", "composite_model_id"],
    "asset_associations": ["parent_asset_id", "hierarchy_id", "child_asset_id"],
    "asset_properties": ["asset_id", "property_id"],
    "project_assets": ["project_id", "asset_id"],
}
"""The keys of several columns. The others have their first column."""


def _camel(column: str) -> str:
    return re.sub(r"_(.)", lambda match: match[1].upper(), column)


def _shaped(wire: t.Any, columns: t.Any) -> t.Any:  # noqa: ANN401
    """Return a value of the API in the columns of a record."""
    if wire is None:
        return None
    if isinstance(columns, list):
        return [_shaped(item, columns[0]) for item in wire]
    if not columns:
        return wire
    members = {"siemens_ie": "siemensIE"}
    return {
        column: _shaped(wire.get(members.get(column, _camel(column))), inner)
        for column, inner in columns.items()
    }


def _record(stream: str, wire: Wire, **given: t.Any) -> Record:  # noqa: ANN401
    """Return a record: what is given, and the rest from the members of a wire."""
    record: Record = {}
    for column, inner in COLUMNS[stream].items():
        if column in given:
            value = given[column]
        else:
            value = _shaped(wire.get(_camel(column)), inner)
        if column in _DATES and value is not None:
            value = rfc3339(value)
        record[column] = value
    return record


def _inside(wire: Wire, *path: str) -> t.Any:  # noqa: ANN401
    value: t.Any = wire
    for name in path:
        value = (value or {}).get(name)
    return value


def _property(model_id: str, wire: Wire) -> Record:
    kind = wire["type"]
    computed = kind.get("transform") or kind.get("metric") or {}
    variables = computed.get("variables")
    window = _inside(kind, "metric", "window", "tumbling") or {}
    forwarding = _inside(
        kind.get("measurement") or kind.get("transform") or {}, *_FORWARD
    )
    names = {"formulaOfEdge": "formula_of_edge"}
    return _record(
        "asset_model_properties",
        wire,
        asset_model_id=model_id,
        property_id=wire["id"],
        property_type=next((names.get(name, name) for name in kind), None),
        default_value=_inside(kind, "attribute", "defaultValue"),
        expression=computed.get("expression"),
        variables=variables
        and [
            {
                "name": variable["name"],
                "property_id": variable["value"].get("propertyId"),
                "hierarchy_id": variable["value"].get("hierarchyId"),
                "property_path": _shaped(
                    variable["value"].get("propertyPath"), [{"id": {}, "name": {}}]
                ),
            }
            for variable in variables
        ],
        window_interval=window.get("interval"),
        window_offset=window.get("offset"),
        compute_location=_inside(computed, "processingConfig", "computeLocation"),
        forwarding_state=forwarding,
        composite_model_id=wire.get("assetModelCompositeModelId"),
    )


_FORWARD = ("processingConfig", "forwardingConfig", "state")
_IDENTITIES: dict[str, tuple[str | None, str]] = {
    "user": ("user", "id"),
    "group": ("group", "id"),
    "iamUser": ("iam_user", "arn"),
    "iamRole": ("iam_role", "arn"),
}


def _policy(resource_type: str, resource_id: str, wire: Wire) -> Record:
    given: dict[str, dict[str, str]] = wire["identity"]
    kind, identity = next(iter(given.items()), ("", {}))
    name, member = _IDENTITIES.get(kind, (None, ""))
    return _record(
        "access_policies",
        wire,
        access_policy_id=wire["id"],
        identity_type=name,
        identity_id=identity.get(member),
        resource_type=resource_type,
        resource_id=resource_id,
    )


def _assets_in_order(plant: Plant) -> Iterator[tuple[str, Wire]]:
    for model in plant.asset_models:
        for asset in plant.listing("assets", model["id"]).records:
            yield model["id"], asset


def _associations(plant: Plant) -> Iterator[Record]:
    for _, asset in _assets_in_order(plant):
        associations = plant.listing("asset_associations", asset["id"]).records
        for hierarchy in asset["hierarchies"]:
            for each in associations:
                if each["hierarchyId"] == hierarchy["id"]:
                    yield {
                        "parent_asset_id": asset["id"],
                        "hierarchy_id": hierarchy["id"],
                        "child_asset_id": each["id"],
                    }


def records(plant: Plant) -> dict[str, list[Record]]:
    """Return the records of every extra stream, in the order of the plant."""
    models = [model["id"] for model in plant.asset_models]
    assets = list(_assets_in_order(plant))
    portals = [portal["id"] for portal in plant.portals]
    projects = [
        project["id"] for portal in portals for project in plant.projects[portal]
    ]
    resources = [("portal", portal) for portal in portals]
    resources += [("project", project) for project in projects]
    return {
        "asset_model_properties": [
            _property(model, wire)
            for model in models
            for wire in plant.listing("asset_model_properties", model).records
        ],
        "asset_model_hierarchies": [
            _record(
                "asset_model_hierarchies",
                wire,
                asset_model_id=model,
                hierarchy_id=wire["id"],
            )
            for model in models
            for wire in plant.listing("asset_model_hierarchies", model).records
        ],
        "asset_model_composite_models": [
            _record(
                "asset_model_composite_models",
                wire,
                asset_model_id=model,
                composite_model_id=wire["id"],
                composite_model_type=wire["type"],
            )
            for model in models
            for wire in plant.listing("asset_model_composite_models", model).records
        ],
        "assets": [
            _record("assets", wire, asset_id=wire["id"], asset_model_id=model)
            for model, wire in assets
        ],
        "asset_associations": list(_associations(plant)),
        "asset_properties": [
            _record(
                "asset_properties",
                wire,
                asset_id=asset["id"],
                property_id=wire["id"],
                composite_model_id=wire.get("assetCompositeModelId"),
            )
            for _, asset in assets
            for wire in plant.listing("asset_properties", asset["id"]).records
        ],
        "time_series": [
            _record(
                "time_series",
                wire,
                arn=wire["timeSeriesArn"],
                creation_date=wire["timeSeriesCreationDate"],
                last_update_date=wire["timeSeriesLastUpdateDate"],
            )
            for wire in plant.listing("time_series").records
        ],
        "project_assets": [
            {"project_id": project, "asset_id": wire["assetId"]}
            for project in projects
            for wire in plant.listing("project_assets", project).records
        ],
        "dashboards": [
            _record("dashboards", wire, dashboard_id=wire["id"], project_id=project)
            for project in projects
            for wire in plant.listing("dashboards", project).records
        ],
        "access_policies": [
            _policy(kind, resource, wire)
            for kind, resource in resources
            for wire in plant.listing("access_policies", resource).records
        ],
        "gateways": [
            _record(
                "gateways",
                wire,
                name=wire["gatewayName"],
                platform=_shaped(
                    wire.get("gatewayPlatform"), COLUMNS["gateways"]["platform"]
                ),
                capabilities=_shaped(
                    wire.get("gatewayCapabilitySummaries"),
                    COLUMNS["gateways"]["capabilities"],
                ),
            )
            for wire in plant.listing("gateways").records
        ],
        "bulk_import_jobs": [
            _record("bulk_import_jobs", wire, job_id=wire["id"])
            for wire in plant.listing("bulk_import_jobs").records
        ],
        "computation_models": [
            _record(
                "computation_models",
                wire,
                computation_model_id=wire["id"],
                computation_model_type=wire["type"],
                computation_model_version=wire["version"],
            )
            for wire in plant.listing("computation_models").records
        ],
    }
