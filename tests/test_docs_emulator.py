"""docs/emulator.md: what it shows is run as it stands, by a shell."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest

from emulator import conditions, roles
from emulator.families import KINDS_BY_NAME, OPERATIONS
from emulator.faults import Fault
from emulator.options import parser
from tap_iot_sitewise.streams import ALL_STREAMS
from tests import openssl
from tests.conftest import ROOT, clean_environment
from tests.documents import page

if t.TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = page("docs/emulator.md")
PORT = "8765"
"""The port of the page, for which a test takes a free one."""

# For a machine without curl: what the page asks of it.
CURL = """#!/usr/bin/env python3
import argparse, urllib.request
parser = argparse.ArgumentParser()
parser.add_argument("-s", action="store_true")
parser.add_argument("-X", default="GET")
parser.add_argument("-d")
parser.add_argument("url")
options = parser.parse_args()
data = options.d.encode() if options.d else None
request = urllib.request.Request(options.url, data, method=options.X)
print(urllib.request.urlopen(request).read().decode(), end="")
"""


@dataclass
class Reader:
    """Somebody who follows the page in two terminals."""

    directory: Path
    port: str
    environment: dict[str, str]

    def commands(self, section: str) -> list[str]:
        return [
            block.text.replace(PORT, self.port)
            for block in PAGE.blocks("shell")
            if block.section == section
        ]

    @contextlib.contextmanager
    def emulator(self, command: str) -> Iterator[list[str]]:
        """Run the command that starts the emulator; give what it prints."""
        line = shlex.split(command)
        with subprocess.Popen(
            [sys.executable, *line[1:]],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                printed: list[str] = []
                for text in process.stdout or ():
                    printed.append(text)
                    if "AWS_CA_BUNDLE" in text:
                        break
                yield printed
            finally:
                process.terminate()

    def run(self, *commands: str, after: str = "") -> subprocess.CompletedProcess[str]:
        """Run commands in one shell, as one that pasted them one after the other."""
        done = subprocess.run(
            ["bash", "-ec", "\n".join([after, *commands])],  # noqa: S607 - the reader's
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    tools = tmp_path / "tools"
    tools.mkdir()
    if shutil.which("curl") is None:
        (tools / "curl").write_text(CURL)
        (tools / "curl").chmod(0o755)
    path = f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environment = clean_environment(PATH=path, PYTHONPATH=str(ROOT))
    return Reader(tmp_path, port, environment)


def settings(printed: list[str]) -> list[str]:
    """The lines with which the page's reader sets up Roles Anywhere."""
    begin = next(n for n, line in enumerate(printed) if "# IAM Roles" in line)
    static = [line for line in printed[:begin] if line.startswith("export ")]
    return [*static, *(line.removeprefix("# ") for line in printed[begin + 1 :])]


def test_the_tutorial_ends_with_the_change_that_was_made(reader: Reader) -> None:
    start, pasted, *steps = reader.commands("Try it without AWS")
    with reader.emulator(start) as printed:
        for line in pasted.splitlines():
            assert f"{line}\n" in printed
        *before, last = steps
        first = reader.run(pasted, *before)
        second = reader.run(pasted, last)

    assert '"name": "Hamburg operations"' in first.stdout
    assert second.stdout == PAGE.block("Try it without AWS", "text")
    sent = (reader.directory / "output/try/second.jsonl").read_text("utf-8")
    assert '"description":"Fills bottles of 0.5 and 1 litre."' in sent


