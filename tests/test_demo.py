"""`make demo`: what it prints, and what it leaves when it is stopped."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

import psutil
import pytest

from demo.meltano import MELTANO, OUTPUT
from demo.table import table
from demo.tree import tree
from emulator import Plant
from emulator.factory import SIZES as FACTORY
from emulator.families import KINDS_BY_NAME
from tests.conftest import ROOT, clean_environment

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RUNS_MELTANO = pytest.mark.usefixtures("meltano_project")
SIZES = ("--asset-models=11", "--portals=3", "--projects-per-portal=2")
LIMIT = 300
"""Seconds after which a demo hangs for good."""


@pytest.fixture
def directory() -> Iterator[Path]:
    # Short: the path of a server's socket may have some hundred characters only.
    with tempfile.TemporaryDirectory(prefix="demo-") as path:
        yield Path(path)
        # A demo that a failed test leaves behind would block all that come after it.
        for process in started(Path(path)):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def start(directory: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the demo in a process group of its own, as a shell does."""
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
        encoding="utf-8",
        start_new_session=True,
    )


def read_until(lines: t.IO[str] | None, words: str) -> str:
    """Read lines up to the first one with these words, and return them all."""
    read = ""
    for line in lines or ():
        read += line
        if words in line:
            return read
    pytest.fail(f"the demo ended before it printed {words!r}: {read}")


