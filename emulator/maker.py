"""Generates the records of a plant. Each kind has its own random numbers."""

from __future__ import annotations

import hashlib
import random
import typing as t
from dataclasses import dataclass

from emulator.account import Account

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from emulator.record import Record
    from emulator.records import Records


@dataclass(frozen=True)
class Source:
    """What the records of one kind are generated from.

    Args:
        rng: Random numbers, the same for the same seed on every machine.
        account: The account that the records belong to.
        plant: The plant, with the records of the kinds before this one.
        parent_id: ID of the parent, for a kind that has one.
        seed: The seed of the plant.
    """

    rng: random.Random
    account: Account
    plant: Records
    parent_id: str | None
    seed: int

    def entity_id(self) -> str:
        """Return a version 4 UUID as SiteWise writes it: lower case, with hyphens."""
        return _uuid(f"{self.rng.getrandbits(128):032x}")

    def named_id(self, *names: str) -> str:
        """Return the ID of a thing with a name, so that others can refer to it.

        Args:
            names: What identifies the thing in the plant.
        """
        text = "/".join((str(self.seed), *names))
        return _uuid(hashlib.sha256(text.encode()).hexdigest())


def _uuid(digits: str) -> str:
    fourth = "89ab"[int(digits[16], 16) % 4] + digits[17:20]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{fourth}-{digits[20:32]}"


Make: t.TypeAlias = "Callable[[Source, Record | None], Iterator[Record]]"
"""Generates records of one kind, given the parent if the kind has one."""


class Maker:
    """Generates the records of an account.

    Each kind has its own random numbers; if it has a parent, each parent too. So the
    first ten asset models are the same in a plant of ten and in a plant of a thousand.

    Args:
        contents: The function that generates records, for each kind.
        seed: The same seed gives the same records.
        account: The account that the records belong to.
    """

    def __init__(
        self,
        contents: Mapping[str, Make],
        *,
        seed: int = 7,
        account: Account | None = None,
    ) -> None:
        """Keep the arguments. Nothing is generated yet."""
        self._contents = contents
        self.seed = seed
        self._account = account or Account()
        self._new_ids: random.Random | None = None

    def records(
        self,
        plant: Records,
        kind: str,
        parent_id: str | None = None,
        parent: Record | None = None,
    ) -> Iterator[Record]:
        """Generate records of a kind, for some kinds without end.

        Args:
            plant: The plant, with the records of the kinds before this one.
            kind: Name of the kind, such as ``projects``.
            parent_id: ID of the parent, for a kind that has one.
            parent: Record of the parent, for a kind that has one.

        Raises:
            KeyError: There is no such kind.
        """
        parts = [self.seed, kind]
        if parent_id is not None:
            parts.append(parent_id)
        # They must be the same on every machine. They need not be hard to guess.
        rng = random.Random("/".join(map(str, parts)))  # noqa: S311
        source = Source(rng, self._account, plant, parent_id, self.seed)
        return self._contents[kind](source, parent)

    def new_id(self) -> str:
        """Return an ID that nothing has yet."""
        self._new_ids = self._new_ids or random.Random(f"{self.seed}/new")  # noqa: S311
        return _uuid(f"{self._new_ids.getrandbits(128):032x}")