def test_the_plant_of_the_page_is_loaded_with_the_tree_that_it_shows(
    reader: Reader,
) -> None:
    start, pasted = reader.commands("Try it without AWS")[:2]
    (load,) = reader.commands("The plant")
    (reader.directory / "output/try").mkdir(parents=True)
    with reader.emulator(start):
        done = reader.run(pasted, load)

    lines = (reader.directory / "output/try/plant.jsonl").read_text("utf-8")
    messages = [json.loads(line) for line in lines.splitlines()]
    records: dict[str, list[dict[str, str]]] = {}
    for message in messages:
        if message["type"] == "RECORD":
            records.setdefault(message["stream"], []).append(message["record"])
    models = {m["asset_model_id"]: m["name"] for m in records["asset_models"]}
    assets = {a["asset_id"]: a for a in records["assets"]}
    edges = {
        (_described(assets[a["parent_asset_id"]], models), _described(child, models))
        for a in records["asset_associations"]
        for child in [assets[a["child_asset_id"]]]
    }
    # One in Cork, one in Hamburg.
    assert done.stdout.strip() == "2"
    assert records.keys() == KINDS_BY_NAME.keys()
    above: list[str] = []
    for line in PAGE.block("The plant", "text").splitlines():
        depth = (len(line) - len(line.lstrip("│├└─ "))) // 3
        shown = line.lstrip("│├└─ ")
        if depth:
            assert (above[depth - 1], shown) in edges
        above[depth:] = [shown]
    top = {_described(asset, models) for asset in assets.values()}
    assert {name for name in top if name.endswith("(Site)")} == {
        "Cork (Site)",
        "Hamburg (Site)",
    }
    assert "Cork energy" in {portal["name"] for portal in records["portals"]}
    types = {each["property_type"] for each in records["asset_model_properties"]}
    assert types == {"attribute", "measurement", "transform", "metric"}
    assert any(each["asset_id"] is None for each in records["time_series"])


def _described(asset: dict[str, str], models: dict[str, str]) -> str:
    return f"{asset['name']} ({models[asset['asset_model_id']]})"


def test_the_operations_and_kinds_of_the_page_are_those_of_the_emulator() -> None:
    (rows,) = (table for table in PAGE.tables() if "operation" in table[0])

    assert {
        row["kind"].strip("`"): re.findall(r"`(\w+)`", row["parent"]) for row in rows
    } == {name: list(kind.parents) for name, kind in KINDS_BY_NAME.items()}
    (batches,) = (table for table in PAGE.tables() if "entries" in table[0])
    named = [row["operation"] for row in rows] + [row["request"] for row in batches]
    assert sorted(named) == sorted(each.name for each in OPERATIONS)
    operations = {each.name: each.request.operation for each in ALL_STREAMS}
    kinds = {row["kind"].strip("`"): row["operation"] for row in rows}
    assert {name: operations[name] for name in kinds} == kinds


def test_the_members_that_are_ids_are_those_of_the_page() -> None:
    told = PAGE.section("Change the plant")

    keys = {kind.key for kind in KINDS_BY_NAME.values()}
    assert {key for key in keys if f"`{key}`" in told} == keys
    assert len(keys) == 5


def test_commands_run_with_the_settings_and_sizes(reader: Reader) -> None:
    for command in reader.commands("Options"):
        assert "portals" in reader.run(command).stderr


def test_the_plant_is_changed_as_the_page_says(reader: Reader) -> None:
    start = reader.commands("Try it without AWS")[0]
    (commands,) = reader.commands("Change the plant")
    *changes, deletion = commands.strip().splitlines()
    assert "DELETE" in deletion
    look = f"curl -s http://127.0.0.1:{reader.port}/_emulator/plant > plant.json"
    with reader.emulator(start):
        reader.run(*changes, look)
        changed = json.loads((reader.directory / "plant.json").read_text("utf-8"))
        reader.run(commands, look)
        left = json.loads((reader.directory / "plant.json").read_text("utf-8"))

    portal = changed["portals"][-1]
    assert portal["name"] == "Cork safety"
    assert portal["status"] == {"state": "UPDATING"}
    assert [each["name"] for each in changed["projects"][portal["id"]]] == ["Line 1"]
    # The second portal of that name was deleted, with its project.
    assert left == changed


