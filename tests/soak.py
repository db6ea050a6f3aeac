"""``make soak``: whole runs through random faults; what comes out equals the plant.

Each seed decides the faults, the page size, the concurrency and the way to sign in. A
run is the command, its output is compared record by record, and what was thrown at it
is printed, so that a failure can be had again with ``python -m tests.soak SEED``.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import typing as t
from collections import defaultdict
from pathlib import Path

from emulator import Emulator, Fault
from emulator.plant import SIZES
from tests import expected, expected_plant
from tests.conftest import TapCommand, static
from tests.telemetry_soak import HEADINGS, soak_telemetry
from tests.test_auth import Forms, anywhere

PASSING = (
    Fault.INTERNAL_FAILURE,
    Fault.UNAVAILABLE,
    Fault.BAD_GATEWAY,
    Fault.THROTTLE,
    Fault.DROP,
    Fault.DROP_IN_BODY,
    Fault.SILENCE,
    Fault.CUT_SHORT,
    Fault.NOT_JSON,
    Fault.EMPTY_OBJECT,
)
SEEDS = range(1, 11)
TIME_LIMIT = 1_800
"""Seconds that one run may take."""


def shares_of(seed: int) -> dict[Fault, float]:
    """Return the probability of each fault."""
    dice = random.Random(seed)  # noqa: S311 - has to be repeatable
    return {fault: dice.uniform(0.005, 0.03) for fault in PASSING}


def soak(seed: int, *, models: int, portals: int, projects: int) -> str:
    """Run the tap once through faults, with all sixteen streams, and compare.

    Args:
        seed: Decides everything that is left to chance.
        models: Asset models of the plant.
        portals: Portals of the plant.
        projects: Projects of each portal.

    Returns:
        What was thrown at the run, and what it cost, as a line.

    Raises:
        AssertionError: The output is not the plant; the text begins with the seed.
    """
    dice = random.Random(seed)  # noqa: S311 - has to be repeatable
    shares = {fault: dice.uniform(0.005, 0.03) for fault in PASSING}
    page_size = dice.choice([20, 50, 100, 250])
    concurrency = dice.choice([1, 4, 8, 32])
    certified = seed % 2 == 0
    with (
        tempfile.TemporaryDirectory() as directory,
        Emulator(
            asset_models=models,
            portals=portals,
            projects_per_portal=projects,
            sizes=SIZES["hostile"],
        ) as aws,
    ):
        aws.faults.at_random(shares, seed=seed)
        aws.faults.set_quota(dice.choice([None, 100, 200]))
        tap = TapCommand(Path(directory))
        tuning: dict[str, t.Any] = {
            "extra_streams": ["plant"],
            "page_size": page_size,
            "max_concurrency": concurrency,
            "request_timeout": 1,
            # A busy machine adds silences of its own.
            "max_attempts": 30,
        }
        if certified:
            # botocore renews what ends within ten minutes, with each request.
            aws.session_rules.session_seconds = 300
            forms = Forms(aws.issue_certificate(), tap.directory)
            settings = anywhere(aws, **forms.paths(), **tuning)
        else:
            settings = static(aws, **tuning)
        started = time.monotonic()
        run = tap(
            settings,
            environment={"AWS_CA_BUNDLE": aws.ca_bundle},
            timeout=TIME_LIMIT,
        )
        seconds = time.monotonic() - started
        assert run.code == 0, f"seed {seed}: {run.errors}"
        found = defaultdict(list)
        for message in run.messages:
            if message["type"] == "RECORD":
                found[message["stream"]].append(message["record"])
        everything = {
            **expected.records(aws.plant),
            **expected_plant.records(aws.plant),
        }
        assert found.keys() == everything.keys(), f"seed {seed}"
        for stream, records in everything.items():
            assert found[stream] == records, f"seed {seed}: {stream}"
        sent = sum(map(len, found.values()))
        thrown = sum(aws.stats.errors.values())
        return (
            f"| {seed} | {'certificate' if certified else 'static'} | {page_size} "
            f"| {concurrency} | {aws.stats.total} | {thrown} "
            f"| {len(aws.stats.errors)} | {sent:,} | 0 | {seconds:.0f} |"
        )


def short_soak_of_telemetry(seed: int) -> str:
    """Soak the telemetry of a small plant, see :func:`soak_telemetry`."""
    return soak_telemetry(seed, shares_of(seed), models=1, rounds=2, stops=1)


def main() -> None:
    """Soak with the seeds that were asked for, ten of them by default."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("seeds", nargs="*", type=int, default=list(SEEDS))
    parser.add_argument(
        "--telemetry", action="store_true", help="soak the telemetry streams only"
    )
    options = parser.parse_args()
    if not options.telemetry:
        print(
            "| seed | signed in by | page size | concurrency | requests | faults "
            "| kinds | records | lost or twice | seconds |"
        )
        print("| --- " * 10 + "|")
        for seed in options.seeds:
            print(soak(seed, models=40, portals=10, projects=6), flush=True)
    print(f"| {' | '.join(HEADINGS)} |")
    print("| --- " * len(HEADINGS) + "|")
    for seed in options.seeds:
        # With a certificate, each request takes longer.
        models = 8 if seed % 2 else 3
        line = soak_telemetry(seed, shares_of(seed), models=models, rounds=4, stops=2)
        print(line, flush=True)
    sys.exit(0)


if __name__ == "__main__":
    main()
