"""What the emulated account holds."""

from __future__ import annotations

import itertools
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
"""What a made-up plant can hold: a believable factory, or what is hard to carry."""

_KINDS = {kind.name: kind for kind in KINDS}
_CHILDREN = {
    kind.name: [child for child in KINDS if child.parent == kind.name] for kind in KINDS
}


class Plant:
    """The records of an account by their kind, in wire form.

    Dates are epoch seconds (UTC) as floats. A test may put anything else in as well:
    new members, nulls, values out of range. A plant may be read and changed from any
    thread while it is being served.

    Args:
        maker: Where ``add`` takes its records from when it is given none.
        records: For each kind its records as the List operation sends them; for a kind
            with a parent, the records by the parent's ID.
    """

    def __init__(
        self,
        *,
        maker: Maker | None = None,
        **records: Iterable[Record] | Mapping[str, Iterable[Record]],
    ) -> None:
        """Take over the records."""
        self._maker = maker or Maker(CONTENTS["hostile"])
        # What the maker has made already: how many of a kind for each parent.
        self._made: dict[str, int] = {}
        self._more: dict[tuple[str, str | None], Iterator[Record]] = {}
        # For each kind its listings by the ID of the parent, which is None where a kind
        # has no parent.
        self._listings: dict[str, dict[str | None, Listing]] = {
            kind.name: {None: Listing(kind.key)} if kind.parent is None else {}
            for kind in KINDS
        }
        for kind in KINDS:
            given = records.get(kind.name, ())
            groups = given.items() if isinstance(given, Mapping) else [(None, given)]
            for parent, group in groups:
                for record in group:
                    self.add(kind.name, record, parent=parent)

    @classmethod
    def make(  # noqa: PLR0913 - the three sizes and what is made up
        cls,
        contents: str = "hostile",
        *,
        asset_models: int = 30,
        portals: int = 5,
        projects_per_portal: int = 4,
        seed: int = 7,
        account: Account | None = None,
    ) -> Plant:
        """Make up a plant.

        Args:
            contents: What it holds, one of ``CONTENTS``.
            asset_models: How many.
            portals: How many.
            projects_per_portal: How many in each portal.
            seed: The same seed and sizes make the same plant, on any machine.
            account: The account that it belongs to.
        """
        plant = cls(maker=Maker(CONTENTS[contents], seed=seed, account=account))
        plant._made = {
            "asset_models": asset_models,
            "portals": portals,
            "projects": projects_per_portal,
        }
        for kind in KINDS:
            # Not by the IDs of the parents: to find a record takes time that grows with
            # the number of records.
            for parent_id, parent in plant._parents(kind):
                made = plant._maker.records(kind.name, parent)
                for record in itertools.islice(made, plant._made[kind.name]):
                    plant.add(kind.name, record, parent=parent_id)
        return plant

    def _parents(self, kind: Kind) -> list[tuple[str | None, Record | None]]:
        """Return the parents of a kind with their IDs, or None for no parent."""
        if kind.parent is None:
            return [(None, None)]
        return [
            (record[listing.key], record)
            for listing in self._listings[kind.parent].values()
            for record in listing.records
        ]

    # What there is

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
        return self._listing_of(kind, record_id).find(record_id)

    # What happens to it

    def add(
        self, kind: str, record: Record | None = None, *, parent: str | None = None
    ) -> Record:
        """Add a record at the end of its listing.

        Args:
            kind: Name of the kind.
            record: The record; a made-up one when None.
            parent: ID of the parent, for a kind that has one.

        Returns:
            The record.

        Raises:
            KeyError: There is no such kind or parent.
        """
        listing = self.listing(kind, parent)
        if record is None:
            record = self.made_up(kind, parent)
        # Before the record, so that whoever sees it can ask for its children.
        for child in _CHILDREN[kind]:
            self._listings[child.name][record[listing.key]] = Listing(child.key)
        listing.add(record)
        return record

    def delete(self, kind: str, record_id: str) -> None:
        """Delete a record and all that belongs to it.

        Args:
            kind: Name of the kind.
            record_id: ID of the record.

        Raises:
            KeyError: There is no such record.
        """
        self._listing_of(kind, record_id).delete(record_id)
        for child in _CHILDREN[kind]:
            for record in self.listing(child.name, record_id).records:
                self.delete(child.name, record[child.key])
            del self._listings[child.name][record_id]

    def change(self, kind: str, record_id: str, /, **members: object) -> Record:
        """Set members of a record, and no date but those given.

        Args:
            kind: Name of the kind.
            record_id: ID of the record.
            members: Names and new values.

        Returns:
            The new record.

        Raises:
            KeyError: There is no such record.
        """
        listing = self._listing_of(kind, record_id)
        record = {**listing.find(record_id), **members}
        listing.replace(record_id, record)
        return record

    def touch(self, kind: str, record_id: str, at: float | None = None) -> Record:
        """Set a record's ``lastUpdateDate``.

        Args:
            kind: Name of the kind.
            record_id: ID of the record.
            at: Epoch seconds; now when None.

        Returns:
            The new record.

        Raises:
            KeyError: There is no such record.
        """
        moment = now() if at is None else at
        return self.change(kind, record_id, lastUpdateDate=moment)

    def _listing_of(self, kind: str, record_id: str) -> Listing:
        for listing in tuple(self._listings[kind].values()):
            if record_id in listing:
                return listing
        raise KeyError(record_id)

    def made_up(self, kind: str, parent: str | None = None) -> Record:
        """Return a made-up record that is not in the plant yet. It is not added.

        Args:
            kind: Name of the kind.
            parent: ID of the parent, for a kind that has one.

        Raises:
            KeyError: There is no such kind or parent.
        """
        if (kind, parent) not in self._more:
            # Continue after what `make` took.
            made = self._made.get(kind, 0)
            further = itertools.islice(self._source(kind, parent), made, None)
            self._more[kind, parent] = further
        return next(self._more[kind, parent])

    def _source(self, kind: str, parent: str | None) -> Iterator[Record]:
        above = _KINDS[kind].parent
        if above is None or parent is None:
            return self._maker.records(kind)
        return self._maker.records(kind, self.find(above, parent))
