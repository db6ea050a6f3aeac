"""The entries of a batch request: what AWS accepts, and what they ask for."""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
from dataclasses import dataclass

from emulator import errors
from emulator.aggregates import MEMBERS, RESOLUTIONS
from emulator.blocks import QUALITIES
from emulator.operations import UUID

if t.TYPE_CHECKING:
    from collections.abc import Collection

    from emulator.record import Record

_ENTRY_ID = "[a-zA-Z0-9_-]{1,64}"
_ALIAS = "[^\x00-\x1f\x7f]{1,2048}"
_LAST_SECOND = 9_223_372_036_854_774


@dataclass(frozen=True)
class Entry:
    """An entry: a time series and, for a history or aggregates, what of it.

    Args:
        entry_id: ID of the entry.
        series: The pair of asset ID and property ID, or the alias.
        after: Epoch seconds (UTC) after which the values are; None for the beginning.
        until: Epoch seconds (UTC) of the last value; None for the present.
        quality: Quality of the values; None for any.
        descending: Whether the latest value comes first.
        types: Aggregate types.
        resolution: Resolution of the aggregates.
    """

    entry_id: str
    series: tuple[str, str] | str
    after: int | None = None
    until: int | None = None
    quality: str | None = None
    descending: bool = False
    types: tuple[str, ...] = ()
    resolution: str = ""


class _Member:
    """A member of the body with its place, for messages."""

    def __init__(self, place: str, name: str, value: object) -> None:
        self.name = f"{place}.{name}" if place else name
        self.value = value

    def refuse(self, rule: str) -> t.NoReturn:
        """Raise the error for an invalid member."""
        value = self.value
        shown = value if value is None or isinstance(value, str) else json.dumps(value)
        raise errors.invalid_request(errors.constraint(shown, self.name, rule))

    def text(self, pattern: str) -> str:
        if self.value is None:
            self.refuse("Member must not be null")
        if not isinstance(self.value, str):
            self.refuse("Member must be a string")
        if not re.fullmatch(pattern, self.value):
            self.refuse(
                f"Member must satisfy regular expression pattern: ^{pattern}$",
            )
        return self.value

    def one_of(self, values: Collection[str]) -> str:
        if self.value is None:
            self.refuse("Member must not be null")
        if not isinstance(self.value, str) or self.value not in values:
            allowed = ", ".join(values)
            self.refuse(f"Member must satisfy enum value set: [{allowed}]")
        return self.value

    def integer(self, least: int, most: int) -> int:
        number = self.value
        if isinstance(number, float) and number.is_integer():
            number = int(number)
        if not isinstance(number, int) or isinstance(number, bool):
            self.refuse("Member must be an integer")
        if number < least:
            self.refuse(f"Member must have value greater than or equal to {least}")
        if number > most:
            self.refuse(f"Member must have value less than or equal to {most}")
        return number

    def items(self, least: int, most: int) -> list[t.Any]:
        if self.value is None:
            self.refuse("Member must not be null")
        if not isinstance(self.value, list):
            self.refuse("Member must be a list")
        if len(self.value) < least:
            self.refuse(f"Member must have length greater than or equal to {least}")
        if len(self.value) > most:
            self.refuse(f"Member must have length less than or equal to {most}")
        return self.value


def body_of(content: object) -> Record:
    """Return the body of a request.

    Args:
        content: The decoded body.

    Raises:
        ApiError: It is not a JSON object.
    """
    if not isinstance(content, dict):
        msg = "The request body must be a JSON object."
        raise errors.invalid_request(msg)
    return content


def selection(body: Record) -> str:
    """Return a text that is the same for the same request, whatever page it asks for.

    Args:
        body: The body.
    """
    asked = {name: body[name] for name in body if name not in _OF_A_PAGE}
    canonical = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    # A token has at most 4096 characters, and a body can have more.
    return hashlib.sha256(canonical.encode()).hexdigest()


_OF_A_PAGE = {"nextToken", "maxResults"}


