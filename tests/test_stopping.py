"""How a run ends that is stopped, or whose reader goes away."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import termios
import time
import typing as t

import pytest

from emulator import Emulator, Fault
from tap_iot_sitewise.singer.tap import Stopped
from tap_iot_sitewise.tap import TapIoTSiteWise
from tests.conftest import clean_environment, static

if t.TYPE_CHECKING:
    from tests.conftest import TapCommand

SIGNALS = pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
LIMIT = 120
"""Seconds after which a run hangs for good."""


def stop(process: subprocess.Popen[bytes], signum: signal.Signals) -> tuple[bytes, str]:
    """Send the signal; return what was still written, and the log."""
    process.send_signal(signum)
    # Two seconds are promised; here there is room for a machine that is busy.
    output, log = process.communicate(timeout=30)
    return output, log.decode()


def wait_until_the_pipe_is_full(process: subprocess.Popen[bytes]) -> None:
    """Wait until the run writes no more, since nobody reads."""
    assert process.stdout is not None
    deadline, waiting, quiet = time.monotonic() + LIMIT, 0, 0
    # Less than a pipe of Linux holds, by the portion that had no room.
    while waiting < 60_000 or quiet < 5:
        assert time.monotonic() < deadline
        time.sleep(0.02)
        size = bytearray(4)
        fcntl.ioctl(process.stdout, termios.FIONREAD, size)
        now = int.from_bytes(size, sys.byteorder)
        quiet = quiet + 1 if now == waiting else 0
        waiting = now


def read_until(process: subprocess.Popen[bytes], words: bytes) -> bytes:
    """Return what the run wrote, as far as these words at the least."""
    assert process.stdout is not None
    output, deadline = b"", time.monotonic() + LIMIT
    while words not in output:
        left = deadline - time.monotonic()
        assert select.select([process.stdout], [], [], max(left, 0))[0], "nothing came"
        # Past Python's buffer, out of which `communicate` would not take the rest.
        piece = os.read(process.stdout.fileno(), 4096)
        assert piece, "the run ended before it was stopped"
        output += piece
    return output


def check_stopped(
    process: subprocess.Popen[bytes], output: bytes, log: str, signum: signal.Signals
) -> None:
    assert process.returncode == 128 + signum
    assert output.endswith(b"\n")
    messages = [json.loads(line) for line in output.splitlines()]
    assert "ACTIVATE_VERSION" not in {message["type"] for message in messages}
    assert "Traceback" not in log
    assert f"Stopped by {signum.name}" in log


@SIGNALS
@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        ("ListAssetModels", Fault.SILENCE),
        ("ListProjects", Fault.SILENCE),
        # In the pauses between the tries.
        ("ListProjects", Fault.THROTTLE),
    ],
)
def test_a_signal_ends_a_run_that_waits(
    tap: TapCommand,
    aws: Emulator,
    signum: signal.Signals,
    operation: str,
    fault: Fault,
) -> None:
    aws.faults.always(operation, fault, after=1)
    settings = static(
        aws, page_size=3, max_concurrency=1, emit_activate_version_messages=True
    )
    process = tap.start({**settings, "request_timeout": 600})
    before = b'"asset_models"' if operation == "ListAssetModels" else b'"projects"'
    output = read_until(process, b'"RECORD","stream":' + before)
    aws.stats.wait_for(lambda: aws.stats.requests.get(operation, 0) > 1)
    if fault is Fault.THROTTLE:
        aws.stats.wait_for(lambda: aws.stats.errors.get("ThrottlingException", 0) > 1)

    more, log = stop(process, signum)

    check_stopped(process, output + more, log, signum)
    messages = [json.loads(line) for line in (output + more).splitlines()]
    states = [message["value"] for message in messages if message["type"] == "STATE"]
    # What was not listed to its end is in no state.
    unfinished = "asset_models" if operation == "ListAssetModels" else "portals"
    assert all(unfinished not in state["bookmarks"] for state in states)


@SIGNALS
def test_a_signal_ends_a_run_in_the_middle_of_its_work_at_the_end_of_a_line(
    tap: TapCommand, signum: signal.Signals
) -> None:
    with Emulator(asset_models=20_000, portals=0) as aws:
        process = tap.start(static(aws))
        output = read_until(process, b"RECORD")

        more, log = stop(process, signum)

    check_stopped(process, output + more, log, signum)
    assert len((output + more).splitlines()) < 20_000


@SIGNALS
def test_a_signal_ends_a_run_whose_reader_does_not_read(
    tap: TapCommand, signum: signal.Signals
) -> None:
    with Emulator(asset_models=5_000, portals=0) as aws:
        process = tap.start(static(aws))
        wait_until_the_pipe_is_full(process)

        process.send_signal(signum)
        process.wait(timeout=LIMIT)
        output, log = process.communicate()

    # What was in the pipe ends with a line, though nobody made room for more.
    check_stopped(process, output, log.decode(), signum)


def test_a_slow_reader_still_gets_whole_lines(tap: TapCommand) -> None:
    with Emulator(asset_models=5_000, portals=0) as aws:
        process = tap.start(static(aws))
        output = read_until(process, b"RECORD")
        wait_until_the_pipe_is_full(process)
        process.send_signal(signal.SIGTERM)
        more, log = process.communicate(timeout=LIMIT)

    check_stopped(process, output + more, log.decode(), signal.SIGTERM)


def test_a_socket_whose_reader_is_slow_gets_whole_lines(tap: TapCommand) -> None:
    ours, theirs = socket.socketpair()
    with Emulator(asset_models=5_000, portals=0) as aws:
        process = subprocess.Popen(
            tap.arguments(static(aws)),
            env=clean_environment(),
            stdout=theirs.fileno(),
            stderr=subprocess.PIPE,
        )
        theirs.close()
        output = ours.recv(4096)
        process.send_signal(signal.SIGTERM)
        while piece := ours.recv(2048):
            output += piece
            # A piece of what the run collects would take seconds at this pace.
            time.sleep(0.05 if process.poll() is None else 0)
        ours.close()
        _, log = process.communicate(timeout=LIMIT)

    check_stopped(process, output, log.decode(), signal.SIGTERM)


def test_a_signal_whose_exception_is_lost_ends_the_run_all_the_same(
    aws: Emulator,
) -> None:
    tap = TapIoTSiteWise(config=static(aws))
    written = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    # As in a finalizer, or in an import: Python drops what is raised there.
    with contextlib.suppress(Stopped):
        tap._handle_termination(signal.SIGTERM, None)  # noqa: SLF001 - the SDK's name

    with pytest.raises(Stopped) as end, contextlib.redirect_stdout(written):
        tap.sync_all()

    assert end.value.code == 128 + signal.SIGTERM
    assert written.buffer.getvalue() == b""


def test_more_signals_while_a_run_ends_change_nothing(
    tap: TapCommand, aws: Emulator
) -> None:
    aws.faults.always("ListProjects", Fault.SILENCE)
    process = tap.start(static(aws))
    read_until(process, b'"RECORD","stream":"portals"')
    assert process.stderr is not None
    process.send_signal(signal.SIGTERM)

    log = b""
    while b"Stopped by SIGTERM" not in log:
        piece = os.read(process.stderr.fileno(), 4096)
        assert piece, "the run ended and did not say why"
        log += piece
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=LIMIT)

    assert process.returncode == 128 + signal.SIGTERM
    assert (log + rest).decode().splitlines()[-1].endswith("the output is incomplete")
    assert b"Exception ignored" not in log + rest


def test_a_signal_while_the_sdk_is_imported_ends_the_run() -> None:
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "tap_iot_sitewise", "--discover"],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if b"singer_sdk." in line:
            break

    output, log = stop(process, signal.SIGINT)

    assert (process.returncode, output) == (130, b"")
    assert "Traceback" not in log


def run_script(script: str, arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    """Run a script in place of the command, with the command's arguments."""
    return subprocess.run(
        [sys.executable, "-c", script, *arguments[1:]],
        env=clean_environment(),
        capture_output=True,
        check=False,
        timeout=LIMIT,
    )


