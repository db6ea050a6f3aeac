"""When the machines of a factory run: shifts, set-ups and breakdowns."""

from __future__ import annotations

import functools
import typing as t

from emulator.blocks import DAY

if t.TYPE_CHECKING:
    from emulator.formula import FormulaSource

SHIFT_STARTS = (6 * 3600, 14 * 3600, 22 * 3600)
"""Seconds of the day (UTC) at which a shift starts. Nobody works in the last one."""
_SATURDAY = 5
# After RUNNING comes one of these, with its shortest and longest duration in minutes.
_STOPS = (
    ("IDLE", 2, 15),
    ("IDLE", 2, 15),
    ("SETUP", 10, 45),
    ("FAULT", 4, 60),
    ("BLOCKED", 1, 8),
)


class Phase(t.NamedTuple):
    """A time in which the state of a machine does not change.

    Args:
        start: Seconds of the day (UTC) at which it starts.
        end: Seconds of the day at which it ends.
        state: The state, such as ``RUNNING``.
    """

    start: int
    end: int
    state: str

    @property
    def running(self) -> bool:
        """Whether the machine runs."""
        return self.state == "RUNNING"


def weekday(day: int) -> int:
    """Return the day of the week, 0 for Monday.

    Args:
        day: Number of days since 1970-01-01, a Thursday.
    """
    return (day + 3) % 7


class Machine:
    """A machine whose time series agree with each other.

    Args:
        source: What the values are made from.
        name: What identifies the machine in the plant.
    """

    def __init__(self, source: FormulaSource, name: str) -> None:
        """Choose the speed of the machine."""
        self._source = source
        self._name = name
        self._cached_phases = functools.lru_cache(maxsize=8)(self._phases)
        rng = source.rng("machine", name)
        self.cycle_seconds = rng.choice((4, 6, 9, 12, 20))
        self._works_on_saturday = rng.random() < 0.5  # noqa: PLR2004 - every second one

    def phases(self, day: int) -> tuple[Phase, ...]:
        """Return the phases of a day, from its first second to its last.

        Args:
            day: Number of days since 1970-01-01 (UTC).
        """
        return self._cached_phases(day)

    def _phases(self, day: int) -> tuple[Phase, ...]:
        start, _, end = SHIFT_STARTS
        if weekday(day) == _SATURDAY:
            end = SHIFT_STARTS[1]
        if weekday(day) >= _SATURDAY + self._works_on_saturday:
            return (Phase(0, DAY, "OFF"),)
        rng = self._source.rng("phases", self._name, day)
        found = [Phase(0, start + rng.randrange(600), "OFF")]
        while found[-1].end < end:
            state, shortest, longest = "RUNNING", 20, 120
            if found[-1].running:
                state, shortest, longest = rng.choice(_STOPS)
            begin = found[-1].end
            length = rng.randrange(shortest * 60, longest * 60)
            found.append(Phase(begin, min(begin + length, end), state))
        found.append(Phase(end, DAY, "OFF"))
        return tuple(found)

    def running_seconds(self, day: int, start: int, end: int) -> int:
        """Return how long the machine runs in a part of a day.

        Args:
            day: Number of days since 1970-01-01 (UTC).
            start: Seconds of the day.
            end: Seconds of the day.
        """
        return sum(
            max(0, min(end, phase.end) - max(start, phase.start))
            for phase in self.phases(day)
            if phase.running
        )

    def parts(self, day: int, second: int) -> int:
        """Return the counter of good parts, which a shift starts with 0.

        Args:
            day: Number of days since 1970-01-01 (UTC).
            second: Seconds of the day.
        """
        start = max((each for each in SHIFT_STARTS if each <= second), default=0)
        return self.running_seconds(day, start, second) // self.cycle_seconds
