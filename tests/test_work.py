"""How much a run does: calls, messages, log lines; counts that no machine changes."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import typing as t

import pytest

from emulator import Emulator
from tests import expected
from tests.conftest import clean_environment, static

if t.TYPE_CHECKING:
    from tests.conftest import Message, TapCommand


@pytest.mark.parametrize("concurrency", [1, 8])
def test_calls_and_messages_are_as_few_as_can_be(
    tap: TapCommand, concurrency: int
) -> None:
    with Emulator(asset_models=600, portals=40, projects_per_portal=3) as aws:
        run = tap(static(aws, max_concurrency=concurrency)).succeeded()

        assert aws.stats.requests == {
            "ListAssetModels": 3,
            "ListPortals": 1,
            "ListProjects": 40,
        }
    kinds = [kind for kind, _ in run.kinds]
    assert kinds.count("SCHEMA") == 3
    assert kinds.count("STATE") == 2
    assert len(kinds) == 3 + 2 + 600 + 40 + 120


def test_a_state_comes_at_most_once_in_ten_thousand_records(tap: TapCommand) -> None:
    with Emulator(asset_models=25_000, portals=0) as aws:
        run = tap(static(aws)).succeeded()

    kinds = [kind for kind, _ in run.kinds]
    places = [number for number, kind in enumerate(kinds) if kind == "STATE"]
    between = [
        kinds[first + 1 : last].count("RECORD")
        for first, last in zip([0, *places], places, strict=False)
    ]
    assert between[:3] == [10_000, 10_000, 5_000]
    assert kinds[-1] == "STATE"


def test_the_log_does_not_grow_with_the_portals(tap: TapCommand) -> None:
    lines = []
    for portals in (1, 60):
        with Emulator(asset_models=1, portals=portals, projects_per_portal=2) as aws:
            lines.append(len(tap(static(aws)).succeeded().log.splitlines()))

    assert lines[0] == lines[1]
    assert lines[0] <= 12


def test_each_stream_ends_with_a_line_of_what_it_took(
    tap: TapCommand, aws: Emulator
) -> None:
    run = tap(static(aws, page_size=10)).succeeded()

    for stream, requests in (("asset_models", 3), ("portals", 1), ("projects", 5)):
        records = len(expected.records(aws.plant)[stream])
        summary = f"{stream}: {records} records, {requests} requests (0 retries), "
        (line,) = [line for line in run.lines("INFO") if line.startswith(stream)]
        assert line.startswith(summary)


def on_a_terminal(tap: TapCommand, settings: Message, **variables: str) -> str:
    """Run with stderr on a terminal; return what stood there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        tap.arguments(settings),
        env=clean_environment(**variables),
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:
            # Linux says so, not with an empty piece, when the other end is closed.
            break
        shown += piece
    os.close(ours)
    assert process.wait(timeout=120) == 0
    return shown.decode()


def test_a_terminal_shows_that_a_long_run_is_alive_and_nothing_else_does(
    tap: TapCommand, aws: Emulator
) -> None:
    # Fifteen pages, one after the other: the line comes every half a second.
    aws.faults.latency = 0.1

    settings = static(aws, page_size=2)

    terminal = on_a_terminal(tap, settings)
    meltano = on_a_terminal(tap, settings, MELTANO_PROJECT_ROOT="/project")
    pipe = tap(static(aws, page_size=2)).succeeded().log

    assert "requests ...\r" in terminal
    assert "records, " in terminal
    assert "requests ..." not in meltano
    assert "requests ..." not in pipe
    assert "\r" not in pipe


def test_a_terminal_that_is_closed_does_not_end_the_run(
    tap: TapCommand, aws: Emulator
) -> None:
    aws.faults.latency = 0.1
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        tap.arguments(static(aws, page_size=2)),
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while b"requests ..." not in shown:
        shown += os.read(ours, 4096)
    os.close(ours)

    output, _ = process.communicate(timeout=120)

    assert process.returncode == 0
    assert output.splitlines()[-1].startswith(b'{"type":"STATE"')


@pytest.mark.parametrize("option", ["--version", "--about", "--discover"])
def test_what_only_an_extraction_needs_is_not_imported(option: str) -> None:
    code = (
        "import sys\n"
        "from tap_iot_sitewise.tap import TapIoTSiteWise\n"
        "try:\n"
        f"    TapIoTSiteWise.cli([{option!r}])\n"
        "finally:\n"
        "    print(' '.join(sorted(sys.modules)), file=sys.stderr)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        env=clean_environment(),
        capture_output=True,
        check=True,
        text=True,
    )

    modules = done.stderr.splitlines()[-1].split()
    assert "singer_sdk" in modules
    assert not {"boto3", "botocore", "cryptography", "pendulum"} & set(modules)
