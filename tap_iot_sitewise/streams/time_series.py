"""Time series, which SiteWise also calls data streams."""

from __future__ import annotations

from tap_iot_sitewise.streams.asset_models import DATA_TYPES
from tap_iot_sitewise.streams.attribute import key, text, timestamp
from tap_iot_sitewise.streams.entity import Entity
from tap_iot_sitewise.streams.request import Listing
from tap_iot_sitewise.streams.stream import SiteWiseStream


class TimeSeries(SiteWiseStream):
    """Time series of the Region, those without an asset included."""

    name = "time_series"
    entity = Entity(
        "TimeSeriesSummary",
        key("time_series_id", "ID of the time series."),
        text("asset_id", "ID of the asset that the time series belongs to, if any."),
        text("property_id", "ID of the property of the asset, if any."),
        text("alias", "Alias of the time series, if it has one."),
        text("data_type", "Type of the values.", *DATA_TYPES),
        text("data_type_spec", "Structure of the values, if their type is STRUCT."),
        text("arn", "ARN of the time series.", member="timeSeriesArn"),
        timestamp(
            "creation_date",
            "When the time series was created, in UTC.",
            member="timeSeriesCreationDate",
        ),
        timestamp(
            "last_update_date",
            "When the time series was last updated, in UTC.",
            member="timeSeriesLastUpdateDate",
            marks_change=True,
        ),
    )
    # The only operation whose member begins with a capital letter.
    request = Listing("ListTimeSeries", "TimeSeriesSummaries")
