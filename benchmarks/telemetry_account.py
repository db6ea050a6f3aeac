"""Serves an emulated account with dense time series until a signal.

Like ``python -m emulator``, it prints the settings that reach the account. Each value
is a double. An account has no other records than time series.
"""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import threading
import typing as t
import uuid

from emulator.command_line import settings
from emulator.emulator import Emulator
from emulator.plant import Plant

if t.TYPE_CHECKING:
    from collections.abc import Iterator

_CREATED = 1_704_067_200.0
"""2024-01-01 in UTC."""


def time_series(count: int) -> Iterator[dict[str, t.Any]]:
    """Yield the records of time series of assets, in wire form.

    Args:
        count: How many.
    """
    for number in range(count):
        asset_id, property_id = (
            str(uuid.UUID(int=number, version=version)) for version in (4, 5)
        )
        yield {
            "assetId": asset_id,
            "propertyId": property_id,
            "alias": f"/plant/line-{number // 16}/sensor-{number}/temperature",
            "timeSeriesId": f"{asset_id}:{property_id}",
            "dataType": "DOUBLE",
            "timeSeriesCreationDate": _CREATED,
            "timeSeriesLastUpdateDate": _CREATED,
        }


def plant(series: int, dense: int, every: int) -> Plant:
    """Return a plant of time series.

    Args:
        series: Number of time series.
        dense: How many of them have values. The others never had one.
        every: Seconds from one value to the next.
    """
    made = Plant(time_series=time_series(series))
    for number, record in enumerate(made.listing("time_series").records):
        if number < dense:
            made.values.regular(record["timeSeriesId"], every)
        else:
            made.values.replace(record["timeSeriesId"], ())
    return made


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, required=True)
    parser.add_argument("--dense", type=int, required=True)
    parser.add_argument("--every", type=int, required=True)
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Emulator(plant=plant(options.series, options.dense, options.every)) as aws:
        for name, value in settings(aws).items():
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
        sys.stdout.flush()
        stop.wait()


if __name__ == "__main__":
    main()
