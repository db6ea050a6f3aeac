"""The streams of SiteWise: a file per family declares its entities and streams."""

from __future__ import annotations

from tap_iot_sitewise.streams.asset_models import (
    AssetModelCompositeModels,
    AssetModelHierarchies,
    AssetModelProperties,
    AssetModels,
)
from tap_iot_sitewise.streams.assets import AssetAssociations, AssetProperties, Assets
from tap_iot_sitewise.streams.bulk_import_jobs import BulkImportJobs
from tap_iot_sitewise.streams.computation_models import ComputationModels
from tap_iot_sitewise.streams.gateways import Gateways
from tap_iot_sitewise.streams.monitor import (
    AccessPolicies,
    Dashboards,
    Portals,
    ProjectAssets,
    Projects,
)
from tap_iot_sitewise.streams.stream import SiteWiseStream
from tap_iot_sitewise.streams.telemetry import (
    PropertyAggregates,
    PropertyValueHistory,
    PropertyValues,
)
from tap_iot_sitewise.streams.time_series import TimeSeries

STREAMS = (AssetModels, Portals, Projects)
"""The streams that the tap always has."""

GROUPS: dict[str, tuple[type[SiteWiseStream], ...]] = {
    "plant": (
        AssetModelProperties,
        AssetModelHierarchies,
        AssetModelCompositeModels,
        Assets,
        AssetAssociations,
        AssetProperties,
        TimeSeries,
        ProjectAssets,
        Dashboards,
        AccessPolicies,
        Gateways,
        BulkImportJobs,
        ComputationModels,
    ),
    "telemetry": (PropertyValues, PropertyValueHistory, PropertyAggregates),
}
"""The streams that the setting ``extra_streams`` adds, by group."""

EXTRA_STREAMS = tuple(stream for group in GROUPS.values() for stream in group)
"""The streams of all groups."""

ALL_STREAMS: tuple[type[SiteWiseStream], ...] = (*STREAMS, *EXTRA_STREAMS)
"""All streams that the tap can have, each after its parents."""

__all__ = ["ALL_STREAMS", "EXTRA_STREAMS", "GROUPS", "STREAMS", "SiteWiseStream"]
