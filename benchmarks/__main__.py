"""``make bench``: the tap beside its peers, in turn, as a table of ratios and plots.

Ratios, because the seconds of one machine mean nothing on another. Each round runs the
tap and then each peer against the same emulated account. A ratio compares the best
round of each: what else the machine does can only make a round slower.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pygal

from benchmarks import telemetry
from benchmarks.measure import (
    PLAIN_BOTO3,
    PLAIN_BOTO3_WITH_ASSETS,
    SMALLEST_SDK_TAP,
    TAP,
    Command,
    Cost,
    account,
    run,
)
from benchmarks.report import Row, detail, print_tables

DOCS = Path(__file__).parents[1] / "docs"
PEERS: dict[str, Command] = {
    "smallest SDK tap": SMALLEST_SDK_TAP,
    "plain boto3": PLAIN_BOTO3,
}
WIDE = {"asset_models": 100, "portals": 100, "projects_per_portal": 100}
DEEP = {"asset_models": 50_000, "portals": 0, "projects_per_portal": 0}
LATENCY = 0.05
ASSETS = {"asset_models": 33, "portals": 1, "projects_per_portal": 1}
MODELS_WITH_ASSETS = 17
"""Of the 33 models of a factory, as many have assets: one at each site."""
ASSETS_LATENCY = 0.02
ASSETS_ROUNDS = 2
"""A round takes plain boto3 two minutes."""


def main() -> None:
    """Measure, print, and draw."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-plots", action="store_true")
    parser.add_argument(
        "--only-telemetry", action="store_true", help="read values of time series only"
    )
    options = parser.parse_args()

    rows, details = telemetry.compare(min(options.rounds, telemetry.ROUNDS))
    if not options.only_telemetry:
        entities, costs = _entities(options.rounds)
        rows, details = entities + rows, costs + details
    print_tables(rows, details)
    telemetry.print_speed(min(options.rounds, telemetry.ROUNDS))
    missed = [f"{row.case} / {row.peer}" for row in rows if row.ratio > row.limit]
    missed += telemetry.print_memory()
    if not options.only_telemetry:
        _print_quota()
        _print_memory()
        _print_memory_of_assets()
        if not options.no_plots:
            _plot_portals()
            _plot_concurrency()
    if missed:
        sys.exit(f"above the limit: {', '.join(missed)}")


def _entities(rounds: int) -> tuple[list[Row], list[str]]:
    """Measure everything but telemetry."""
    rows: list[Row] = []
    details: list[str] = []
    for case, sizes in (("wide", {**WIDE, "latency": LATENCY}), ("deep", DEEP)):
        with account(**sizes) as served:
            calls = {}
            costs: dict[str, list[Cost]] = {name: [] for name in ("tap", *PEERS)}
            for _ in range(rounds):
                for name, command in {"tap": TAP, **PEERS}.items():
                    before = served.calls()
                    costs[name].append(run(command, served.environment))
                    calls[name] = served.calls() - before
        for name in PEERS:
            ours, theirs = ([c.seconds for c in costs[who]] for who in ("tap", name))
            rows.append(Row(case, name, ours, theirs))
        details += [detail(case, name, costs[name], calls[name]) for name in costs]
    measured, of_assets = _assets(min(rounds, ASSETS_ROUNDS))
    rows.append(measured)
    return rows + _start(rounds), details + of_assets


