"""The time series whose values the telemetry streams read."""

from __future__ import annotations

import sys
import typing as t
from collections import Counter
from dataclasses import dataclass

from tap_iot_sitewise.errors import NotFoundError, TapError
from tap_iot_sitewise.remembered import Remembered
from tap_iot_sitewise.streams.request import Listing
from tap_iot_sitewise.streams.shard import Shard
from tap_iot_sitewise.streams.time_series import TimeSeries

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_iot_sitewise.aws.paging import Request
    from tap_iot_sitewise.settings import Config
    from tap_iot_sitewise.streams.entity import Entity, Record

READABLE_TYPES = ("DOUBLE", "INTEGER", "STRING", "BOOLEAN")
"""Data types of the time series whose values the API returns."""

FILTERS = (
    "telemetry_asset_ids",
    "telemetry_alias_prefixes",
    "telemetry_property_ids",
)
"""Settings that narrow the time series."""


@dataclass(frozen=True)
class _Narrowed(Listing):
    """The listing of time series, with a request for each asset or alias prefix.

    ListTimeSeries accepts an asset or an alias prefix, but not both.
    """

    def requests(
        self, entity: Entity, config: Config, parents: Iterable[Record]
    ) -> Iterator[Request]:
        """Yield the requests, see :meth:`Listing.requests`."""
        for parameters in _parameters(config):
            each = Listing(self.operation, self.result, parameters=parameters)
            yield from each.requests(entity, config, parents)


def _parameters(config: Config) -> Iterator[dict[str, str]]:
    """Yield the parameters of each request. No time series is in two answers."""
    assets = config.get("telemetry_asset_ids")
    prefixes = sorted(set(config.get("telemetry_alias_prefixes") or ()))
    if assets:
        for asset in dict.fromkeys(assets):
            yield {"assetId": asset}
    elif prefixes:
        longest: str | None = None
        for prefix in prefixes:
            # Sorted: a prefix follows the one that it begins with.
            if longest is None or not prefix.startswith(longest):
                longest = prefix
                yield {"aliasPrefix": prefix}
    else:
        yield {}


class TelemetryTimeSeries(TimeSeries):
    """Time series that have values that can be read, narrowed by the settings.

    Only those of this run's shard are parents of the telemetry streams. The stream
    sends nothing. The stream ``time_series`` is another one: no setting narrows it.
    """

    name = "telemetry_time_series"
    request = _Narrowed(TimeSeries.request.operation, TimeSeries.request.result)

    @override
    def pages(self) -> Iterator[list[Record]]:
        self._seen = Remembered()
        self._others: Counter[str] = Counter()
        self._matched = False
        try:
            yield from super().pages()
        except NotFoundError as error:
            msg = f"{error}; correct or remove its ID in telemetry_asset_ids"
            raise TapError(msg) from error
        if self._others:
            types = ", ".join(f"{n} {name}" for name, n in sorted(self._others.items()))
            self.logger.info(
                "%d time series have no values that can be read and are left out (%s)",
                self._others.total(),
                types,
            )
        given = [name for name in FILTERS if self.config.get(name)]
        if given and not self._matched:
            self.logger.warning(
                "no time series matches %s; nothing is read", " and ".join(given)
            )

    @override
    def parents_in(self, records: list[Record]) -> list[Record]:
        prefixes = tuple(self.config.get("telemetry_alias_prefixes") or ())
        properties = self.config.get("telemetry_property_ids") or ()
        shard = Shard.of(self.config)
        kept = []
        for record in records:
            if prefixes and not (record["alias"] or "").startswith(prefixes):
                continue
            if properties and record["property_id"] not in properties:
                continue
            if record["data_type"] not in READABLE_TYPES:
                self._others[str(record["data_type"])] += 1
            elif self._seen.is_new(record["time_series_id"]):
                self._matched = True
                if shard.has([record["time_series_id"]]):
                    kept.append(record)
        return kept