def max_results(body: Record, default: int, most: int | None) -> int:
    """Return the maximum number of values on a page.

    Args:
        body: The body.
        default: The number if the body has none.
        most: The maximum; None for an operation without ``maxResults``.

    Raises:
        ApiError: It is not a number in this range.
    """
    given = body.get("maxResults")
    if most is None or given is None:
        return default
    return _Member("", "maxResults", given).integer(1, most)


def next_token(body: Record) -> str | None:
    """Return the page token of a request, None for the first page.

    Args:
        body: The body.

    Raises:
        ApiError: It is not a token.
    """
    given = body.get("nextToken")
    if given is None:
        return None
    return _Member("", "nextToken", given).text("[A-Za-z0-9+/=]{1,4096}")


def entries(
    body: Record, most: int, *, dates: bool = False, aggregates: bool = False
) -> list[Entry]:
    """Return the entries of a request.

    Args:
        body: The body.
        most: The maximum number of entries.
        dates: Whether an entry can have dates, qualities and an order.
        aggregates: Whether it must have aggregate types, a resolution and dates.

    Raises:
        ApiError: A member is missing or not allowed.
    """
    found: list[Entry] = []
    given = _Member("", "entries", body.get("entries")).items(1, most)
    for number, entry in enumerate(given, 1):
        place = f"entries.{number}.member"
        if not isinstance(entry, dict):
            _Member("", place, entry).refuse("Member must be a structure")
        members = {
            **_series(place, entry),
            **(_window(place, entry, required=aggregates) if dates else {}),
            **(_aggregates(place, entry) if aggregates else {}),
        }
        found.append(Entry(**members))
    if len({entry.entry_id for entry in found}) < len(found):
        msg = "The entryId of each entry must be unique in the request."
        raise errors.invalid_request(msg)
    return found


def _series(place: str, entry: Record) -> Record:
    def member(name: str) -> _Member:
        return _Member(place, name, entry.get(name))

    found = {"entry_id": member("entryId").text(_ENTRY_ID)}
    given = {name for name in _BY_ID + _BY_ALIAS if entry.get(name) is not None}
    if given == set(_BY_ALIAS):
        return {**found, "series": member("propertyAlias").text(_ALIAS)}
    if given == set(_BY_ID):
        return {**found, "series": tuple(member(name).text(UUID) for name in _BY_ID)}
    msg = (
        f"Entry {found['entry_id']} must have assetId and propertyId, or propertyAlias."
    )
    raise errors.invalid_request(msg)


_BY_ID = ("assetId", "propertyId")
_BY_ALIAS = ("propertyAlias",)


def _window(place: str, entry: Record, *, required: bool) -> Record:
    found: Record = {}
    for member, name in (("startDate", "after"), ("endDate", "until")):
        date = _Member(place, member, entry.get(member))
        if date.value is not None:
            found[name] = date.integer(0, _LAST_SECOND)
        elif required:
            date.refuse("Member must not be null")
    after, until = found.get("after"), found.get("until")
    if after is not None and until is not None and after >= until:
        msg = f"The startDate of entry {entry['entryId']} must be before its endDate."
        raise errors.invalid_request(msg)
    if entry.get("qualities") is not None:
        (quality,) = _Member(place, "qualities", entry["qualities"]).items(1, 1)
        member = f"{place}.qualities"
        found["quality"] = _Member(member, "1.member", quality).one_of(QUALITIES)
    if entry.get("timeOrdering") is not None:
        ordering = _Member(place, "timeOrdering", entry["timeOrdering"])
        found["descending"] = (
            ordering.one_of(("ASCENDING", "DESCENDING")) == "DESCENDING"
        )
    return found


def _aggregates(place: str, entry: Record) -> Record:
    types = _Member(place, "aggregateTypes", entry.get("aggregateTypes"))
    resolution = _Member(place, "resolution", entry.get("resolution"))
    return {
        "types": tuple(
            _Member(types.name, f"{number}.member", each).one_of(MEMBERS)
            for number, each in enumerate(types.items(1, 1000), 1)
        ),
        "resolution": resolution.one_of(RESOLUTIONS),
    }
