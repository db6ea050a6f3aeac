"""Runs a command as a user would, and measures what it costs."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
import typing as t
import urllib.request
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Command = tuple[str, ...]

TAP: Command = (
    str(Path(sys.executable).with_name("tap-iot-sitewise")),
    "--config",
    "ENV",
)
SMALLEST_SDK_TAP: Command = (sys.executable, "-m", "benchmarks.smallest_sdk_tap")
PLAIN_BOTO3: Command = (sys.executable, "-m", "benchmarks.plain_boto3")
PLAIN_BOTO3_WITH_ASSETS: Command = (*PLAIN_BOTO3, "--assets")

_VARIABLES = 4
"""Region, endpoint, key ID and key: what the emulator says as soon as it listens."""


@dataclass(frozen=True)
class Cost:
    """What one run of a command took.

    Args:
        seconds: By the clock.
        cpu: Seconds of processor, user and system.
        peak: Most memory at once, MiB.
        messages: Singer messages by their kind, none from a command that is no tap.
        lines: Lines on stdout.
        log_lines: Lines on stderr.
    """

    seconds: float
    cpu: float
    peak: float
    messages: Counter[str]
    lines: int
    log_lines: int


class Account:
    """An emulated account that is served by a process of its own."""

    def __init__(self, environment: dict[str, str]) -> None:
        """Take the environment that reaches the account."""
        self.environment = environment
        self._url = environment["TAP_IOT_SITEWISE_AWS_ENDPOINT_URL"]

    def calls(self) -> int:
        """Return the requests so far."""
        with urllib.request.urlopen(f"{self._url}/_emulator/stats") as answer:
            return int(json.load(answer)["total"])

    def set_latency(self, seconds: float) -> None:
        """Change how much longer each answer takes."""
        body = json.dumps({"latency": seconds}).encode()
        with urllib.request.urlopen(f"{self._url}/_emulator/faults", body) as answer:
            answer.read()


@contextlib.contextmanager
def account(
    sizes: Mapping[str, int] | None = None, /, **options: object
) -> Iterator[Account]:
    """Serve an account.

    Args:
        sizes: Records of the kinds for extra streams; none of them when None.
        options: Options of ``python -m emulator``.

    Yields:
        The account, once it listens.
    """
    line = [sys.executable, "-m", "emulator"]
    for name, value in options.items():
        line += [f"--{name.replace('_', '-')}", str(value)]
    if sizes is None:
        line.append("--without-extra-streams")
    for kind, number in (sizes or {}).items():
        line += ["--size", f"{kind}={number}"]
    with served(line) as account_:
        yield account_


@contextlib.contextmanager
def served(line: Sequence[str]) -> Iterator[Account]:
    """Serve an account by a command that prints the variables as the emulator does.

    Args:
        line: The words of the command.

    Yields:
        The account, once it listens.
    """
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        try:
            environment = {}
            for text in process.stdout or ():
                if text.startswith("export "):
                    variable, _, given = text.removeprefix("export ").partition("=")
                    environment[variable] = shlex.split(given)[0]
                if len(environment) == _VARIABLES:
                    break
            yield Account(environment)
        finally:
            process.terminate()
            process.communicate()


def run(command: Command, environment: dict[str, str], **settings: object) -> Cost:
    """Run a command to its end.

    Args:
        command: Its words.
        environment: Variables beside this process's own.
        settings: Settings of the tap, for this run only.

    Returns:
        What it took.

    Raises:
        RuntimeError: The command failed.
    """
    variables = {
        name: value
        for name, value in os.environ.items()
        # Set in some workplaces, and on no user's machine.
        if name not in {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
    }
    variables.update(environment)
    for name, value in settings.items():
        variables[f"TAP_IOT_SITEWISE_{name.upper()}"] = str(value)
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as log:
        started = time.perf_counter()
        process = subprocess.Popen(command, env=variables, stdout=output, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        lines = log.readlines()
        if process.returncode:
            message = f"{command} failed: {lines[-1:]}"
            raise RuntimeError(message)
        output.seek(0)
        kinds = Counter(map(_kind, output))
    return Cost(
        seconds=seconds,
        cpu=usage.ru_utime + usage.ru_stime,
        # Kilobytes on Linux, bytes on macOS.
        peak=usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2),
        messages=Counter({kind: n for kind, n in kinds.items() if kind}),
        lines=kinds.total(),
        log_lines=len(lines),
    )


def _kind(line: bytes) -> str:
    """Return the type of a Singer message, nothing for any other line."""
    if not line.startswith(b'{"type":"'):
        return ""
    return line[len(b'{"type":"') :].split(b'"', 1)[0].decode()
