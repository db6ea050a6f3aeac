"""`python -m demo --loader target-csv`, which is what `make demo` calls."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import shutil
import sys
import time
from pathlib import Path

from demo import telemetry
from demo.loaded import LOADERS
from demo.meltano import OUTPUT, RunFailedError, one_at_a_time, run
from demo.postgres import NotStartedError, server
from demo.report import empty_streams, report
from tap_iot_sitewise.extra_streams import enabled_streams, problems

PLANT = ("--asset-models=60", "--portals=8", "--projects-per-portal=6")
"""The size of the demo's plant: two sites with six lines each."""

_WITHOUT_TERMINAL = (100, 24)
_NARROWEST, _WIDEST = 60, 200


class _Log:
    """Meltano's log: printed at once, or kept and printed if the demo fails."""

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._kept: list[str] = []
        self._installing = False

    def add(self, line: str) -> None:
        if self._verbose:
            _say(line)
            return
        self._kept.append(line)
        if not self._installing and " Installing " in line:
            self._installing = True
            _say("demo: Meltano installs the plugins that it does not have yet")

    def failed(self, message: object) -> None:
        for line in self._kept:
            _say(line)
        _say(f"demo: {message}")


def main(*, ascii_only: bool = False) -> int:
    """Run the demo; returns the exit code: 0, or that of what failed.

    Args:
        ascii_only: Whether the terminal shows ASCII characters only.
    """
    options = _options()
    if options.loader == "target-duckdb" and sys.version_info >= (3, 14):
        _say("demo: target-duckdb needs Python 3.13 or older; use another loader")
        return 2
    log = _Log(verbose=options.verbose)
    output = OUTPUT / options.loader
    streams, environment = _streams(options.streams)
    with contextlib.ExitStack() as stack:
        lock = stack.enter_context(one_at_a_time(_say_that_it_waits))
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir()
        try:
            if options.loader == "target-postgres":
                _say("demo: starting a PostgreSQL server")
                environment["TARGET_POSTGRES_SQLALCHEMY_URL"] = stack.enter_context(
                    server(driver="psycopg")
                )
            _say(f"demo: loading an emulated plant into {options.loader} with Meltano")
            start = time.monotonic()
            seconds = run(
                options.loader,
                log.add,
                emulator=(*PLANT, *options.emulator),
                environment=environment,
                lock=lock,
            )
            total = time.monotonic() - start
        except (RunFailedError, NotStartedError) as error:
            log.failed(error)
            return error.exit_code if isinstance(error, RunFailedError) else 1
        loaded = stack.enter_context(LOADERS[options.loader](output, environment))
        lines = report(loaded, streams, seconds, _width(), ascii_only=ascii_only)
        _show([*lines], loaded.kept, total)
        if empty := empty_streams(loaded, streams):
            log.failed(f"nothing was loaded for {', '.join(empty)}")
            return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description="Load an emulated plant with Meltano, and show what was loaded.",
    )
    parser.add_argument("--loader", choices=sorted(LOADERS), default="target-csv")
    parser.add_argument(
        "--streams",
        type=_extra_streams,
        default=[],
        metavar="STREAM,...",
        help="extra streams, such as plant or telemetry",
    )
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="print the log of Meltano, the tap and the loader",
    )
    parser.add_argument(
        "emulator",
        nargs="*",
        metavar="-- EMULATOR OPTION",
        help="for `python -m emulator`, such as --portals=100",
    )
    return parser.parse_args()


def _extra_streams(given: str) -> list[str]:
    names = [name.strip() for name in given.split(",") if name.strip()]
    if found := list(problems({"extra_streams": names})):
        raise argparse.ArgumentTypeError("; ".join(found))
    return names


def _streams(extra: list[str]) -> tuple[list[str], dict[str, str]]:
    """Return the names of the streams, and the settings for them as variables."""
    names = [each.name for each in enabled_streams({"extra_streams": extra})]
    settings = {}
    if not set(telemetry.STREAMS).isdisjoint(names):
        extra = [*extra, telemetry.UNITS]
        names = [each.name for each in enabled_streams({"extra_streams": extra})]
        settings = telemetry.settings(dt.datetime.now(dt.timezone.utc))
    return names, {**settings, "TAP_IOT_SITEWISE_EXTRA_STREAMS": json.dumps(extra)}


def _say(line: str) -> None:
    """Print to stderr. Stdout is for the loaded data."""
    # If stderr is closed, the demo still has to clean up.
    with contextlib.suppress(BrokenPipeError):
        print(line, file=sys.stderr, flush=True)


def _say_that_it_waits() -> None:
    _say("demo: waiting until another demo has ended")


def _width() -> int:
    columns = shutil.get_terminal_size(_WITHOUT_TERMINAL).columns
    return min(max(columns, _NARROWEST), _WIDEST)


def _show(described: list[str], kept: Path | None, total: float) -> None:
    lines = [*described, ""]
    lines.append(
        f"The whole run took {total:.1f} seconds, "
        "including the start of Meltano, the tap and the loader."
    )
    if kept:
        lines.append(f"The loaded data is in {_relative(kept)}")
    _say("")
    try:
        print("\n".join(lines), flush=True)
    except BrokenPipeError:
        # `make demo | head` has read enough. What is left goes nowhere, or Python
        # fails once more at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