def _assets(rounds: int) -> tuple[Row, list[str]]:
    """Measure 5,000 assets with their properties, 20 ms for each call."""
    commands = {"tap": TAP, "plain boto3": PLAIN_BOTO3_WITH_ASSETS}
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    calls = {}
    sizes = {"assets": -(-5_000 // MODELS_WITH_ASSETS), "time_series": 0}
    with account(sizes, **ASSETS, latency=ASSETS_LATENCY) as served:
        for _ in range(rounds):
            for name, command in commands.items():
                before = served.calls()
                cost = run(
                    command,
                    served.environment,
                    extra_streams="assets,asset_properties",
                    max_concurrency=8,
                )
                costs[name].append(cost)
                calls[name] = served.calls() - before
    ours, theirs = ([c.seconds for c in costs[name]] for name in commands)
    row = Row("assets", "plain boto3", ours, theirs)
    return row, [detail("assets", name, costs[name], calls[name]) for name in costs]


def _start(rounds: int) -> list[Row]:
    imports: Command = (sys.executable, "-c", "import singer_sdk")
    run(imports, {})
    rows: list[Row] = []
    for option in ("--version", "--discover"):
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(run((TAP[0], option), {}).seconds)
            theirs.append(run(imports, {}).seconds)
        rows.append(Row(option, "import singer_sdk", ours, theirs))
    return rows


def _print_quota() -> None:
    """Read an account with a quota, without and with the quota as the tap's limit."""
    quota, needed = 20, 303
    sizes = {"asset_models": 100, "portals": 300, "projects_per_portal": 1}
    limit = {"max_requests_per_second": quota}
    for name, settings in {"no limit": {}, "the quota as limit": limit}.items():
        with account(**sizes, quota=quota, latency=LATENCY) as served:
            cost = run(TAP, served.environment, **settings)
            calls = served.calls()
        least = needed / quota
        print(
            f"\nquota of {quota} calls a second, {name}: {needed} calls needed, "
            f"{calls} sent, {cost.seconds:.1f} s ({least:.1f} s is what the quota "
            f"allows: {cost.seconds / least:.2f} times as long)"
        )


def _print_memory() -> None:
    for kind, few, many in (
        ("asset_models", 5_000, 100_000),
        ("portals", 450, 22_500),
    ):
        peaks = {}
        for count in (few, many):
            sizes = {"asset_models": 1, "portals": 1, "projects_per_portal": 1}
            with account(**{**sizes, kind: count}) as served:
                peaks[count] = run(TAP, served.environment).peak
        print(
            f"peak memory by {kind}: "
            + ", ".join(f"{peak:.0f} MiB for {n:,}" for n, peak in peaks.items()),
            flush=True,
        )


def _print_memory_of_assets() -> None:
    peaks = {}
    for count in (500, 50_000):
        sizes = {
            "assets": -(-count // MODELS_WITH_ASSETS),
            "asset_model_properties": 2,
            "time_series": 0,
        }
        with account(sizes, **ASSETS) as served:
            peaks[count] = run(
                TAP,
                served.environment,
                extra_streams="assets,asset_associations,asset_properties",
            ).peak
    print(
        "peak memory by assets, with their properties and associations: "
        + ", ".join(f"{peak:.0f} MiB for {n:,}" for n, peak in peaks.items()),
        flush=True,
    )


def _chart(title: str, x_title: str) -> pygal.XY:
    return pygal.XY(
        title=title,
        x_title=x_title,
        y_title="seconds",
        legend_at_bottom=True,
        # A plain picture: nothing is loaded from elsewhere, nothing moves.
        js=[],
        width=720,
        height=420,
        show_dots=True,
        dots_size=3,
        include_x_axis=True,
    )


def _plot_portals() -> None:
    portals = (1, 10, 30, 100, 300, 1000)
    commands: dict[str, Command] = {"tap-iot-sitewise": TAP, **PEERS}
    lines: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for count in portals:
        sizes = {"asset_models": 1, "portals": count, "projects_per_portal": 10}
        with account(**sizes, latency=LATENCY) as served:
            for name, command in commands.items():
                cost = run(command, served.environment)
                lines[name].append((count, round(cost.seconds, 2)))
    chart = _chart("Time against portals, 50 ms a call", "portals, 10 projects each")
    for name, points in lines.items():
        chart.add(name, points)
        print(f"portals, {name}: {points}", flush=True)
    chart.render_to_file(str(DOCS / "time-against-portals.svg"))


def _plot_concurrency() -> None:
    points: list[tuple[float, float]] = []
    with account(**WIDE, latency=LATENCY) as served:
        for workers in (1, 2, 4, 8, 16, 32):
            cost = run(TAP, served.environment, max_concurrency=workers)
            points.append((workers, round(cost.seconds, 2)))
    chart = _chart(
        "Time against max_concurrency, 100 portals, 50 ms a call", "max_concurrency"
    )
    chart.add("tap-iot-sitewise", points)
    print(f"max_concurrency: {points}", flush=True)
    chart.render_to_file(str(DOCS / "time-against-concurrency.svg"))


if __name__ == "__main__":
    main()
