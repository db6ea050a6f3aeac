"""Run Meltano with the emulator, and make its log readable."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import typing as t
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path

from demo.stopping import raise_if_stopped

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

ROOT = Path(__file__).parents[1]
OUTPUT = ROOT / "output"
MELTANO = ROOT / ".tools" / "meltano" / "bin" / "meltano"


class RunFailedError(Exception):
    """`meltano run` failed."""

    def __init__(self, exit_code: int) -> None:
        """Keep the exit code, with which the demo ends.

        Args:
            exit_code: The exit code of the command.
        """
        super().__init__(f"meltano run failed with exit code {exit_code}, see above")
        self.exit_code = exit_code


@contextmanager
def one_at_a_time(wait: Callable[[], None]) -> Iterator[int]:
    """Hold the lock that only one demo can have.

    Two demos at once would share Meltano's working files and write the same output. An
    interrupted demo may also still be ending: GNU make exits at the second Ctrl-C.

    Args:
        wait: Called once if another demo has the lock.

    Yields:
        The lock's file descriptor. The lock is held until all processes with this
        descriptor have ended.
    """
    OUTPUT.mkdir(exist_ok=True)
    descriptor = os.open(OUTPUT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def run(
    loader: str,
    log: Callable[[str], None],
    *,
    emulator: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
    lock: int,
) -> dict[str, float]:
    """Run the tap into a loader with Meltano.

    Args:
        loader: Name of the loader in meltano.yml.
        log: Called with each line of the log at once.
        emulator: Options for `python -m emulator`.
        environment: Further variables for Meltano.
        lock: The file descriptor that :func:`one_at_a_time` yields.

    Returns:
        The time that the tap measured for each stream, in seconds.

    Raises:
        RunFailedError: Meltano, or anything that it ran, failed.
    """
    command = [
        *(sys.executable, "-m", "demo.supervisor"),
        *(sys.executable, "-m", "emulator", *emulator, "--"),
        # The demo uses neither an .env file nor the state of other runs.
        *(str(MELTANO), "--environment=demo", "--log-format=json"),
        *("--env-file", os.devnull),
        # Meltano treats a run that was killed as running for five minutes. The lock
        # excludes other runs, so --force ignores only such a run.
        *("run", "--full-refresh", "--force", "tap-iot-sitewise", loader),
    ]
    seconds: defaultdict[str, float] = defaultdict(float)
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**_environment(), **(environment or {})},
        # The supervisor ends the run when this pipe closes.
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        # Meltano writes the settings, keys included, into files of its own. The umask
        # decides who may read them.
        umask=0o077,
        start_new_session=True,
        pass_fds=[lock],
    ) as process:
        try:
            for line in process.stderr or ():
                raise_if_stopped()
                entry = _entry(line)
                metric = entry.get("metric_info") or {}
                if metric.get("metric") == "sync_duration":
                    seconds[metric["tags"]["stream"]] += metric["value"]
                elif not metric:
                    log(_readable(entry) if entry else line.rstrip("\n"))
        except BaseException:
            if process.stdin:
                process.stdin.close()
            # Read to the end, so that no process meets a broken pipe while it ends.
            for _ in process.stderr or ():
                continue
            raise
        exit_code = process.wait()
    if exit_code:
        raise RunFailedError(exit_code)
    return seconds


def _environment() -> dict[str, str]:
    """Return the caller's variables without those that would change the demo."""
    ours = ("MELTANO_", "TAP_IOT_SITEWISE_", "TARGET_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    # The emulator on the loopback address is reached without a proxy.
    for name in ("NO_PROXY", "no_proxy"):
        kept[name] = ",".join(filter(None, (kept.get(name), "127.0.0.1", "localhost")))
    return kept


def _entry(line: str) -> dict[str, t.Any]:
    """Parse a log line of Meltano. Other processes write to its stderr, too."""
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) and "event" in entry else {}


def _readable(entry: dict[str, t.Any]) -> str:
    level = entry.get("level", "info")
    mark = "" if level in {"info", "debug"} else f"{level.upper()}: "
    return f"{entry.get('name', 'meltano'):<17} {mark}{entry['event']}"
