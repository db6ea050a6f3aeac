"""Names of sites, and dates, that all records of a factory share."""

from __future__ import annotations

import itertools
import typing as t
from datetime import datetime, timezone

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.maker import Source
    from emulator.record import Record

OPENED = datetime(2019, 6, 3, tzinfo=timezone.utc).timestamp()
"""The earliest creation date, in epoch seconds."""
_LAST_CREATED = datetime(2024, 12, 20, tzinfo=timezone.utc).timestamp()
_LAST_UPDATED = datetime(2025, 6, 30, tzinfo=timezone.utc).timestamp()

# Two sites at a time, so that a small plant has two sites with several portals each.
_CITIES = (
    ("Cork", "Hamburg"),
    ("Lyon", "Turin"),
    ("Porto", "Malmö"),
    ("Ghent", "Graz"),
    ("Brno", "Bilbao"),
    ("Leiden", "Odense"),
    ("Austin", "Monterrey"),
    ("Curitiba", "Pune"),
    ("Penang", "Suzhou"),
    ("Nagoya", "Ulsan"),
)


def site_groups() -> Iterator[tuple[str, ...]]:
    """Yield the names of two sites at a time, without end.

    From the second time through the list, the names have a number.
    """
    for round_number in itertools.count(1):
        suffix = "" if round_number == 1 else f" {round_number}"
        for cities in _CITIES:
            yield tuple(city + suffix for city in cities)


def sites() -> Iterator[str]:
    """Yield the names of all sites, without end."""
    return itertools.chain.from_iterable(site_groups())


def dates(source: Source, since: float) -> Record:
    """Return the dates of a record, in epoch seconds with millisecond precision.

    Args:
        source: Where random numbers come from.
        since: The earliest creation date, in epoch seconds.
    """
    created = since + source.rng.random() * max(0.0, _LAST_CREATED - since)
    updated = created + source.rng.random() * max(0.0, _LAST_UPDATED - created)
    return {"creationDate": round(created, 3), "lastUpdateDate": round(updated, 3)}
