"""What kinds of records a plant can hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of record.

    Attributes:
        name: Its plural, such as ``asset_models``: the name of the tap's stream.
        parent: Name of the kind whose records these belong to, such as ``portals`` for
            projects; None for records that belong to the account itself.
        key: Member that holds a record's ID.
    """

    name: str
    parent: str | None = None
    key: str = "id"
