"""Divides the records of a run among several runs."""

from __future__ import annotations

import typing as t
import zlib
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_iot_sitewise.settings import Config


@dataclass(frozen=True)
class Shard:
    """One of the runs that share the work.

    Args:
        index: Number of this run, beginning with 0.
        count: Number of runs.
    """

    index: int
    count: int

    @classmethod
    def of(cls, config: Config) -> Shard:
        """Return the shard of a run.

        Args:
            config: Settings, valid.
        """
        return cls(config["shard_index"], config["shard_count"])

    @property
    def is_first(self) -> bool:
        """Whether this shard sends the streams without a parent."""
        return self.index == 0

    def has(self, key: Iterable[object]) -> bool:
        """Return whether a key belongs to this shard.

        The CRC-32 of the key decides. It is the same on every machine and Python.

        Args:
            key: Values of the columns that identify a parent or a time series.
        """
        if self.count == 1:
            return True
        text = "\n".join(map(str, key))
        return zlib.crc32(text.encode()) % self.count == self.index

    def __str__(self) -> str:
        """Return, for example, ``0 of 4``."""
        return f"{self.index} of {self.count}"