def wait_for(event: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT
    while not event():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def interrupt_until_it_ends(demo: subprocess.Popen[str]) -> None:
    """Press Ctrl-C again and again: it goes to all in the terminal's foreground."""
    while demo.poll() is None:
        os.killpg(demo.pid, signal.SIGINT)
        time.sleep(0.02)


def started(directory: Path) -> dict[psutil.Process, list[str]]:
    """Find all that a demo started and that still runs, with the command lines."""
    found = {}
    for process in psutil.process_iter():
        # Some end meanwhile, others belong to another user.
        with contextlib.suppress(psutil.Error):
            if process.environ().get("TMPDIR", "").startswith(str(directory)):
                found[process] = process.cmdline()
    return found


def check_that_nothing_is_left(directory: Path) -> None:
    assert started(directory) == {}
    assert list(directory.iterdir()) == []


@RUNS_MELTANO
def test_a_demo_whose_run_fails_prints_the_log_and_ends_with_its_exit_code(
    directory: Path,
) -> None:
    OUTPUT.mkdir(exist_ok=True)
    place = os.open(OUTPUT, os.O_RDONLY)
    fcntl.flock(place, fcntl.LOCK_EX)
    demo = start(directory, "--", "--no-such-option")
    # As long as another demo runs, this one does not touch its files.
    read_until(demo.stderr, "demo: waiting until another demo has ended")

    os.close(place)
    output, log = demo.communicate(timeout=LIMIT)

    assert demo.returncode == 2
    assert "--no-such-option" in log
    assert log.splitlines()[-1] == (
        "demo: meltano run failed with exit code 2, see above"
    )
    assert output == ""
    check_that_nothing_is_left(directory)


@RUNS_MELTANO
def test_a_run_that_was_killed_does_not_block_the_next_demo(directory: Path) -> None:
    arguments = ("--loader=target-jsonl", "--verbose", "--")
    killed = start(directory, *arguments, "--latency=3600")
    read_until(killed.stderr, "Running catalog discovery")
    # A process that Meltano is starting has Meltano's command line at first.
    (meltano, *_) = sorted(
        (
            process
            for process, command_line in started(directory).items()
            if command_line[1:2] == [str(MELTANO)]
        ),
        key=psutil.Process.create_time,
    )
    # Meltano and what it runs, as at a power cut. The run stays marked as running.
    os.killpg(meltano.pid, signal.SIGKILL)
    killed.communicate(timeout=LIMIT)
    assert killed.returncode == 128 + signal.SIGKILL

    demo = start(directory, *arguments, "--plant=hostile", *SIZES)
    output, log = demo.communicate(timeout=LIMIT)

    assert demo.returncode == 0, log
    assert "Run completed" in log
    # The hostile plant's line breaks and directions of writing stay out.
    assert {character for character in output if not character.isprintable()} <= {
        *("\n", "\N{LEFT-TO-RIGHT MARK}")
    }
    text = (OUTPUT / "target-jsonl" / "portals.jsonl").read_text("utf-8")
    portals = [json.loads(line) for line in text.splitlines()]
    section = output.split("portals, 3 of 3:\n")[1].split("\n\n")[0]
    header, *rows = section.splitlines()
    assert header.split()[:3] == ["name", "state", "updated"]
    for row, portal in zip(rows, portals, strict=True):
        assert portal["status__state"] in row
        assert portal["last_update_date"][:10] in row


@RUNS_MELTANO
def test_a_demo_answers_a_query_and_cleans_up_however_often_it_is_interrupted(
    directory: Path,
) -> None:
    demo = start(directory, "--loader=target-postgres", "--", *SIZES)

    output = read_until(demo.stdout, "The whole run took")
    interrupt_until_it_ends(demo)
    _, log = demo.communicate(timeout=LIMIT)

    words = [line.split() for line in output.splitlines()]
    assert words[0] == ["stream", "rows", "seconds", "states"]
    assert [row[:2] for row in words[1:4]] == [
        ["asset_models", "11"],
        ["portals", "3"],
        ["projects", "6"],
    ]
    assert all(float(row[2]) >= 0 for row in words[1:4])
    answer = output[output.index("LIMIT 5") :].splitlines()[2:6]
    assert answer[0].split() == ["portal", "state", "projects", "updated"]
    assert [line.split()[-2] for line in answer[1:]] == ["2", "2", "2"]
    # Nothing of Meltano's log. Whether it installs something, other tests decide.
    installs = "demo: Meltano installs the plugins that it does not have yet"
    assert [line for line in log.splitlines() if line and line != installs] == [
        "demo: starting a PostgreSQL server",
        "demo: loading an emulated plant into target-postgres with Meltano",
        *(["demo: stopping"] if demo.returncode else []),
    ]
    assert demo.returncode in {0, 128 + signal.SIGINT}
    check_that_nothing_is_left(directory)


@RUNS_MELTANO
def test_a_demo_that_is_interrupted_several_times_leaves_nothing_running(
    directory: Path,
) -> None:
    arguments = ("--loader=target-postgres", "--verbose", "--", "--latency=3600")
    # So late an answer that the run does not end by itself.
    demo = start(directory, *arguments)
    read_until(demo.stderr, "Running catalog discovery")
    names = " ".join(" ".join(line) for line in started(directory).values())
    assert "emulator" in names
    assert str(MELTANO) in names
    assert "postgres -D" in names

    interrupt_until_it_ends(demo)
    _, log = demo.communicate(timeout=LIMIT)

    assert demo.returncode == 128 + signal.SIGINT
    assert "Traceback" not in log
    check_that_nothing_is_left(directory)


@RUNS_MELTANO
def test_a_demo_that_is_interrupted_while_its_server_starts_leaves_no_data(
    directory: Path,
) -> None:
    demo = start(directory, "--loader=target-postgres")
    wait_for(lambda: list(directory.glob("sitewise-postgres-*/data")))

    interrupt_until_it_ends(demo)
    output, log = demo.communicate(timeout=LIMIT)

    assert demo.returncode == 128 + signal.SIGINT
    assert output == ""
    assert log.splitlines() == ["demo: starting a PostgreSQL server", "demo: stopping"]
    check_that_nothing_is_left(directory)


@RUNS_MELTANO
def test_nothing_outlives_a_demo_that_is_killed(directory: Path) -> None:
    arguments = ("--loader=target-postgres", "--verbose", "--", "--latency=3600")
    demo = start(directory, *arguments)
    read_until(demo.stderr, "Environment 'demo' is active")
    assert len(started(directory)) > 3

    demo.kill()
    demo.communicate(timeout=LIMIT)

    wait_for(lambda: not started(directory))
    check_that_nothing_is_left(directory)


@pytest.mark.parametrize(
    ("command", "exit_code"),
    [
        ("sys.exit(7)", 7),
        ("os.kill(os.getpid(), signal.SIGKILL)", 128 + signal.SIGKILL),
        ("ready(); time.sleep(LIMIT)", 128 + signal.SIGTERM),
        ("at_sigterm_exit_with(9); ready(); time.sleep(LIMIT)", 9),
    ],
)
def test_a_supervised_command_ends_with_its_exit_code(
    command: str, exit_code: int
) -> None:
    prelude = (
        f"import os, signal, sys, time; LIMIT = {LIMIT};"
        "ready = lambda: print('ready', flush=True);"
        "at_sigterm_exit_with = lambda code:"
        "    signal.signal(signal.SIGTERM, lambda *_: sys.exit(code));"
    )
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "demo.supervisor"),
            *(sys.executable, "-c", prelude + command),
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as supervisor:
        # An end of the file, where the command ends by itself.
        assert supervisor.stdout is not None
        supervisor.stdout.readline()
        supervisor.communicate(timeout=LIMIT)

    assert supervisor.returncode == exit_code