def test_a_signal_while_the_tap_is_made_ends_the_run(
    tap: TapCommand, aws: Emulator
) -> None:
    # The SDK handles signals before it has made the writer of messages.
    script = """
import os, signal
from tap_iot_sitewise.__main__ import main
from tap_iot_sitewise.tap import TapIoTSiteWise
class StoppedTap(TapIoTSiteWise):
    @classmethod
    def instantiate_processor(cls, instance, default_cls):
        os.kill(os.getpid(), signal.SIGTERM)
        return super().instantiate_processor(instance, default_cls)
import tap_iot_sitewise.tap
tap_iot_sitewise.tap.TapIoTSiteWise = StoppedTap
main()
"""

    run = run_script(script, tap.arguments(static(aws)))

    assert run.returncode == 128 + signal.SIGTERM, run.stderr
    assert b"Stopped by SIGTERM" in run.stderr
    assert b"AttributeError" not in run.stderr


def test_a_signal_in_a_finalizer_ends_the_run_with_one_line(
    tap: TapCommand, aws: Emulator
) -> None:
    # simpleeval 1.0 has a finalizer in Python, which the SDK's stream maps run.
    script = """
import os, signal
from tap_iot_sitewise.__main__ import main
from tap_iot_sitewise.tap import TapIoTSiteWise
class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
class StoppedTap(TapIoTSiteWise):
    def sync_all(self):
        Finalized()
        return super().sync_all()
import tap_iot_sitewise.tap
tap_iot_sitewise.tap.TapIoTSiteWise = StoppedTap
main()
"""

    run = run_script(script, tap.arguments(static(aws)))

    assert (run.returncode, run.stdout) == (128 + signal.SIGTERM, b"")
    log = run.stderr.decode()
    assert log.splitlines()[-1].endswith("Stopped by SIGTERM; the output is incomplete")
    assert "Traceback" not in log
    assert "Exception ignored" not in log


def test_a_reader_that_goes_away_ends_the_run_and_its_calls(tap: TapCommand) -> None:
    with Emulator(asset_models=5_000, portals=0) as aws:
        process = tap.start(static(aws, page_size=50))
        read_until(process, b"RECORD")
        assert process.stdout is not None
        process.stdout.close()
        _, log = process.communicate(timeout=LIMIT)
        calls = aws.stats.requests["ListAssetModels"]

    assert process.returncode == 1
    assert b"Traceback" not in log
    assert b"BrokenPipe" not in log
    assert log.count(b"| ERROR ") == 1
    assert b"stdout: the reader closed the pipe" in log
    # A pipe holds 64 KiB, some five pages of fifty; a hundred would be the whole.
    assert calls < 20
