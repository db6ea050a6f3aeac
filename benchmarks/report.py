"""The tables that ``make bench`` prints."""

from __future__ import annotations

import statistics
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.measure import Cost

LIMITS = {
    ("wide", "smallest SDK tap"): 0.20,
    ("wide", "plain boto3"): 0.24,
    ("deep", "smallest SDK tap"): 0.25,
    ("deep", "plain boto3"): 0.37,
    ("assets", "plain boto3"): 0.17,
    ("telemetry", "smallest SDK tap"): 0.15,
    ("telemetry", "plain boto3"): 0.42,
    ("--version", "import singer_sdk"): 1.05,
    ("--discover", "import singer_sdk"): 1.10,
}


class Row(t.NamedTuple):
    """The tap beside another program.

    Args:
        case: What was read.
        peer: The other program.
        ours: Seconds of the tap in each round.
        theirs: Seconds of the other program in each round.
    """

    case: str
    peer: str
    ours: Sequence[float]
    theirs: Sequence[float]

    @property
    def ratio(self) -> float:
        """The tap's best time divided by the best time of the other program."""
        return min(self.ours) / min(self.theirs)

    @property
    def limit(self) -> float:
        """The highest ratio that is accepted."""
        return LIMITS[self.case, self.peer]


def detail(case: str, name: str, costs: list[Cost], calls: int) -> str:
    """Return the line of a program in the table of costs.

    Args:
        case: What was read.
        name: The program.
        costs: What each round took.
        calls: Requests of a round.
    """
    last = costs[-1]
    kinds = last.messages
    return (
        f"| {case} | {name} | {min(c.seconds for c in costs):.2f} "
        f"| {min(c.cpu for c in costs):.2f} "
        f"| {statistics.median(c.peak for c in costs):.0f} | {calls} "
        f"| {kinds.get('SCHEMA', '')} | {kinds.get('STATE', '')} | {last.log_lines} |"
    )


def print_tables(rows: Iterable[Row], details: Iterable[str]) -> None:
    """Print the table of ratios and the table of costs.

    Args:
        rows: Lines of the first table.
        details: Lines of the second one, from :func:`detail`.
    """
    print("\n| case | compared with | ratio | limit | spread: tap | spread: other |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in rows:
        print(
            f"| {row.case} | {row.peer} | {row.ratio:.2f} | {row.limit:.2f} "
            f"| {_spread(row.ours):.0%} | {_spread(row.theirs):.0%} |"
        )
    print(
        "ratio: of the best rounds; spread: how much longer the median round took than "
        "the best one"
    )
    print(
        "\n| case | command | seconds | CPU seconds | peak MiB | calls | SCHEMA "
        "| STATE | log lines |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    print("\n".join(details), flush=True)


def _spread(seconds: Sequence[float]) -> float:
    """Return how much longer the median round took than the best one."""
    return statistics.median(seconds) / min(seconds) - 1