@RUNS_MELTANO
def test_a_demo_with_the_streams_of_a_plant_shows_all_tables_and_the_assets(
    directory: Path,
) -> None:
    sizes: dict[str, t.Any] = {**FACTORY, "asset_models": 33}
    plant = Plant.make("factory", **{**sizes, "portals": 2, "projects": 2})
    options = ("--asset-models=33", "--portals=2", "--projects-per-portal=2")

    demo = start(directory, "--loader=target-jsonl", "--streams=plant", "--", *options)
    shown, log = demo.communicate(timeout=LIMIT)

    assert demo.returncode == 0, log
    counts = {
        line.split()[0]: int(line.split()[1])
        for line in shown.splitlines()[1:]
        if re.match(r"[a-z_]+ +[0-9]+ ", line)
    }
    assert counts == {
        kind: sum(map(len, plant.listings(kind))) for kind in KINDS_BY_NAME
    }
    assert f"The {counts['assets']} assets, each with its model:" in shown
    lines = [each for each in shown.splitlines() if "Line" in each or "Press" in each]
    of_a_site = [
        "  ├─ Line 1 (Bottling line): 3 assets",
        "  ├─ Line 2 (Assembly line): 4 assets",
        "  │  ├─ Press 1 (Press)",
    ]
    assert lines == of_a_site * 2
    (site,) = (line for line in shown.splitlines() if "Hamburg (Site): " in line)
    assert site == f"  Hamburg (Site): {counts['assets'] // 2 - 1} assets"


def test_an_unknown_stream_is_refused_before_anything_runs(directory: Path) -> None:
    demo = start(directory, "--streams=plants")
    shown, log = demo.communicate(timeout=LIMIT)

    assert demo.returncode == 2
    assert "plants is not an extra stream; did you mean plant?" in log
    assert shown == ""


def test_a_tree_shows_four_children_of_each_asset_and_counts_the_others() -> None:
    models = [{"asset_model_id": "s", "name": "Site"}]
    names = ["top", "alone", *"abcde", "f\ng"]
    assets = [{"asset_id": n, "name": n, "asset_model_id": "s"} for n in names]
    assets[1]["asset_model_id"] = "?"
    pairs = [*(("top", child) for child in "ebcda"), ("b", "f\ng")]
    associations = [
        {"parent_asset_id": above, "child_asset_id": below} for above, below in pairs
    ]

    assert list(tree(assets, associations, models)) == [
        "alone (unknown model)",
        "top (Site): 6 assets",
        "├─ a (Site)",
        "├─ b (Site): 1 asset",
        "│  └─ f g (Site)",
        "├─ c (Site)",
        "├─ d (Site)",
        "└─ and 1 more",
    ]


