"""A realistic factory: a company with sites, lines, machines and their components.

All dates are from June 2019 to June 2025, so none is in the future. Most entities are
``ACTIVE``. A few failed, with errors as AWS reports them. IDs follow from names, so the
records of one kind refer to those of another.
"""

from __future__ import annotations

import typing as t

from emulator.factory import asset_models, assets, gateways, monitor
from emulator.factory.signals import formula

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from emulator.maker import Make

RECORDS: Mapping[str, Make] = {
    "asset_models": asset_models.asset_models,
    "asset_model_composite_models": asset_models.composites,
    "asset_model_hierarchies": asset_models.hierarchies,
    "asset_model_properties": asset_models.properties,
    "assets": assets.assets,
    "asset_associations": assets.associations,
    "asset_properties": assets.properties,
    "time_series": assets.time_series,
    "portals": monitor.portals,
    "projects": monitor.projects,
    "project_assets": monitor.project_assets,
    "dashboards": monitor.dashboards,
    "access_policies": monitor.access_policies,
    "gateways": gateways.gateways,
    "bulk_import_jobs": gateways.bulk_import_jobs,
    "computation_models": gateways.computation_models,
}
"""The function that generates records, for each kind."""

__all__ = ["RECORDS", "SIZES", "formula"]

_ALL = 1_000_000

SIZES: Mapping[str, int] = {
    "asset_model_composite_models": _ALL,
    "asset_model_hierarchies": _ALL,
    "asset_model_properties": _ALL,
    "assets": 2,
    "asset_associations": _ALL,
    "asset_properties": _ALL,
    "time_series": _ALL,
    "project_assets": _ALL,
    "dashboards": 3,
    "access_policies": _ALL,
    "gateways": 3,
    "bulk_import_jobs": 6,
    "computation_models": 3,
}
"""How many records of the kinds for extra streams a factory has, for each parent."""
