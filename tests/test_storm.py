"""Signals at random moments, against readers that are slow, stopped or gone."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from emulator import Emulator
from tests import expected
from tests.conftest import TapCommand, static
from tests.test_output import ENVIRONMENTS, LIMIT, environment

if t.TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = 6
"""Runs of each kind. Every suite draws others."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    with Emulator(asset_models=3_000, portals=20, projects_per_portal=30) as emulator:
        yield emulator


def wait_until_signals_are_handled(pid: int) -> None:
    """Wait until the tap's own code runs: Python itself handles SIGINT only."""
    deadline = time.monotonic() + LIMIT
    while True:
        status = Path(f"/proc/{pid}/status").read_text("ascii")
        (caught,) = (line for line in status.splitlines() if line.startswith("SigCgt"))
        if int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1:
            return
        assert time.monotonic() < deadline
        time.sleep(0.002)


@dataclass
class Storm:
    """One run that is stopped, and what its reader got.

    Args:
        seed: Decides all that is left to chance.
        reader: What the reader does: ``slow``, ``stopped`` or ``gone``.
    """

    seed: int
    reader: str
    output: bytes = b""
    log: str = ""
    code: int = 0
    sent: set[signal.Signals] = field(default_factory=set)

    def blow(self, command: list[str], variables: dict[str, str]) -> Storm:
        dice = random.Random(self.seed)  # noqa: S311 - has to be repeatable
        process = subprocess.Popen(
            command,
            env=environment(variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        read = threading.Thread(target=self._read, args=(process, dice.random()))
        read.start()
        log: list[bytes] = []
        listen = threading.Thread(target=lambda: log.append(process.stderr.read()))  # type: ignore[union-attr]
        listen.start()
        wait_until_signals_are_handled(process.pid)
        # In the imports, in the run, or after its end.
        time.sleep(dice.uniform(0, 1.5))
        for _ in range(dice.choice([1, 1, 2, 4])):
            if process.poll() is None:
                signum = dice.choice(SIGNALS)
                self.sent.add(signum)
                process.send_signal(signum)
                time.sleep(dice.choice([0, 0.001, 0.05]))
        try:
            self.code = process.wait(timeout=LIMIT)
        finally:
            process.kill()
            read.join()
            listen.join()
            process.stderr.close()
        self.log = log[0].decode()
        return self

    def _read(self, process: subprocess.Popen[bytes], share: float) -> None:
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        while piece := os.read(descriptor, 4096):
            self.output += piece
            if self.reader == "slow":
                time.sleep(0.002)
            elif len(self.output) > share * 1_000_000:
                break
        if self.reader == "stopped":
            process.wait()
            while select.select([descriptor], [], [], 0)[0] and (
                piece := os.read(descriptor, 65_536)
            ):
                self.output += piece
        process.stdout.close()

    def check(self, whole: dict[str, list[t.Any]]) -> None:
        """Fail unless the run ended as it should."""
        told = f"seed {self.seed}, {self.reader}, {self.sent}: {self.code}\n{self.log}"
        for words in ("Traceback", "Exception ignored", "Logging error"):
            assert words not in self.log, told
        gone = {1} if self.reader == "gone" else set()
        assert self.code in {0, *gone, *(128 + signum for signum in self.sent)}, told
        if self.reader == "gone":
            return
        assert not self.output or self.output.endswith(b"\n"), told
        messages = [json.loads(line) for line in self.output.splitlines()]
        kinds = {message["type"] for message in messages}
        assert "ACTIVATE_VERSION" in kinds or self.code, told
        # A run that was stopped just as it ended: then everything is there.
        ended = "ACTIVATE_VERSION" in kinds
        assert not ended or messages[-1]["type"] == "STATE", told
        for stream, records in whole.items():
            of_stream = [
                m["record"]
                for m in messages
                if m.get("stream") == stream and m["type"] == "RECORD"
            ]
            # Without a gap, as far as it got; all of it where it ended well.
            assert of_stream == records[: len(of_stream)], told
            assert not ended or of_stream == records, told


@ENVIRONMENTS
@pytest.mark.parametrize("reader", ["slow", "stopped", "gone"])
def test_a_signal_at_any_moment_leaves_whole_lines_and_the_exit_code(
    served: Emulator, tmp_path: Path, variables: dict[str, str], reader: str
) -> None:
    whole = t.cast("dict[str, list[t.Any]]", expected.records(served.plant))
    command = TapCommand(tmp_path).arguments(
        static(served, emit_activate_version_messages=True)
    )
    first = random.SystemRandom().randrange(2**32)
    storms = [Storm(first + number, reader) for number in range(RUNS)]

    with ThreadPoolExecutor(max_workers=3) as several:
        ended = list(several.map(lambda storm: storm.blow(command, variables), storms))

    for storm in ended:
        storm.check(whole)