def test_a_tree_ends_where_an_asset_is_below_itself_or_below_several_others() -> None:
    models = [{"asset_model_id": "s", "name": "Site"}]
    assets = [{"asset_id": n, "name": n, "asset_model_id": "s"} for n in "abcd"]
    pairs = ("ab", "ac", "bd", "cd", "db", "dd")
    associations = [
        {"parent_asset_id": pair[0], "child_asset_id": pair[1]} for pair in pairs
    ]

    # What is below an asset is drawn where the asset comes first.
    assert list(tree(assets, associations, models)) == [
        "a (Site): 3 assets",
        "├─ b (Site): 2 assets",
        "│  └─ d (Site): 2 assets",
        "│     ├─ b (Site): 2 assets",
        "│     └─ d (Site): 2 assets",
        "└─ c (Site): 2 assets",
        "   └─ d (Site): 2 assets",
    ]


def test_a_table_is_aligned_whatever_its_texts_are() -> None:
    rows: list[dict[str, object]] = [
        {"name": "Cork\r\noperations", "state": "ACTIVE", "projects": 5, "error": ""},
        {"name": "泵站", "state": "FAILED", "projects": 12, "error": None},
        {"name": "Łódz\u0301", "state": None, "projects": 0, "error": ""},
        {"name": "\u202e\x1b[31mred\x07", "state": "", "projects": 7, "error": ""},
        {"name": "משאבה", "state": "ACTIVE", "projects": 7, "error": ""},
    ]

    lines = list(table(rows, 80))

    assert lines == [
        "name             state   projects",
        "Cork operations  ACTIVE         5",
        # Two columns for each character; none for the accent.
        "泵站             FAILED        12",
        "Łódz\u0301             -              0",
        "[31mred          -              7",
        # Between marks that keep the rest of the line where it is.
        "\u200eמשאבה\u200e            ACTIVE         7",
    ]


def test_a_table_fits_into_its_width() -> None:
    row = {"name": "ポンプ・ステーション", "date": "2024-06-01", "error": "e" * 99}

    assert list(table([row], 44)) == [
        "name                  date        error",
        "ポンプ・ステーション  2024-06-01  eeeeeeeee…",
    ]
    assert list(table([row], 35)) == [
        "name         date        error",
        "ポンプ・ス…  2024-06-01  eeeeeeeee…",
    ]


def make(*arguments: str, directory: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = clean_environment()
    # What `make test` passes on to what it runs.
    variables = ("LOADER", "STREAMS", "VERBOSE", "EMULATOR")
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", *variables):
        environment.pop(name, None)
    return subprocess.run(
        ["make", f"--makefile={ROOT / 'Makefile'}", *arguments],  # noqa: S607 - any make
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )


@pytest.mark.parametrize("loader", ["snowflake", "csv jsonl", ""])
def test_make_refuses_an_unknown_loader_before_it_installs_anything(
    tmp_path: Path, loader: str
) -> None:
    refused = make("demo", f"LOADER={loader}", directory=tmp_path)

    assert refused.returncode == 2
    assert refused.stderr.endswith(
        f"LOADER={loader} is unknown; use csv, jsonl, duckdb or postgres.  Stop.\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("variables", "arguments"),
    [
        ([], "--loader=target-csv --"),
        (["LOADER=jsonl"], "--loader=target-jsonl --"),
        (["LOADER=target-postgres"], "--loader=target-postgres --"),
        (["VERBOSE=0"], "--loader=target-csv --"),
        (["STREAMS=plant"], "--loader=target-csv --streams='plant' --"),
        (["STREAMS=telemetry"], "--loader=target-csv --streams='telemetry' --"),
        (
            ["VERBOSE=1", "EMULATOR=--portals=7"],
            "--loader=target-csv --verbose -- --portals=7",
        ),
    ],
)
def test_make_passes_its_variables_to_the_demo(
    variables: list[str], arguments: str
) -> None:
    printed = make("--dry-run", "demo", *variables)

    assert printed.returncode == 0, printed.stderr
    command = printed.stdout.replace("\\\n", " ").split("-m demo")[-1]
    assert " ".join(command.split()) == arguments


def test_make_help_names_the_variables_and_their_values() -> None:
    printed = make("help").stdout

    for name in ("LOADER", "STREAMS", "VERBOSE", "EMULATOR", "PYTHON"):
        assert f"\n  {name} " in printed
    assert "csv (the default), jsonl, duckdb, postgres" in printed
