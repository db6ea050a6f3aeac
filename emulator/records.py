"""The records of an account, and how they are read."""

from __future__ import annotations

import typing as t

from emulator.listing import Listing

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from emulator.kinds import Kind
    from emulator.record import Record


def empty_listing(kind: Kind, parent: str | None = None) -> Listing:
    """Return a listing without records.

    Args:
        kind: Kind of the records.
        parent: ID of the parent, for a kind that has one.
    """
    return Listing(kind.key, parent, kind.wire)


class Records:
    """The records of an account by kind. Any thread may read them.

    Args:
        kinds: The kinds, parents before their children.
    """

    def __init__(self, kinds: Iterable[Kind]) -> None:
        """Begin without records."""
        # The listings of each kind by the parent's ID, None if the kind has no parent.
        self._listings: dict[str, dict[str | None, Listing]] = {
            kind.name: {} if kind.parents else {None: empty_listing(kind)}
            for kind in kinds
        }
        # The listing that contains a record, by kind and the record's ID.
        self._listing_by_id: dict[str, dict[str, Listing]] = {
            kind: {} for kind in self._listings
        }

    @property
    def asset_models(self) -> tuple[Record, ...]:
        """All asset models, in the order of ListAssetModels. Not to be altered."""
        return self.listing("asset_models").records

    @property
    def portals(self) -> tuple[Record, ...]:
        """All portals, in the order of ListPortals. Not to be altered."""
        return self.listing("portals").records

    @property
    def projects(self) -> dict[str, tuple[Record, ...]]:
        """The projects of each portal by its ID, in the order of ListPortals."""
        return self.by_parent("projects")

    def by_parent(self, kind: str) -> dict[str, tuple[Record, ...]]:
        """Return all records of a kind that has parents, by the parent's ID.

        Args:
            kind: Name of the kind.
        """
        return {
            parent: listing.records
            for parent, listing in tuple(self._listings[kind].items())
            if parent is not None
        }

    def listings(self, kind: str) -> tuple[Listing, ...]:
        """Return all listings of a kind: one for each parent.

        Args:
            kind: Name of the kind.
        """
        return tuple(self._listings[kind].values())

    def listing(self, kind: str, parent: str | None = None) -> Listing:
        """Return the listing that a List operation pages through.

        Args:
            kind: Name of the kind.
            parent: ID of the parent, for a kind that has one.

        Raises:
            KeyError: There is no such kind or parent.
        """
        return self._listings[kind][parent]

    def find(self, kind: str, record_id: str) -> Record:
        """Return a record. Not to be altered.

        Args:
            kind: Name of the kind.
            record_id: ID of the record.

        Raises:
            KeyError: There is no such record.
        """
        return self._listing_by_id[kind][record_id].find(record_id)

    def has(self, kind: str, record_id: str) -> bool:
        """Return whether there is a record.

        Args:
            kind: Name of the kind.
            record_id: ID of the record.
        """
        return record_id in self._listing_by_id[kind]

    def parent(self, kind: str, record_id: str) -> str | None:
        """Return the ID of a record's parent, None for a kind without parents.

        Args:
            kind: Name of the kind.
            record_id: ID of the record.

        Raises:
            KeyError: There is no such record.
        """
        return self._listing_by_id[kind][record_id].parent