def test_a_late_value_is_added_as_the_page_says(reader: Reader) -> None:
    start = reader.commands("Try it without AWS")[0]
    late, new = reader.commands("Values")
    base = f"http://127.0.0.1:{reader.port}/_emulator"
    with reader.emulator(start):
        done = reader.run(late)
        series = json.loads(reader.run(new).stdout)
        shown = reader.run(f"curl -s {base}/values/{series['timeSeriesId']}")

    added, _, listed = done.stdout.partition("]\n")
    (value,) = json.loads(added + "]")
    values = json.loads(listed)
    assert value["value"] == {"doubleValue": 99.5}
    # After the late value itself, the window has the one before it.
    assert values[-1] == value
    assert len(values) == 2
    assert series["alias"] == "/cork/line-9/press-3/speed"
    assert len(json.loads(shown.stdout)) == 360


def test_a_fault_is_injected_and_survived(reader: Reader) -> None:
    start, pasted = reader.commands("Try it without AWS")[:2]
    (faults,) = reader.commands("Faults")
    (stats,) = reader.commands("Statistics")
    *run, reset = faults.strip().splitlines()
    with reader.emulator(start):
        done = reader.run(pasted, *run)
        counted = json.loads(reader.run(stats).stdout)
        reader.run(run[0], reset)
        after = json.loads(reader.run(stats).stdout)

    assert "2 retries" in done.stderr
    assert counted["errors"] == {"ServiceUnavailableException": 2}
    assert after["total"] == 0


def test_the_role_of_the_page_is_assumed(reader: Reader) -> None:
    roles = PAGE.block("Assume a role", "json")
    (reader.directory / "roles.json").write_text(roles, "utf-8")
    tools = ROOT / ".tools" / "awscli" / "bin"
    reader.environment["PATH"] += f":{tools}"
    start, use = reader.commands("Assume a role")
    with reader.emulator(start):
        done = reader.run(use)

    identity, _, assumed = done.stdout.partition("}\n")
    assert json.loads(identity + "}")["Account"] == "111122223333"
    arn = "arn:aws:sts::123456789012:assumed-role/PlantReader/try"
    assert json.loads(assumed)["AssumedRoleUser"]["Arn"] == arn


def test_the_members_and_condition_keys_of_roles_are_those_of_the_page() -> None:
    told = PAGE.section("Assume a role")

    named = set(re.findall(r"`([A-Z]\w+)`", told))
    assert named >= roles.ROLE_MEMBERS | roles.CALLER_MEMBERS
    keys = re.findall(r"`((?:aws|sts):[A-Z][\w/]+?)(?:\.\.\.)?`", told)
    assert {*conditions.KEYS, conditions.TAG_PREFIX} == set(keys)


def test_the_pkcs12_file_opens_with_the_passphrase_of_the_page(reader: Reader) -> None:
    start, use = reader.commands("Sign in with Roles Anywhere")
    with reader.emulator(start) as printed:
        reader.run(use, after="".join(settings(printed)))

    written = {
        path.name for path in (reader.directory / "output/certificates").iterdir()
    }
    table = PAGE.tables()[-1]
    named = {name for row in table for name in re.findall(r"`(\S+?)`", row["file"])}
    assert named == written | {"chain.pem"}


def test_certificates_of_the_authentication_page_sign_in(reader: Reader) -> None:
    openssl.make(reader.directory)
    start, use = reader.commands("Trust your own authority")
    with reader.emulator(start) as printed:
        reader.run(use, after="".join(settings(printed)))

    (written,) = (reader.directory / "output/certificates").iterdir()
    assert written.name == "ca-bundle.pem"


def test_the_options_of_the_page_are_those_of_the_command() -> None:
    defaults = vars(parser().parse_args([]))
    (rows,) = (table for table in PAGE.tables() if "option" in table[0])

    for row in rows:
        option = row["option"].strip("`").removeprefix("--").partition(" ")[0]
        name = option.replace("-", "_")
        shown = row["default"].strip("`")
        if shown in {"", "none"}:
            # Nothing: None, an empty list, or a switch that is off.
            assert not defaults[name]
        elif shown == "any free port":
            assert defaults[name] == 0
        else:
            assert str(defaults[name]) in {shown, f"{shown}.0"}


def test_every_fault_is_on_the_page() -> None:
    (rows,) = (table for table in PAGE.tables() if "fault" in table[0])

    assert [row["fault"].strip("`") for row in rows] == [fault.value for fault in Fault]
