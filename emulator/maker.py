"""Makes up the records of a plant, each kind from a random source of its own."""

from __future__ import annotations

import random
import typing as t
from dataclasses import dataclass

from emulator.account import Account

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Record = dict[str, t.Any]
"""An entity in *wire form*: the JSON object that the API sends for it."""


@dataclass(frozen=True)
class Source:
    """What a record is made from.

    Attributes:
        dice: Random numbers, the same for the same seed on every machine.
        account: The account that the record belongs to.
    """

    dice: random.Random
    account: Account

    def entity_id(self) -> str:
        """Return a version 4 UUID as SiteWise writes it: lower case, with hyphens."""
        digits = f"{self.dice.getrandbits(128):032x}"
        fourth = "89ab"[int(digits[16], 16) % 4] + digits[17:20]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{fourth}-{digits[20:]}"


Make: t.TypeAlias = "Callable[[Source, Record | None], Iterator[Record]]"
"""Makes the records of one kind without end; of one parent, where the kind has one."""


class Maker:
    """Makes the records of one made-up account.

    Each kind, and each parent's children, have a random source of their own. So the
    first ten asset models are the same in a plant of ten and in one of a thousand.

    Args:
        contents: For each kind of record the function that makes it.
        seed: The same seed makes the same records.
        account: The account that the records belong to.
    """

    def __init__(
        self,
        contents: Mapping[str, Make],
        *,
        seed: int = 7,
        account: Account | None = None,
    ) -> None:
        """Take over what there is to make."""
        self._contents = contents
        self._seed = seed
        self._account = account or Account()

    def records(self, kind: str, parent: Record | None = None) -> Iterator[Record]:
        """Return the records of a kind, without end.

        Args:
            kind: Name of the kind, such as ``projects``.
            parent: Record of the parent, for a kind that has one.
        """
        parts = [self._seed, kind]
        if parent is not None:
            parts.append(parent["id"])
        # The plant has to be the same on every machine, not hard to guess.
        dice = random.Random("/".join(map(str, parts)))  # noqa: S311
        return self._contents[kind](Source(dice, self._account), parent)
