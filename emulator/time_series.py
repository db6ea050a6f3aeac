"""Time series: the kind of record and its operation."""

from __future__ import annotations

import typing as t

from emulator import errors
from emulator.kinds import Kind
from emulator.operations import UUID, Operation, Parameter
from emulator.paging import Page

if t.TYPE_CHECKING:
    from emulator.operations import ApiRequest
    from emulator.paging import Wanted

KINDS = (
    Kind(
        "time_series",
        key="timeSeriesId",
        dates=("timeSeriesCreationDate", "timeSeriesLastUpdateDate"),
        refers={"assetId": "assets"},
    ),
)


def _wanted(request: ApiRequest) -> Wanted | None:
    asset_id, prefix = request.one("assetId"), request.one("aliasPrefix")
    kind = request.one("timeSeriesType")
    if asset_id is not None and prefix is not None:
        msg = "The assetId and aliasPrefix parameters can't be used together."
        raise errors.invalid_request(msg)
    if asset_id is not None and not request.plant.has("assets", asset_id):
        msg = f"Asset with id {asset_id} not found"
        raise errors.not_found(msg)
    if asset_id is prefix is kind is None:
        return None
    return lambda series: (
        asset_id in {None, series.get("assetId")}
        and (series.get("alias") or "").startswith(prefix or "")
        and kind in {None, _type(series.get("assetId"))}
    )


def _type(asset_id: object) -> str:
    return "DISASSOCIATED" if asset_id is None else "ASSOCIATED"


OPERATIONS = (
    Operation(
        "ListTimeSeries",
        "/timeseries/",
        # The only operation whose member begins with a capital letter.
        Page("TimeSeriesSummaries", "time_series", wanted=_wanted),
        parameters=(
            Parameter("assetId", pattern=UUID),
            Parameter("aliasPrefix", pattern=r"[^\x00-\x1f\x7f]+"),
            Parameter("timeSeriesType", values=("ASSOCIATED", "DISASSOCIATED")),
            Parameter("workspaceName", pattern="[a-zA-Z0-9_-]{1,64}"),
        ),
        resource="asset/{assetId}",
    ),
)
