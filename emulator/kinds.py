"""Kinds of records that a plant can contain."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from emulator.record import Record

DATES = ("creationDate", "lastUpdateDate")
"""The usual members for the dates of the creation and of the last change."""


def _itself(record: Record) -> object:
    return record


@dataclass(frozen=True)
class Kind:
    """A kind of record.

    Args:
        name: Its plural, such as ``asset_models``, as the stream is named.
        parents: Names of the kinds whose records these belong to, such as ``portals``
            for projects; none for records that belong to the account itself.
        key: Member that holds a record's ID, which is unique among all records of the
            kind. It can be a member that the API does not send, see ``wire``.
        wire: Returns what the API sends for a record; the record itself by default.
        dates: Members with the dates of the creation and of the last change.
        refers: Names of kinds, by the member that holds the ID of such a record. If
            that record is deleted, this one is, too.
    """

    name: str
    parents: tuple[str, ...] = ()
    key: str = "id"
    wire: Callable[[Record], object] = _itself
    dates: tuple[str, ...] = DATES
    refers: Mapping[str, str] = field(default_factory=dict)
