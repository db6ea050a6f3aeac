"""The streams of SiteWise: a file per family declares its entities and streams."""

from __future__ import annotations

from tap_iot_sitewise.streams.asset_models import AssetModels
from tap_iot_sitewise.streams.monitor import Portals, Projects
from tap_iot_sitewise.streams.stream import SiteWiseStream

STREAMS = (AssetModels, Portals, Projects)
"""The streams of the tap."""

__all__ = ["STREAMS", "SiteWiseStream"]
