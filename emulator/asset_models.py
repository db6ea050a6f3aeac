"""Asset models: the kind of record and its operations."""

from __future__ import annotations

import typing as t

from emulator.kinds import Kind
from emulator.operations import Operation, Parameter
from emulator.paging import Page

if t.TYPE_CHECKING:
    from emulator.operations import ApiRequest
    from emulator.paging import Wanted

KINDS = (Kind("asset_models"),)


def _of_the_types(request: ApiRequest) -> Wanted | None:
    types = request.all("assetModelTypes")
    if not types:
        return None
    # ASSET_MODEL is the default in the service model.
    return lambda model: (model.get("assetModelType") or "ASSET_MODEL") in types


OPERATIONS = (
    Operation(
        "ListAssetModels",
        "/asset-models",
        Page("assetModelSummaries", "asset_models", wanted=_of_the_types),
        parameters=(
            Parameter(
                "assetModelTypes",
                values=("ASSET_MODEL", "COMPONENT_MODEL", "INTERFACE"),
            ),
            Parameter("assetModelVersion", pattern="(LATEST|ACTIVE)", default="LATEST"),
        ),
    ),
)
