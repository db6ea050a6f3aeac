"""A plant with values that are difficult to process, for tests.

Names and descriptions have many scripts, quotes and line breaks. Optional members are
missing, and some dates are in the future. The first entities of each kind have each
state and error code in turn, so that a small plant has all of them. Most of the others
are ``ACTIVE``.
"""

from __future__ import annotations

import typing as t

from emulator.hostile import asset_models, assets, gateways, monitor
from emulator.hostile.signals import formula

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
    "asset_model_composite_models": 2,
    "asset_model_hierarchies": 2,
    "asset_model_properties": 6,
    "assets": 4,
    "asset_associations": _ALL,
    "asset_properties": _ALL,
    "time_series": _ALL,
    "project_assets": _ALL,
    "dashboards": 3,
    "access_policies": 5,
    "gateways": 13,
    "bulk_import_jobs": 8,
    "computation_models": 9,
}
"""How many records of the kinds for extra streams a plant has, for each parent."""
