"""The data of the emulated account."""

from __future__ import annotations

import itertools
import threading
import typing as t
from collections.abc import Mapping

from emulator import factory, hostile
from emulator.families import CHILDREN, KINDS, KINDS_BY_NAME, REFERRING
from emulator.listing import now
from emulator.maker import Maker
from emulator.records import Records, empty_listing
from emulator.values import Values

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from emulator.account import Account
    from emulator.formula import MakeFormula
    from emulator.kinds import Kind
    from emulator.maker import Make
    from emulator.record import Record

CONTENTS: Mapping[str, Mapping[str, Make]] = {
    "factory": factory.RECORDS,
    "hostile": hostile.RECORDS,
}
"""What a generated plant can contain: a realistic factory, or difficult values."""

SIZES: Mapping[str, Mapping[str, int]] = {
    "factory": factory.SIZES,
    "hostile": hostile.SIZES,
}
"""Sizes for the kinds of extra streams, by contents."""


FORMULAS: Mapping[str, MakeFormula] = {
    "factory": factory.formula,
    "hostile": hostile.formula,
}
"""What generates the values of a time series, by contents."""


class Plant(Records):
    """The records of an account by kind, in wire form.

    Dates are floats: epoch seconds (UTC). A test may add anything else: new members,
    nulls, values out of range. Any thread may read and change a plant while the
    emulator serves it. ``values`` are the values of its time series.

    Args:
        maker: Generates a record when ``add`` is called without one.
        formulas: One of ``FORMULAS``: the contents of the values.
        records: The records of each kind as the List operation sends them. For a kind
            with a parent, a mapping from the parent's ID to the records.
    """

    def __init__(
        self,
        *,
        maker: Maker | None = None,
        formulas: str = "hostile",
        **records: Iterable[Record] | Mapping[str, Iterable[Record]],
    ) -> None:
        """Add the records."""
        super().__init__(KINDS)
        self._maker = maker or Maker(CONTENTS["hostile"])
        self.values = Values(self, FORMULAS[formulas], self._maker.seed)
        # Held during a change. Readers need no lock.
        self._lock = threading.RLock()
        # How many records of a kind `make` generated for each parent.
        self._made: dict[str, int] = {}
        # Generators that continue after those records.
        self._further: dict[tuple[str, str | None], Iterator[Record]] = {}
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
                number for each parent. Of other kinds there are no records. ``SIZES``
                has numbers that fit together.

        Raises:
            KeyError: There is no such kind.
        """
        if unknown := sizes.keys() - KINDS_BY_NAME.keys():
            raise KeyError(*unknown)
        maker = Maker(CONTENTS[contents], seed=seed, account=account)
        plant = cls(maker=maker, formulas=contents)
        plant._made = sizes
        for kind in KINDS:
            for parent_id, parent in plant._parents(kind):
                generated = plant._maker.records(plant, kind.name, parent_id, parent)
                for record in itertools.islice(generated, sizes.get(kind.name, 0)):
                    plant.add(kind.name, record, parent=parent_id)
        return plant

    def _parents(self, kind: Kind) -> list[tuple[str | None, Record | None]]:
        """Return a kind's parents with their IDs; one None if it has no parent."""
        if not kind.parents:
            return [(None, None)]
        return [
            (record[listing.key], record)
            for parent in kind.parents
            for listing in self._listings[parent].values()
            for record in listing.records
        ]

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
                record = next(
                    (
                        self.find(above, parent)
                        for above in KINDS_BY_NAME[kind].parents
                        if parent is not None and self.has(above, parent)
                    ),
                    None,
                )
                generated = self._maker.records(self, kind, parent, record)
                made = self._made.get(kind, 0)
                self._further[kind, parent] = itertools.islice(generated, made, None)
            # Of some kinds there are only so many, such as properties of a model.
            empty = {KINDS_BY_NAME[kind].key: self._maker.new_id()}
            return next(self._further[kind, parent], empty)

    def add(
        self, kind: str, record: Record | None = None, *, parent: str | None = None
    ) -> Record:
        """Add a record at the end of its listing. Without an ID, it has no children.

        Args:
            kind: Name of the kind.
            record: The record; generated when None.
            parent: ID of the parent, for a kind that has one.

        Returns:
            The record.

        Raises:
            KeyError: There is no such kind or parent.
            ValueError: A record of this kind has the same ID.
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
                for child in CHILDREN[kind]:
                    of_record = empty_listing(child, record_id)
                    self._listings[child.name][record_id] = of_record
            listing.add(record)
            return record

    def delete(self, kind: str, record_id: str) -> None:
        """Delete a record, its children, and the records that refer to it.

        Args:
            kind: Name of the kind.
            record_id: ID of the record.

        Raises:
            KeyError: There is no such record.
        """
        with self._lock:
            self._listing_by_id[kind].pop(record_id).delete(record_id)
            if kind == "time_series":
                self.values.forget(record_id)
            for child in CHILDREN[kind]:
                for record in self.listing(child.name, record_id).records:
                    child_id = record.get(child.key)
                    if isinstance(child_id, str):
                        self.delete(child.name, child_id)
                del self._listings[child.name][record_id]
            for other, member in REFERRING[kind]:
                for listing in tuple(self._listings[other.name].values()):
                    for record in listing.records:
                        if record.get(member) == record_id:
                            self.delete(other.name, record[other.key])

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
        """Set the date of a record's last change.

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
        return self.change(kind, record_id, **{KINDS_BY_NAME[kind].dates[-1]: moment})
