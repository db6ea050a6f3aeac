"""The values of time series: the tap beside its peers, overlap, and memory."""

from __future__ import annotations

import datetime as dt
import sys
import typing as t

from benchmarks.measure import TAP, Command, Cost, run, served
from benchmarks.report import Row, detail

if t.TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from benchmarks.measure import Account

SDK_TAP: Command = (sys.executable, "-m", "benchmarks.telemetry_sdk_tap")
PLAIN_BOTO3: Command = (sys.executable, "-m", "benchmarks.telemetry_boto3")
PEERS: dict[str, Command] = {"smallest SDK tap": SDK_TAP, "plain boto3": PLAIN_BOTO3}

SERIES = 160
"""Time series with values: ten full requests of 16."""
EVERY, SPAN = 12, 75_000
"""Seconds from one value to the next, and of all values of a time series: 6,250."""
VALUES = SERIES * SPAN // EVERY
ROUNDS = 3
"""A round takes the smallest SDK tap most of a minute."""
LATENCY = 0.05
MEMORY_LIMIT = 190
"""Most MiB of the tap with ``max_concurrency`` 4."""

_START = dt.datetime(2024, 5, 1, tzinfo=dt.timezone.utc)
_DAY = 86_400


class ValuesLostError(Exception):
    """A program did not print every value."""


class _Load(t.NamedTuple):
    """Time series, and the settings that read their values.

    Args:
        series: Number of time series.
        dense: How many of them have values. The others never had one.
        every: Seconds from one value to the next.
        span: Seconds that the values are read from.
        window: The setting ``telemetry_window``.
    """

    series: int
    dense: int
    every: int
    span: int
    window: str = "P1D"

    @property
    def values(self) -> int:
        return self.dense * self.span // self.every

    def account(self) -> AbstractContextManager[Account]:
        line = [sys.executable, "-m", "benchmarks.telemetry_account"]
        for name in ("series", "dense", "every"):
            line += [f"--{name}", str(getattr(self, name))]
        return served(line)

    def run(self, command: Command, account: Account, **settings: object) -> Cost:
        """Run a command, and check that it printed every value."""
        cost = run(
            command,
            account.environment,
            extra_streams="property_value_history",
            start_date=_START.isoformat(),
            end_date=(_START + dt.timedelta(seconds=self.span)).isoformat(),
            telemetry_window=self.window,
            **settings,
        )
        printed = cost.messages["RECORD"] if cost.messages else cost.lines
        if printed != self.values:
            msg = f"{command} printed {printed} values of {self.values}"
            raise ValuesLostError(msg)
        return cost


_DENSE = _Load(SERIES, SERIES, EVERY, SPAN)

MEMORY_LOADS = {
    "100 time series, a day": _Load(100, 100, 10, _DAY),
    "100 time series, a year": _Load(100, 100, 3600, 365 * _DAY, "P365D"),
    "100 time series, a year in windows of a day": _Load(100, 100, 3600, 365 * _DAY),
    "100,000 time series, a day": _Load(100_000, 100, 10, _DAY),
    "100,000 time series, a year": _Load(100_000, 100, 3600, 365 * _DAY, "P365D"),
}
"""Only 100 time series have values. Otherwise, full pages would take hours. Windows of
a day give full pages for a day, and a window of a year for a year."""


def compare(rounds: int) -> tuple[list[Row], list[str]]:
    """Read a million values, the tap and its peers in turn.

    Args:
        rounds: How often.

    Returns:
        The lines of the two tables.

    Raises:
        ValuesLostError: The programs did not print the same number of values.
    """
    commands = {"tap": TAP, **PEERS}
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    calls = {}
    with _DENSE.account() as account:
        # The emulator generates the values when they are read for the first time.
        _DENSE.run(TAP, account)
        for _ in range(rounds):
            for name, command in commands.items():
                before = account.calls()
                costs[name].append(_DENSE.run(command, account))
                calls[name] = account.calls() - before
    seconds = {name: [c.seconds for c in costs[name]] for name in commands}
    rows = [Row("telemetry", name, seconds["tap"], seconds[name]) for name in PEERS]
    return rows, [detail("telemetry", n, costs[n], calls[n]) for n in commands]


def print_speed(rounds: int) -> None:
    """Print the values a second, with and without latency.

    Args:
        rounds: How often each is measured.
    """
    costs: dict[float, list[Cost]] = {0.0: [], LATENCY: []}
    with _DENSE.account() as account:
        _DENSE.run(TAP, account)
        for _ in range(rounds):
            for latency, measured in costs.items():
                account.set_latency(latency)
                measured.append(_DENSE.run(TAP, account))
    seconds, late = (min(c.seconds for c in measured) for measured in costs.values())
    cpu = min(c.cpu for c in costs[0.0])
    print(
        f"\ntelemetry: {VALUES:,} values, {VALUES / seconds:,.0f} a second, "
        f"{VALUES / cpu:,.0f} for each CPU second; with {LATENCY * 1000:.0f} ms for "
        f"each call {late / seconds:.2f} times as long",
        flush=True,
    )


def print_memory() -> list[str]:
    """Print the peak memory with full pages.

    Returns:
        The loads that took too much.
    """
    missed = []
    for name, load in MEMORY_LOADS.items():
        with load.account() as account:
            cost = load.run(TAP, account, max_concurrency=4)
        print(
            f"peak memory by values, {name}: {cost.peak:.0f} MiB for {load.values:,} "
            f"values in {cost.seconds:.0f} s",
            flush=True,
        )
        if cost.peak > MEMORY_LIMIT:
            missed.append(f"memory: {name}")
    return missed
