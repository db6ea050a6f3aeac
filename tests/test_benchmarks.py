"""The programs that ``make bench`` compares do the same work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t

from benchmarks.measure import TAP, run, served
from benchmarks.telemetry import PLAIN_BOTO3, SDK_TAP

if t.TYPE_CHECKING:
    from benchmarks.measure import Account, Command

SERVE = (sys.executable, "-m", "benchmarks.telemetry_account")
PERIOD = {
    "START_DATE": "2024-05-01T00:00:00+00:00",
    "END_DATE": "2024-05-01T12:00:00+00:00",
    "EXTRA_STREAMS": "property_value_history",
}
SETTINGS = {f"TAP_IOT_SITEWISE_{name}": value for name, value in PERIOD.items()}


def printed(command: Command, account: Account) -> list[dict[str, t.Any]]:
    """Return the records that a program prints, in the order of their keys."""
    lines = subprocess.run(
        command,
        env={**os.environ, **account.environment, **SETTINGS},
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    ).stdout.splitlines()
    found = [json.loads(line) for line in lines]
    if any("type" in each for each in found):
        found = [each["record"] for each in found if each["type"] == "RECORD"]
    return sorted(found, key=lambda r: (r["time_series_id"], r["time_in_seconds"]))


def test_the_tap_and_its_peers_print_the_same_values_of_time_series() -> None:
    with served((*SERVE, "--series", "20", "--dense", "18", "--every", "30")) as plant:
        ours, sdk, boto3 = (printed(c, plant) for c in (TAP, SDK_TAP, PLAIN_BOTO3))
    # More values than fit on a page, and more time series than in a request.
    assert len(ours) == 18 * 12 * 120 > 20_000
    assert list(ours[0]) == list(sdk[0]) == list(boto3[0])
    assert ours == sdk == boto3


def test_the_lines_of_a_program_are_counted() -> None:
    script = """print('{"type":"RECORD","stream":"a"}\\nother\\n{"type":"STATE"}')"""
    cost = run((sys.executable, "-c", script), {})
    assert cost.lines == 3
    assert cost.messages == {"RECORD": 1, "STATE": 1}
