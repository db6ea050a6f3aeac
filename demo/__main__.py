"""`python -m demo --loader target-csv`, which is what `make demo` calls."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from demo.loaded import LOADERS, Loaded
from demo.meltano import OUTPUT, RunFailedError, run
from demo.postgres import server

if TYPE_CHECKING:
    from types import FrameType

STREAMS = ("asset_models", "portals", "projects")
PLANT = ("--asset-models=120", "--portals=12", "--projects-per-portal=5")
"""Sizes that take a moment, and fill more than one page here and there."""

_SHOWN_CHARACTERS = 100


def main() -> int:
    """Run the demo; returns the exit code: 0, or that of what failed."""
    options = _options()
    if options.loader == "target-duckdb" and sys.version_info >= (3, 14):
        print("demo: target-duckdb needs Python 3.13 or older", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGHUP, _stop)
    output = OUTPUT / options.loader
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    environment = {}
    try:
        with contextlib.ExitStack() as stack:
            if options.loader == "target-postgres":
                print("starting a PostgreSQL server for the demo", flush=True)
                environment["TARGET_POSTGRES_SQLALCHEMY_URL"] = stack.enter_context(
                    server(driver="psycopg")
                )
            start = time.monotonic()
            seconds = run(
                options.loader,
                emulator=(*PLANT, *options.emulator),
                environment=environment,
            )
            total = time.monotonic() - start
            with LOADERS[options.loader](output, environment) as loaded:
                return _show(loaded, seconds, total)
    except RunFailedError as error:
        print(f"demo: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description="Load a made-up plant with Meltano, and show what was loaded.",
    )
    parser.add_argument("--loader", choices=sorted(LOADERS), default="target-csv")
    parser.add_argument(
        "emulator",
        nargs="*",
        metavar="-- EMULATOR OPTION",
        help="for `python -m emulator`, such as --portals=100",
    )
    return parser.parse_args()


def _stop(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


def _show(loaded: Loaded, seconds: dict[str, float], total: float) -> int:
    """Print what was loaded, as read back; returns 1 if a stream has no rows."""
    rows = {stream: loaded.rows(stream) for stream in STREAMS}
    print(f"\n{'stream':<14}{'rows':>8}{'seconds':>10}")
    for stream in STREAMS:
        print(f"{stream:<14}{rows[stream]:>8}{seconds.get(stream, 0):>10.2f}")
    print(f"{'all':<14}{sum(rows.values()):>8}{total:>10.2f}  (Meltano included)")
    for title, lines in loaded.samples(STREAMS):
        print(f"\n{title}")
        for line in lines:
            cut = len(line) > _SHOWN_CHARACTERS
            print("  " + (line[: _SHOWN_CHARACTERS - 1] + "…" if cut else line))
    if empty := [stream for stream in STREAMS if not rows[stream]]:
        print(f"demo: nothing was loaded for {', '.join(empty)}", file=sys.stderr)
        return 1
    if loaded.kept:
        print(f"\nThe files are in {_relative(loaded.kept)}")
    return 0


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    # A pipe or an old terminal may not take the plant's names otherwise.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    sys.exit(main())
