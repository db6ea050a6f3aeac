"""Generates the records of a plant. Each kind has its own random numbers."""

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
    """What the records of one kind are generated from.

    Args:
        rng: Random numbers, the same for the same seed on every machine.
        account: The account that the records belong to.
    """

    rng: random.Random
    account: Account

    def entity_id(self) -> str:
        """Return a version 4 UUID as SiteWise writes it: lower case, with hyphens."""
        digits = f"{self.rng.getrandbits(128):032x}"
        fourth = "89ab"[int(digits[16], 16) % 4] + digits[17:20]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{fourth}-{digits[20:]}"


Make: t.TypeAlias = "Callable[[Source, Record | None], Iterator[Record]]"
"""Generates records of one kind without end, given the parent if the kind has one."""


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
        self._seed = seed
        self._account = account or Account()

    def records(
        self, kind: str, parent_id: str | None = None, parent: Record | None = None
    ) -> Iterator[Record]:
        """Generate records of a kind without end.

        Args:
            kind: Name of the kind, such as ``projects``.
            parent_id: ID of the parent, for a kind that has one.
            parent: Record of the parent, for a kind that has one.

        Raises:
            KeyError: There is no such kind.
        """
        parts = [self._seed, kind]
        if parent_id is not None:
            parts.append(parent_id)
        # They must be the same on every machine. They need not be hard to guess.
        rng = random.Random("/".join(map(str, parts)))  # noqa: S311
        return self._contents[kind](Source(rng, self._account), parent)
