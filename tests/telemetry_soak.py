"""The telemetry part of ``make soak``: rounds of runs, some of which are stopped."""

from __future__ import annotations

import random
import signal
import subprocess
import tempfile
import time
import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from emulator import Emulator
from emulator.plant import SIZES
from tests import expected_telemetry as expected
from tests import telemetry
from tests.conftest import (
    Run,
    TapCommand,
    clean_environment,
    discover,
    select,
    static,
)
from tests.test_auth import Forms, anywhere

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from emulator.faults import Call, Fault
    from tests.conftest import Message

LATEST, HISTORY, AGGREGATES = STREAMS = tuple(expected.KEYS)
RESOLUTIONS = ["15m", "1h", "1d"]
START = expected.seconds("2024-05-31T00:00:00")
HOUR, DAY = 3600, 86_400
LOOKBACK = 6 * HOUR
TIME_LIMIT = 1_800
"""Seconds that one run may take."""

HEADINGS = (
    *("seed", "signed in by", "window", "concurrency", "runs", "stops", "requests"),
    *("faults", "kinds", "values", "aggregates", "lost", "twice", "seconds"),
)


@dataclass
class TelemetrySoak:
    """Rounds of runs, each up to a later ``end_date``.

    Args:
        seed: Decides everything that is left to chance.
        aws: The account.
        tap: The command.
        settings: All settings but those of telemetry.
        environment: Variables for the command.
    """

    seed: int
    aws: Emulator
    tap: TapCommand
    settings: Message
    environment: dict[str, str]
    end: int = START
    state: Message | None = None
    runs: list[Run] = field(default_factory=list)
    stops: int = 0
    gone: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311 - has to be repeatable
        self.window = self.dice.choice(["PT5H", "PT11H7M", "P1D", "P30D"])
        self.concurrency = self.dice.choice([1, 4, 8, 32])
        self.catalog = select(discover("telemetry"), *STREAMS)

    def round(self, stops: int) -> None:
        """Run up to a later date. Some runs are stopped, and the next one resumes."""
        if self.runs:
            self._between_rounds()
        self.end += self.dice.randint(10, 30) * HOUR + self.dice.choice([0, 1, 1799])
        for left in range(stops, -1, -1):
            # A later request finds that a time series is deleted.
            self.aws.faults.before(telemetry.HISTORY, self._delete_one())
            lines = self.dice.randint(1, 400) if left else None
            if self._run(lines).code == 0:
                break

    def _delete_one(self) -> t.Callable[[Call], None]:
        number = self.dice.randint(2, 6)

        def delete(call: Call) -> None:
            nonlocal number
            number -= 1
            if number == 0:
                entry = call.content["entries"][-1]
                asked = entry.get("propertyAlias") or tuple(
                    entry[name] for name in ("assetId", "propertyId")
                )
                series_id = self.aws.plant.values.ids.find(asked)
                if series_id is not None:
                    self.gone.add(series_id)
                    self.aws.plant.delete("time_series", series_id)

        return delete

    def _run(self, lines: int | None) -> Run:
        """Run the tap; stop it after so many lines, or let it finish."""
        config = {
            **self.settings,
            "extra_streams": ["telemetry"],
            "start_date": expected.moment(START),
            "end_date": expected.moment(self.end),
            "telemetry_window": self.window,
            "telemetry_lookback": f"PT{LOOKBACK}S",
            "aggregate_resolutions": RESOLUTIONS,
            "max_concurrency": self.concurrency,
        }
        arguments = self.tap.arguments(config, catalog=self.catalog, state=self.state)
        with (self.tap.directory / "log").open("w+b") as log:
            process = subprocess.Popen(
                arguments,
                cwd=self.tap.directory,
                env=clean_environment(**self.environment),
                stdout=subprocess.PIPE,
                stderr=log,
            )
            assert process.stdout is not None
            try:
                output = b""
                if lines is not None:
                    for _ in range(lines):
                        output += process.stdout.readline()
                    process.send_signal(signal.SIGTERM)
                # Not `communicate`, which does not read what is in the buffer.
                output += process.stdout.read()
                process.wait(timeout=TIME_LIMIT)
            finally:
                process.kill()
                process.wait()
                process.stdout.close()
            log.seek(0)
            run = Run(process.returncode, output, log.read().decode())
        allowed = {0} if lines is None else {0, 128 + signal.SIGTERM}
        assert run.code in allowed, f"seed {self.seed}: {run.code} {run.log[-2000:]}"
        assert not output or output.endswith(b"\n"), f"seed {self.seed}"
        self.stops += run.code != 0
        self.runs.append(run)
        if run.states:
            self.state = run.states[-1]
        return run

    def _between_rounds(self) -> None:
        """Let values arrive late, and create a time series with older values."""
        plant = self.aws.plant
        known = [
            each["timeSeriesId"]
            for each in plant.listing("time_series").records
            if each["dataType"] == "DOUBLE"
        ]
        for series_id in self.dice.sample(known, min(5, len(known))):
            age = self.dice.choice([0, 1, LOOKBACK - 1, self.dice.randrange(LOOKBACK)])
            # Nobody has a value at this nanosecond.
            plant.values.add(series_id, [telemetry.value(self.end - age, 0.5, 987)])
        name = f"new-{len(self.runs)}"
        created = self.end + self.dice.randint(-299, 3600)
        plant.add(
            "time_series",
            {
                "timeSeriesId": name,
                "alias": f"/{name}",
                "dataType": "DOUBLE",
                "timeSeriesCreationDate": float(created),
            },
        )
        times = range(created - 7 * DAY, created + 2 * DAY, 5 * HOUR)
        plant.values.replace(name, [telemetry.value(each, 1.5) for each in times])

    # What came out

    def compare(self) -> tuple[int, int]:
        """Return how many values and aggregates are lost, and how many came twice.

        A row that no value of the plant explains counts as twice, and so do two
        different rows with one key.
        """
        plant = self.aws.plant
        period = START, self.end
        lost = twice = 0
        for stream, records in (
            (HISTORY, expected.history(plant, *period)),
            (AGGREGATES, expected.aggregates(plant, RESOLUTIONS, *period)),
        ):
            wanted = expected.table(stream, records)
            sent = [run.records(stream) for run in self.runs]
            loaded = expected.table(stream, (r for records in sent for r in records))
            lost += sum(loaded.get(key) != wanted[key] for key in wanted)
            twice += sum(k not in wanted and k[0] not in self.gone for k in loaded)
            twice += sum(len(s) - len(expected.table(stream, s)) for s in sent)
            if stream == HISTORY:
                # A late value changes an aggregate, but no other value.
                keys = expected.KEYS[stream]
                twice += sum(
                    loaded[tuple(r[name] for name in keys)] != r
                    for records in sent
                    for r in records
                )
        return lost + self._lost_latest(), twice

    def _lost_latest(self) -> int:
        wanted = expected.table(LATEST, expected.latest(self.aws.plant))
        loaded = expected.table(LATEST, self.runs[-1].records(LATEST))
        # The hostile plant has values up to this moment: some may be new.
        end = datetime.now(timezone.utc) - timedelta(hours=1)
        return sum(
            key not in loaded
            or (datetime.fromisoformat(r["event_timestamp"]) < end and loaded[key] != r)
            for key, r in wanted.items()
        )


