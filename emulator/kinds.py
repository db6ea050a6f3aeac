"""Kinds of records that a plant can contain."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of record.

    Args:
        name: Its plural, such as ``asset_models``, as the stream is named.
        parent: Name of the kind whose records these belong to, such as ``portals`` for
            projects; None for records that belong to the account itself.
        key: Member that holds a record's ID.
    """

    name: str
    parent: str | None = None
    key: str = "id"
