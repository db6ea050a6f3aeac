"""Find time series by their property or alias."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from emulator.record import Record
    from emulator.records import Records

SeriesName: t.TypeAlias = "tuple[str, str] | str"
"""The pair of asset ID and property ID, or the alias."""


class SeriesIds:
    """Finds the IDs of time series. Any thread may use it.

    Args:
        plant: The plant with the time series, which may change.
    """

    def __init__(self, plant: Records) -> None:
        """Begin without an index."""
        self._plant = plant
        # As the plant was at some time: what is found must be checked.
        self._ids: dict[object, str] = {}

    def find(self, series: SeriesName) -> str | None:
        """Return the ID of a time series, None if there is none.

        Args:
            series: What names it.
        """
        found = self._ids.get(series)
        if found is None or not self._is(found, series):
            self._ids = {
                name: record["timeSeriesId"]
                for record in self._plant.listing("time_series").records
                for name in (_property(record), record.get("alias"))
            }
            found = self._ids.get(series)
        return found

    def _is(self, series_id: str, series: SeriesName) -> bool:
        try:
            record = self._plant.find("time_series", series_id)
        except KeyError:
            return False
        return series in {_property(record), record.get("alias")}


def _property(record: Record) -> tuple[object, object]:
    return record.get("assetId"), record.get("propertyId")