def soak_telemetry(
    seed: int, shares: Mapping[Fault, float], *, models: int, rounds: int, stops: int
) -> str:
    """Run the tap several times through faults and stops, and compare.

    Args:
        seed: Decides everything that is left to chance.
        shares: The probability of each fault.
        models: Asset models of the plant.
        rounds: How often ``end_date`` moves.
        stops: How often a run is stopped in each round.

    Returns:
        What was thrown at the runs, and what it cost, as a line.

    Raises:
        AssertionError: The output is not the plant; the text begins with the seed.
    """
    certified = seed % 2 == 0
    with (
        tempfile.TemporaryDirectory() as directory,
        Emulator(
            asset_models=models,
            portals=1,
            projects_per_portal=1,
            sizes=SIZES["hostile"],
        ) as aws,
    ):
        tap = TapCommand(Path(directory))
        tuning: Message = {"request_timeout": 1, "max_attempts": 30}
        if certified:
            # botocore renews what ends within ten minutes, with each request.
            aws.session_rules.session_seconds = 300
            forms = Forms(aws.issue_certificate(), tap.directory)
            settings = anywhere(aws, **forms.paths(), **tuning)
        else:
            settings = static(aws, **tuning)
        environment = {"AWS_CA_BUNDLE": aws.ca_bundle}
        soak = TelemetrySoak(seed, aws, tap, settings, environment)
        started = time.monotonic()
        aws.faults.at_random(shares, seed=seed)
        for _ in range(rounds):
            soak.round(stops)
        seconds = time.monotonic() - started
        lost, twice = soak.compare()
        assert (lost, twice) == (0, 0), f"seed {seed}: {lost} lost, {twice} twice"
        counts = [
            sum(len(run.records(s)) for run in soak.runs) for s in (HISTORY, AGGREGATES)
        ]
        return (
            f"| {seed} | {'certificate' if certified else 'static'} | {soak.window} "
            f"| {soak.concurrency} | {len(soak.runs)} | {soak.stops} "
            f"| {aws.stats.total} | {sum(aws.stats.errors.values())} "
            f"| {len(aws.stats.errors)} | {counts[0]:,} | {counts[1]:,} "
            f"| {lost} | {twice} | {seconds:.0f} |"
        )
