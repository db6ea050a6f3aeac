"""How the pages say that the tap is installed and given its settings."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import typing as t
from importlib.metadata import metadata
from pathlib import Path

import pytest

from tests import expected
from tests.conftest import COMMAND, ROOT, Run, clean_environment, static
from tests.documents import page

if t.TYPE_CHECKING:
    from emulator import Emulator
    from tests.conftest import TapCommand

README = page("README.md")
REPOSITORIES = (
    "https://git.example.com/plant/tap-iot-sitewise.git",
    "ssh://git@git.example.com/plant/tap-iot-sitewise.git",
)
PIP = Path(sys.executable).with_name("pip")


def lines(section: str, number: int = 0) -> list[str]:
    return README.block(section, "sh", number).splitlines()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("checkout") / "tap-iot-sitewise"
    subprocess.run(
        ["git", "clone", "--quiet", ROOT, directory],  # noqa: S607 - git is a tool that make needs too
        check=True,
        capture_output=True,
        timeout=120,
    )
    return directory


def pip(
    command: str, checkout: Path, installed: Path
) -> subprocess.CompletedProcess[str]:
    """Run a command of the page, offline: the repositories' host is this machine.

    Args:
        command: What the page says.
        checkout: Where it is run, and what the repositories hold.
        installed: The directory into which pip installs.
    """
    git = {"GIT_CONFIG_COUNT": str(len(REPOSITORIES))}
    for number, url in enumerate(REPOSITORIES):
        git[f"GIT_CONFIG_KEY_{number}"] = f"url.{checkout}.insteadOf"
        git[f"GIT_CONFIG_VALUE_{number}"] = url
    return subprocess.run(
        ["/bin/sh", "-e", "-c", command],
        cwd=checkout,
        env={
            **clean_environment(),
            **git,
            "PATH": f"{PIP.parent}:{os.environ['PATH']}",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            # The build backend is installed beside the tests; 0 means none of its own.
            "PIP_NO_BUILD_ISOLATION": "0",
            "PIP_NO_DEPS": "1",
            "PIP_NO_INDEX": "1",
            "PIP_TARGET": str(installed),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def origin(installed: Path) -> str:
    """Return the address that pip noted for what it installed."""
    (note,) = installed.glob("tap_iot_sitewise-*.dist-info/direct_url.json")
    url: str = json.loads(note.read_text("utf-8"))["url"]
    return url


@pytest.mark.parametrize("command", lines("Install"))
def test_a_line_of_the_readme_installs_the_tap(
    command: str, checkout: Path, tmp_path: Path
) -> None:
    done = pip(command, checkout, tmp_path)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "tap_iot_sitewise" / "tap.py").is_file()
    address = command.rsplit(maxsplit=1)[-1].strip('"').removeprefix("git+")
    assert origin(tmp_path) == (checkout.as_uri() if address == "." else address)


def test_both_kinds_of_repository_are_shown() -> None:
    shown = "\n".join(lines("Install"))

    for url in REPOSITORIES:
        assert f'"git+{url}"' in shown


def test_the_short_form_of_an_ssh_address_fails_as_the_readme_says(
    checkout: Path, tmp_path: Path
) -> None:
    assert "`git@HOST:PATH`" in README.section("Install")

    done = pip("pip install git+git@git.example.com:plant/tap.git", checkout, tmp_path)

    assert done.returncode != 0
    assert "Invalid requirement" in done.stderr


def test_a_wheel_is_built_and_installed_as_the_readme_says(
    checkout: Path, tmp_path: Path
) -> None:
    done = pip(README.block("Install", "sh", 1), checkout, tmp_path)

    assert done.returncode == 0, done.stderr
    (wheel,) = checkout.glob("*.whl")
    assert origin(tmp_path) == wheel.as_uri()


EXTRAS = page("docs/stream-maps.md")


def test_the_extras_of_the_page_are_those_of_the_package() -> None:
    shown = [row["extra"].strip("`") for row in EXTRAS.tables()[0]]

    assert sorted(shown) == sorted(
        metadata("tap-iot-sitewise").get_all("Provides-Extra") or []
    )


def test_an_extra_is_installed_as_the_page_says(checkout: Path, tmp_path: Path) -> None:
    commands = EXTRAS.block("Install an extra", "sh").splitlines()

    wheel = pip("pip wheel --no-deps .", checkout, tmp_path)
    assert wheel.returncode == 0, wheel.stderr
    for number, command in enumerate(commands):
        installed = tmp_path / str(number)
        done = pip(command, checkout, installed)
        assert done.returncode == 0, done.stderr
        assert "does not provide the extra" not in done.stderr
        assert (installed / "tap_iot_sitewise" / "tap.py").is_file()


# Settings


def shell(commands: str, directory: Path, **variables: str) -> Run:
    done = subprocess.run(
        ["bash", "-e", "-c", commands],  # noqa: S607 - as the reader of the page calls it
        cwd=directory,
        env=clean_environment(
            PATH=f"{COMMAND.parent}:{os.environ['PATH']}", **variables
        ),
        capture_output=True,
        check=False,
        timeout=300,
    )
    return Run(done.returncode, done.stdout, done.stderr.decode())


def test_the_command_of_the_readme_spares_the_warning_of_the_config_file(
    tap: TapCommand, aws: Emulator
) -> None:
    path = tap.file("config.json", static(aws))
    path.chmod(0o644)
    read = "tap-iot-sitewise --config config.json > /dev/null"

    before = shell(read, tap.directory).succeeded()
    after = shell(README.block("Configure", "sh") + read, tap.directory).succeeded()

    assert any("config.json" in line for line in before.lines("WARNING"))
    assert after.lines("WARNING") == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_env_file_is_read_only_when_the_shell_loads_it(
    tap: TapCommand, aws: Emulator
) -> None:
    settings = static(aws).items()
    tap.file(
        ".env",
        "".join(
            f"TAP_IOT_SITEWISE_{name.upper()}={value}\n" for name, value in settings
        ),
    )
    load, read = lines("Configure", 1)

    alone = shell(read, tap.directory)
    loaded = shell(f"{load}\n{read}", tap.directory).succeeded()

    assert "aws_region" in alone.error
    run = Run(0, (tap.directory / "plant.jsonl").read_bytes(), loaded.log)
    assert run.records("projects") == expected.records(aws.plant)["projects"]


# Try it without AWS

CURL = """#!{python}
import sys, urllib.request
_, option, method, url = sys.argv
assert option == "--request"
request = urllib.request.Request(url, method=method)
print(urllib.request.urlopen(request, timeout=60).read().decode())
"""


def test_the_trial_of_the_readme_reads_a_change(tmp_path: Path) -> None:
    section = "Try it without AWS"
    (start,) = lines(section)
    program, *options = start.split()
    assert program == ".venv/bin/python"
    # The commands change to a new temporary directory.
    environment = clean_environment(TMPDIR=str(tmp_path))
    if not shutil.which("curl"):
        programs = tmp_path / "programs"
        programs.mkdir()
        (programs / "curl").write_text(CURL.format(python=sys.executable), "utf-8")
        (programs / "curl").chmod(0o700)
        environment["PATH"] = f"{environment['PATH']}:{programs}"
    commands = README.block(section, "sh", 1) + README.block(section, "sh", 2)

    done = subprocess.run(
        [
            sys.executable,
            *options,
            "-e",
            "-c",
            f"{commands}\necho\npwd\necho $portal\n",
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr
    directory, portal = done.stdout.splitlines()[-2:]
    first, second = (
        Run(0, (Path(directory) / name).read_bytes(), "")
        for name in ("first.jsonl", "second.jsonl")
    )
    before = {record["portal_id"]: record for record in first.records("portals")}
    after = {record["portal_id"]: record for record in second.records("portals")}
    assert after[portal]["last_update_date"] > before[portal]["last_update_date"]
    # "The newest records of the first run": the bookmark's own, and those without date.
    bookmark = first.states[-1]["bookmarks"]["portals"]["replication_key_value"]
    assert {
        key
        for key, record in before.items()
        if (record["last_update_date"] or bookmark) >= bookmark
    } | {portal} == after.keys()
