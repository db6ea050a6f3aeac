"""`meltano run` beside the emulator, with its log made readable on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).parents[1]
OUTPUT = ROOT / "output"
MELTANO = ROOT / ".tools" / "meltano" / "bin" / "meltano"

_GRACE = 20
"""Seconds in which an interrupted run may come to its end by itself."""


class RunFailedError(Exception):
    """`meltano run` failed."""

    def __init__(self, exit_code: int) -> None:
        """Keep the exit code, which becomes the demo's own.

        Args:
            exit_code: that of the command, negative where a signal ended it.
        """
        super().__init__(f"meltano run failed with exit code {exit_code}, see above")
        self.exit_code = exit_code if exit_code > 0 else 128 - exit_code


def run(
    loader: str,
    *,
    emulator: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
) -> dict[str, float]:
    """Run the tap into a loader with Meltano, and print the log as it comes.

    Args:
        loader: name of the loader in meltano.yml.
        emulator: options for `python -m emulator`.
        environment: further variables for Meltano.

    Returns:
        Seconds that the tap took for each stream, by its own account.

    Raises:
        RunFailedError: Meltano, or anything that it ran, failed.
    """
    command = [
        *(sys.executable, "-m", "emulator", *emulator, "--"),
        # An .env file and a state left by other runs are no business of the demo's.
        *(str(MELTANO), "--environment=demo", "--log-format=json"),
        *("--env-file", os.devnull),
        *("run", "--full-refresh", "tap-iot-sitewise", loader),
    ]
    seconds: defaultdict[str, float] = defaultdict(float)
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**_environment(), **(environment or {})},
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        # Meltano writes the settings, keys included, into files of its own, and has
        # the umask decide who may read them.
        umask=0o077,
    )
    try:
        for line in process.stderr or ():
            entry = _entry(line)
            metric = entry.get("metric_info") or {}
            if metric.get("metric") == "sync_duration":
                seconds[metric["tags"]["stream"]] += metric["value"]
            elif not metric:
                shown = _readable(entry) if entry else line.rstrip("\n")
                print(shown, file=sys.stderr, flush=True)
        if exit_code := process.wait():
            raise RunFailedError(exit_code)
    finally:
        _end(process)
    return seconds


def _environment() -> dict[str, str]:
    """The caller's variables, without those that would change what the demo does."""
    ours = ("MELTANO_", "TAP_IOT_SITEWISE_", "TARGET_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    # Behind a proxy, the emulator on the loopback address is still to be had directly.
    for name in ("NO_PROXY", "no_proxy"):
        kept[name] = ",".join(filter(None, (kept.get(name), "127.0.0.1", "localhost")))
    return kept


def _entry(line: str) -> dict[str, Any]:
    """What Meltano logged, or nothing: others write to its stderr too."""
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) and "event" in entry else {}


def _readable(entry: dict[str, Any]) -> str:
    level = entry.get("level", "info")
    mark = "" if level in {"info", "debug"} else f"{level.upper()}: "
    return f"{entry.get('name', 'meltano'):<17} {mark}{entry['event']}"


def _end(process: subprocess.Popen[str]) -> None:
    """Leave nothing behind: the emulator passes the signal on to what it runs."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stderr:
        process.stderr.close()
