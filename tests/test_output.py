"""Every byte of the output is written, or the run fails: whatever stdout is."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import socket
import subprocess
import threading
import time
import typing as t
from urllib.parse import parse_qs, urlsplit

import pytest

from emulator import Emulator
from tests import expected
from tests.answering import scripted
from tests.conftest import COMMAND, clean_environment, static

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import TapCommand

# Unset, Python buffers stdout; set, it writes each text as it comes, and drops what a
# write does not take. Many container images set it.
BUFFERED: dict[str, str] = {}
UNBUFFERED = {"PYTHONUNBUFFERED": "1"}
ENVIRONMENTS = pytest.mark.parametrize(
    "variables", [BUFFERED, UNBUFFERED], ids=["buffered", "unbuffered"]
)
LIMIT = 120
"""Seconds after which a run hangs for good."""


def environment(variables: dict[str, str]) -> dict[str, str]:
    kept = clean_environment()
    kept.pop("PYTHONUNBUFFERED", None)
    return {**kept, **variables}


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    """More than any pipe holds."""
    with Emulator(asset_models=3_000, portals=2, projects_per_portal=3) as emulator:
        yield emulator


def check_whole(output: bytes, aws: Emulator) -> None:
    messages = [json.loads(line) for line in output.splitlines()]
    for stream, records in expected.records(aws.plant).items():
        assert [
            message["record"]
            for message in messages
            if message["type"] == "RECORD" and message["stream"] == stream
        ] == records
    assert messages[-1]["type"] == "STATE"
    assert output.endswith(b"\n")


def error_lines(log: str) -> list[str]:
    assert "Traceback" not in log
    assert "Exception ignored" not in log
    return [
        line.split("|", 3)[3].strip() for line in log.splitlines() if "ERROR" in line
    ]


def start(
    tap: TapCommand, aws: Emulator, variables: dict[str, str], stdout: int
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        tap.arguments(static(aws)),
        env=environment(variables),
        stdout=stdout,
        stderr=subprocess.PIPE,
    )


def read_slowly(descriptor: int, *, pauses: int) -> bytes:
    """Read to the end, with pauses in which the writer finds no room."""
    output = b""
    while piece := os.read(descriptor, 65_536):
        output += piece
        if pauses:
            pauses -= 1
            time.sleep(0.05)
    return output


@ENVIRONMENTS
def test_a_pipe_that_does_not_block_gets_every_byte(
    tap: TapCommand, served: Emulator, variables: dict[str, str]
) -> None:
    ours, theirs = os.pipe()
    # Some launchers leave their end of a pipe so; it is the same for the tap's.
    os.set_blocking(theirs, False)

    process = start(tap, served, variables, theirs)
    os.close(theirs)
    output = read_slowly(ours, pauses=20)
    os.close(ours)

    _, log = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, log
    check_whole(output, served)


@ENVIRONMENTS
def test_a_socket_gets_every_byte(
    tap: TapCommand, served: Emulator, variables: dict[str, str]
) -> None:
    # Node and others give their children sockets in the place of pipes.
    ours, theirs = socket.socketpair()
    os.set_blocking(theirs.fileno(), False)

    process = start(tap, served, variables, theirs.fileno())
    theirs.close()
    output = read_slowly(ours.fileno(), pauses=20)
    ours.close()

    _, log = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, log
    check_whole(output, served)


@ENVIRONMENTS
def test_a_run_that_is_paused_again_and_again_writes_every_byte(
    tap: TapCommand, served: Emulator, variables: dict[str, str]
) -> None:
    process = start(tap, served, variables, subprocess.PIPE)
    assert process.stdout is not None
    ended = threading.Event()

    def pause() -> None:
        # Each of them interrupts a write that waits.
        while not ended.wait(0.01) and process.poll() is None:
            process.send_signal(signal.SIGSTOP)
            process.send_signal(signal.SIGCONT)

    thread = threading.Thread(target=pause)
    thread.start()
    output = read_slowly(process.stdout.fileno(), pauses=20)
    ended.set()
    thread.join()

    _, log = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, log
    check_whole(output, served)


@ENVIRONMENTS
def test_a_file_that_may_not_grow_is_an_error_and_what_it_holds_is_a_beginning(
    tap: TapCommand, served: Emulator, variables: dict[str, str], tmp_path: Path
) -> None:
    whole = subprocess.run(
        tap.arguments(static(served)),
        env=environment(variables),
        capture_output=True,
        check=True,
        timeout=LIMIT,
    ).stdout
    # Not at the end of a line, nor of a piece.
    limit = 300_001

    with (tmp_path / "output").open("wb") as file:
        done = subprocess.run(
            tap.arguments(static(served)),
            # Python 3.11 would cut off its compiled modules at the limit, too.
            env={**environment(variables), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=file,
            stderr=subprocess.PIPE,
            timeout=LIMIT,
            check=False,
            preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_FSIZE, (limit, limit)
            ),
        )

    assert done.returncode == 1
    (error,) = error_lines(done.stderr.decode())
    assert error.startswith("stdout: cannot write (File too large)")
    written = (tmp_path / "output").read_bytes()
    assert len(written) == limit
    # Up to the moments at which the records were extracted.
    first = whole.splitlines()[1]
    assert json.loads(written.splitlines()[1])["record"] == json.loads(first)["record"]


def test_a_temporary_file_that_cannot_grow_is_one_error(tap: TapCommand) -> None:
    # The keys of the first page need more than 1 MiB and fit in the file. Those of the
    # next pages do not fit. The file buffers them, and its buffer becomes full.
    sizes, limit = [19_800, 50, 50], 1_050_000

    def answer(target: str, _: bytes) -> tuple[int, bytes]:
        url = urlsplit(target)
        if url.path != "/portals":
            return 200, json.dumps({"assetModelSummaries": []}).encode()
        page = int(parse_qs(url.query).get("nextToken", ["0"])[0])
        portals = [{"id": f"{page}{number:035}"} for number in range(sizes[page])]
        token = str(page + 1) if page + 1 < len(sizes) else None
        found = {"portalSummaries": portals, "nextToken": token}
        return 200, json.dumps(found).encode()

    with scripted(answer) as url:
        config = {
            "aws_region": "eu-west-1",
            "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE",
            "aws_secret_access_key": "secret",
            "aws_endpoint_url": url,
        }
        done = subprocess.run(
            tap.arguments(config),
            env=environment({"PYTHONDONTWRITEBYTECODE": "1"}),
            capture_output=True,
            timeout=LIMIT,
            check=False,
            preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_FSIZE, (limit, limit)
            ),
        )

    assert done.returncode == 1
    (error,) = error_lines(done.stderr.decode())
    assert error == (
        "TMPDIR: cannot use a temporary file (File too large); set TMPDIR to a "
        "directory with free space"
    )


OPTIONS = ["--version", "--discover", "--about", "--about --format=json", "--help"]
RUN = ""


def shell(
    tap: TapCommand,
    aws: Emulator,
    options: str,
    redirections: str,
    variables: dict[str, str],
) -> subprocess.CompletedProcess[bytes]:
    """Run the command with descriptors redirected by a shell."""
    words = (
        tap.arguments(static(aws))
        if options == RUN
        else [str(COMMAND), *options.split()]
    )
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirections}', "sh", *words],
        env=environment(variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIMIT,
        check=False,
    )


@ENVIRONMENTS
@pytest.mark.parametrize("options", [RUN, *OPTIONS])
def test_a_full_disk_is_one_error(
    tap: TapCommand, aws: Emulator, options: str, variables: dict[str, str]
) -> None:
    done = shell(tap, aws, options, ">/dev/full", variables)

    check_refused(done, aws, "No space left on device")


@pytest.mark.parametrize("options", [RUN, *OPTIONS])
# With the second one, connections to AWS would get the descriptors.
@pytest.mark.parametrize("redirections", [">&-", "<&- >&-"])
def test_a_stdout_that_is_closed_is_one_error(
    tap: TapCommand, aws: Emulator, options: str, redirections: str
) -> None:
    done = shell(tap, aws, options, redirections, UNBUFFERED)

    check_refused(done, aws, "Bad file descriptor")


def check_refused(
    done: subprocess.CompletedProcess[bytes], aws: Emulator, reason: str
) -> None:
    assert done.returncode == 1
    (error,) = error_lines(done.stderr.decode())
    assert error.startswith(f"stdout: cannot write ({reason})")
    # It is noticed at the first message, before there is anything to ask AWS for.
    assert aws.stats.total == 0


@ENVIRONMENTS
@pytest.mark.parametrize("options", ["--version", "--discover"])
def test_a_reader_that_is_gone_is_one_error(
    options: str, variables: dict[str, str]
) -> None:
    ours, theirs = os.pipe()
    os.close(ours)

    done = subprocess.run(
        [COMMAND, options],
        env=environment(variables),
        stdout=theirs,
        stderr=subprocess.PIPE,
        timeout=LIMIT,
        check=False,
    )
    os.close(theirs)

    assert done.returncode == 1
    (error,) = error_lines(done.stderr.decode())
    assert error.startswith("stdout: the reader closed the pipe")


@ENVIRONMENTS
@pytest.mark.parametrize("options", [RUN, "--version", "--discover"])
@pytest.mark.parametrize("redirections", ["2>&-", "2>/dev/full", "<&- 2>&-"])
def test_without_a_log_everything_works(
    tap: TapCommand,
    aws: Emulator,
    options: str,
    redirections: str,
    variables: dict[str, str],
) -> None:
    done = shell(tap, aws, options, redirections, variables)

    assert done.returncode == 0
    assert done.stderr == b""
    if options == RUN:
        check_whole(done.stdout, aws)
    else:
        assert b"tap-iot-sitewise v" in done.stdout or json.loads(done.stdout)


def test_a_stdin_that_is_closed_holds_no_state(tap: TapCommand, aws: Emulator) -> None:
    tap.file("config.json", static(aws))
    options = f"--config {tap.directory / 'config.json'} --state -"

    done = shell(tap, aws, options, "<&-", UNBUFFERED)

    assert done.returncode == 1
    (error,) = error_lines(done.stderr.decode())
    assert error.startswith("--state: /dev/null is not valid JSON")


def test_a_run_with_nothing_open_fails_and_calls_nobody(
    tap: TapCommand, aws: Emulator
) -> None:
    done = shell(tap, aws, RUN, "<&- >&- 2>&-", BUFFERED)

    assert done.returncode == 1
    assert aws.stats.total == 0


@ENVIRONMENTS
def test_what_an_option_prints_is_whole_where_the_pipe_does_not_block(
    variables: dict[str, str],
) -> None:
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    # Almost full: the catalog does not fit.
    filled = _fill(theirs)

    process = subprocess.Popen(
        [COMMAND, "--discover"],
        env=environment(variables),
        stdout=theirs,
        stderr=subprocess.PIPE,
    )
    os.close(theirs)
    assert process.stderr is not None
    # It logs before it prints, and prints the whole at once.
    assert select.select([process.stderr], [], [], LIMIT)[0]
    time.sleep(0.2)
    output = read_slowly(ours, pauses=0)
    os.close(ours)
    process.communicate(timeout=LIMIT)

    assert process.returncode == 0
    catalog = json.loads(output[filled:])
    assert len(catalog["streams"]) == 3


def _fill(descriptor: int) -> int:
    """Fill a pipe and return with how many bytes."""
    filled, size = 0, 4096
    try:
        while True:
            filled += os.write(descriptor, b" " * size)
    except BlockingIOError:
        return filled
