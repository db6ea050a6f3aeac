"""The data of the emulated account."""

from __future__ import annotations

import itertools
import threading
import typing as t
from collections.abc import Mapping

from emulator import factory, hostile
from emulator.families import KINDS
from emulator.listing import Listing, now
from emulator.maker import Maker

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from emulator.account import Account
    from emulator.kinds import Kind
    from emulator.maker import Make, Record

CONTENTS: Mapping[str, Mapping[str, Make]] = {
    "factory": factory.RECORDS,
    "hostile": hostile.RECORDS,
}
"""What a generated plant can contain: a realistic factory, or difficult values."""

_KINDS = {kind.name: kind for kind in KINDS}
_CHILDREN = {
    kind.name: [child for child in KINDS if child.parent == kind.name] for kind in KINDS
}


class Plant:
    """The records of an account by kind, in wire form.

    Dates are floats: epoch seconds (UTC). A test may add anything else: new members,
    nulls, values out of range. Any thread may read and change a plant while the
    emulator serves it.

    Args:
        maker: Generates a record when ``add`` is called without one.
        records: The records of each kind as the List operation sends them. For a kind
            with a parent, a mapping from the parent's ID to the records.
    """

    def __init__(
        self,
        *,
        maker: Maker | None = None,
        **records: Iterable[Record] | Mapping[str, Iterable[Record]],
    ) -> None:
        """Add the records."""
        self._maker = maker or Maker(CONTENTS["hostile"])
        # Held during a change. Readers need no lock.
        self._lock = threading.RLock()
        # How many records of a kind `make` generated for each parent.
        self._made: dict[str, int] = {}
        # Generators that continue after those records.
        self._further: dict[tuple[str, str | None], Iterator[Record]] = {}
        # The listings of each kind by the parent's ID, None if the kind has no parent.
        self._listings: dict[str, dict[str | None, Listing]] = {
            kind.name: {None: Listing(kind.key)} if kind.parent is None else {}
            for kind in KINDS
        }
        # The listing that contains a record, by kind and the record's ID.
        self._listing_by_id: dict[str, dict[str, Listing]] = {
            kind.name: {} for kind in KINDS
        }
        for kind in KINDS:
            given = records.get(kind.name, ())
            groups = given.items() if isinstance(given, Mapping) else [(None, given)]
            for parent, group in groups:
                for record in group:
                    self.add(kind.name, record, parent=parent)

    @classmethod
    def make(
        cls,
        contents: str = "hostile",
        *,
        seed: int = 7,
        account: Account | None = None,
        **sizes: int,
    ) -> Plant:
        """Generate a plant.

        Args:
            contents: One of ``CONTENTS``.
            seed: The same seed and sizes give the same plant, on any machine.
            account: The account that the records belong to.
            sizes: The number of records of each kind, for a kind with a parent the
                number for each parent. Of other kinds there are no records.

        Raises:
            KeyError: There is no such kind.
        """
        if unknown := sizes.keys() - _KINDS.keys():
            raise KeyError(*unknown)
        plant = cls(maker=Maker(CONTENTS[contents], seed=seed, account=account))
        plant._made = sizes
        for kind in KINDS:
            for parent_id, parent in plant._parents(kind):
                generated = plant._maker.records(kind.name, parent_id, parent)
                for record in itertools.islice(generated, sizes.get(kind.name, 0)):
                    plant.add(kind.name, record, parent=parent_id)
        return plant

    def _parents(self, kind: Kind) -> list[tuple[str | None, Record | None]]:
        """Return a kind's parents with their IDs; one None if it has no parent."""
        if kind.parent is None:
            return [(None, None)]
        return [
            (record[listing.key], record)
            for listing in self._listings[kind.parent].values()
            for record in listing.records
        ]

    # Reading

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

    # Changing

    def generate(self, kind: str, parent: str | None = None) -> Record:
        """Generate a record that is not in the plant yet. It is not added.

        Args:
            kind: Name of the kind.
            parent: ID of the parent, for a kind that has one.

        Raises:
            KeyError: There is no such kind or parent.
        """
        with self._lock:
            self.listing(kind, parent)
            if (kind, parent) not in self._further:
                above = _KINDS[kind].parent
                record = self.find(above, parent) if above and parent else None
                generated = self._maker.records(kind, parent, record)
                made = self._made.get(kind, 0)
                self._further[kind, parent] = itertools.islice(generated, made, None)
            return next(self._further[kind, parent])

    def add(
        self, kind: str, record: Record | None = None, *, parent: str | None = None
    ) -> Record:
        """Add a record at the end of its listing.

        Args:
            kind: Name of the kind.
            record: The record; generated when None.
            parent: ID of the parent, for a kind that has one.

        Returns:
            The record.

        Raises:
            KeyError: There is no such kind or parent.
            ValueError: A record of this kind has the same ID, or the kind has children
                and the record's ID is not a string.
        """
        with self._lock:
            listing = self.listing(kind, parent)
            if record is None:
                record = self.generate(kind, parent)
            record_id = record.get(listing.key)
            if isinstance(record_id, str):
                if record_id in self._listing_by_id[kind]:
                    msg = f"the ID {record_id} exists already in {kind}"
                    raise ValueError(msg)
                self._listing_by_id[kind][record_id] = listing
            # Before the record, so that whoever sees it can list its children.
            for child in _CHILDREN[kind]:
                if not isinstance(record_id, str):
                    msg = f"{listing.key} must be a string in {kind}"
                    raise ValueError(msg)  # noqa: TRY004 - a value of the caller's JSON
                self._listings[child.name][record_id] = Listing(child.key)
            listing.add(record)
            return record

    def delete(self, kind: str, record_id: str) -> None:
        """Delete a record and its children.

        Args:
            kind: Name of the kind.
            record_id: ID of the record.

        Raises:
            KeyError: There is no such record.
        """
        with self._lock:
            self._listing_by_id[kind].pop(record_id).delete(record_id)
            for child in _CHILDREN[kind]:
                for record in self.listing(child.name, record_id).records:
                    child_id = record.get(child.key)
                    if isinstance(child_id, str):
                        self.delete(child.name, child_id)
                del self._listings[child.name][record_id]

    def change(self, kind: str, record_id: str, /, **members: object) -> Record:
        """Set members of a record. Dates change only if given.

        Args:
            kind: Name of the kind.
            record_id: ID of the record.
            members: Names and new values.

        Returns:
            The new record.

        Raises:
            KeyError: There is no such record.
            ValueError: The new ID is not the present one.
        """
        with self._lock:
            listing = self._listing_by_id[kind][record_id]
            record = {**listing.find(record_id), **members}
            listing.replace(record_id, record)
            return record

    def touch(self, kind: str, record_id: str, at: float | None = None) -> Record:
        """Set a record's ``lastUpdateDate``.

        Args:
            kind: Name of the kind.
            record_id: ID of the record.
            at: Epoch seconds (UTC); the current time when None.

        Returns:
            The new record.

        Raises:
            KeyError: There is no such record.
        """
        moment = now() if at is None else at
        return self.change(kind, record_id, lastUpdateDate=moment)
