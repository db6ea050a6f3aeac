"""Codes of AWS Regions, and the Region that another name means."""

from __future__ import annotations

import difflib
import re
import typing as t

from botocore.loaders import create_loader
from botocore.session import get_session

if t.TYPE_CHECKING:
    from collections.abc import Iterator

_LIKE_A_REGION = re.compile(r"[A-Za-z]{2,5}([-_ ][A-Za-z]{2,10}){1,3}[-_ ]?[0-9]{1,2}")


def problems(region: str) -> Iterator[str]:
    """Find what is wrong with the setting ``aws_region``.

    New Regions appear in AWS before botocore lists them, but follow the pattern of
    their partition.

    Args:
        region: The setting.

    Yields:
        A clause if there is a problem. It quotes the setting only if it is a place or
        looks like a Region: the log must not contain a key that was pasted here.
    """
    pattern = "|".join(f"(?:{partition['regionRegex']})" for partition in _partitions())
    if re.fullmatch(pattern, region, re.ASCII):
        return
    respelled = re.sub(r"[_\s]+", "-", region.strip().lower())
    meant = respelled if re.fullmatch(pattern, respelled, re.ASCII) else None
    place = None if meant else _at(region)
    if not meant and not place:
        known = get_session().get_available_regions("iotsitewise")
        meant = next(iter(difflib.get_close_matches(respelled, known, n=1)), None)
    quotable = place or _LIKE_A_REGION.fullmatch(region)
    shown = f"aws_region: {region!r}" if quotable else "aws_region"
    hint = (
        f"did you mean {meant or place}?"
        if meant or place
        else "use a code such as eu-west-1"
    )
    yield f"{shown} is not an AWS Region code; {hint}"


def _at(place: str) -> str | None:
    """Return the only Region whose description contains a place."""
    # For example, Europe (Ireland). An older name is EU (Ireland).
    town = re.sub(r".*\((.+)\)", r"\1", place.strip().lower())
    words = re.compile(rf"\b{re.escape(town)}(?!\w)")
    found = [
        region
        for partition in _partitions()
        for region, about in partition["regions"].items()
        if words.search(about.get("description", "").lower())
    ]
    return found[0] if len(found) == 1 else None


def _partitions() -> list[dict[str, t.Any]]:
    partitions: list[dict[str, t.Any]] = create_loader().load_data("partitions")[
        "partitions"
    ]
    return partitions
