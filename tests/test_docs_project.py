"""The Meltano projects to paste: complete definitions that load the plant elsewhere."""

from __future__ import annotations

import csv
import json
import re
import shlex
import stat
import subprocess
import typing as t
from dataclasses import dataclass

import pytest
import yaml

from emulator import Emulator
from emulator.plant import SIZES
from tests import expected, expected_plant, plugin_settings
from tests.conftest import ROOT, clean_environment
from tests.documents import page
from tests.test_meltano import MELTANO, cells, read

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Definition = dict[str, t.Any]

COMPLETE = page("docs/meltano.md")
LOADING = page("docs/loading.md")
README = page("README.md")
DEFINITION = COMPLETE.block("Write `meltano.yml`", "yaml")


@pytest.fixture(scope="module")
def account() -> Iterator[Emulator]:
    with Emulator(
        asset_models=12, portals=4, projects_per_portal=3, sizes=SIZES["hostile"]
    ) as emulator:
        yield emulator


@dataclass(frozen=True)
class Project:
    """A directory in which somebody followed a page."""

    directory: Path

    def paste(self, definition: str, environment: str, aws: Emulator) -> None:
        """Write the two files, with this checkout and this account in them."""
        checkout = "git+https://git.example.com/plant/tap-iot-sitewise.git"
        loader = "meltanolabs-target-csv==0.5.0"
        here = {
            checkout: [str(ROOT), "--constraint", f"{ROOT}/requirements.lock"],
            loader: [loader, "--constraint", f"{ROOT}/locks/target-csv.lock"],
        }
        for shown, used in here.items():
            assert definition.count(f" pip_url: {shown}\n") == 1
            # Quoted for pip and for YAML: the path may have a space.
            definition = definition.replace(shown, json.dumps(shlex.join(used)))
        config = "    config:\n"
        definition = definition.replace(
            config, f"{config}      aws_endpoint_url: {aws.endpoint_url}\n", 1
        )
        (self.directory / "meltano.yml").write_text(definition, "utf-8")
        account = {
            "TAP_IOT_SITEWISE_AWS_REGION": aws.region,
            "TAP_IOT_SITEWISE_AWS_ACCESS_KEY_ID": aws.access_key_id,
            "TAP_IOT_SITEWISE_AWS_SECRET_ACCESS_KEY": aws.secret_access_key,
        }
        lines = dict(line.split("=", 1) for line in environment.splitlines())
        assert account.keys() <= lines.keys()
        lines.update(account)
        (self.directory / ".env").write_text(
            "".join(f"{name}={value}\n" for name, value in lines.items()), "utf-8"
        )

    def run(self, commands: str) -> subprocess.CompletedProcess[str]:
        """Run commands of the page as one who copies them."""
        environment = clean_environment()
        return subprocess.run(
            ["/bin/sh", "-e", "-c", commands],
            cwd=self.directory,
            env={**environment, "PATH": f"{MELTANO.parent}:{environment['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def tables(self) -> dict[str, list[dict[str, t.Any]]]:
        found = {}
        for path in (self.directory / "plant").glob("*.csv"):
            with path.open(encoding="utf-8", newline="") as file:
                found[path.stem] = [read(row) for row in csv.DictReader(file)]
        return found


@pytest.fixture(scope="module")
def complete(account: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("complete"))
    section = "Put the keys into `.env`"
    project.paste(DEFINITION, COMPLETE.block(section, "dotenv"), account)
    done = project.run(COMPLETE.block(section, "sh"))
    assert done.returncode == 0, done.stderr
    return project


@pytest.fixture(scope="module")
def installed(complete: Project) -> subprocess.CompletedProcess[str]:
    """What Meltano said when the page's commands were run."""
    done = complete.run(COMPLETE.block("Install, check and run", "sh"))
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.mark.usefixtures("installed")
def test_the_complete_project_loads_the_plant(
    complete: Project, account: Emulator
) -> None:
    assert complete.tables() == {
        stream: list(map(cells, records))
        for stream, records in expected.records(account.plant).items()
    }


def test_nothing_that_the_project_writes_is_for_others_to_read(
    complete: Project,
    installed: subprocess.CompletedProcess[str],
    account: Emulator,
) -> None:
    said = installed.stdout + installed.stderr
    secret = account.secret_access_key

    assert secret not in said
    assert "chmod 600" not in said
    holding = [
        path
        for path in complete.directory.rglob("*")
        if path.is_file() and secret.encode() in path.read_bytes()
    ]
    assert complete.directory / ".env" in holding
    for path in holding:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    ignored = (complete.directory / ".gitignore").read_text("utf-8").split()
    assert {path.relative_to(complete.directory).parts[0] for path in holding} <= {
        name.rstrip("/") for name in ignored
    }


def test_meltano_lists_the_settings_to_set_with_their_labels_and_descriptions(
    installed: subprocess.CompletedProcess[str],
) -> None:
    listed = installed.stdout

    properties = plugin_settings.about()["settings"]["properties"]
    for group in yaml.safe_load(DEFINITION)["plugins"]["extractors"][0][
        "settings_group_validation"
    ]:
        for name in group:
            assert f"[env: TAP_IOT_SITEWISE_{name.upper()}]" in listed
            schema = properties[name]
            assert f"{schema['title']}: {schema['description']}" in listed


@pytest.mark.usefixtures("installed")
def test_the_check_of_the_page_notices_a_missing_permission(
    complete: Project, account: Emulator
) -> None:
    check = COMPLETE.block("Install, check and run", "sh", 1)

    assert complete.run(check).returncode == 0
    account.deny("iotsitewise:ListPortals")
    try:
        refused = complete.run(check)
    finally:
        account.allow("iotsitewise:ListPortals")

    assert refused.returncode != 0
    assert "iotsitewise:ListPortals" in refused.stdout + refused.stderr


@pytest.mark.usefixtures("installed")
def test_the_second_extractor_of_the_page_loads_only_changes(
    complete: Project, account: Emulator
) -> None:
    section = "Combine incremental and full-table runs"
    project = yaml.safe_load(DEFINITION)["plugins"]["extractors"][0]
    (second,) = yaml.safe_load(LOADING.block(section, "yaml"))["plugins"]["extractors"]
    assert second["inherit_from"] == project["name"]
    path = complete.directory / "meltano.yml"
    before = path.read_text("utf-8")
    definition = yaml.safe_load(before)
    definition["plugins"]["extractors"].append(second)
    # The page loads into PostgreSQL; the files show what was sent just as well.
    by_day, at_night = (
        line.partition("#")[0].replace("target-postgres", "target-csv")
        for line in LOADING.block(section, "sh").splitlines()
    )
    every = {
        stream: len(records)
        for stream, records in expected.records(account.plant).items()
    }

    path.write_text(yaml.safe_dump(definition), "utf-8")
    try:
        sent = []
        for command in (by_day, by_day, at_night):
            done = complete.run(command)
            assert done.returncode == 0, done.stdout + done.stderr
            sent.append({name: len(rows) for name, rows in complete.tables().items()})
    finally:
        path.write_text(before, "utf-8")

    first, again, full = sent
    assert first == full == every
    assert all(0 < again[stream] < every[stream] for stream in every)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("language", ["yaml", "dotenv"])
def test_the_streams_that_the_page_adds_are_loaded(
    complete: Project, account: Emulator, language: str
) -> None:
    section = "Add streams"
    shown = COMPLETE.block(section, language)
    name = "meltano.yml" if language == "yaml" else ".env"
    path = complete.directory / name
    before = path.read_text("utf-8")
    if language == "yaml":
        definition = yaml.safe_load(before)
        config = definition["plugins"]["extractors"][0]["config"]
        added = yaml.safe_load(shown)["config"]
        # The endpoint is the test's.
        assert added.items() >= config.items() - {
            ("aws_endpoint_url", account.endpoint_url)
        }
        config.update(added)
        text = yaml.safe_dump(definition)
    else:
        text = before + shown
    for file in (complete.directory / "plant").glob("*.csv"):
        file.unlink()

    path.write_text(text, "utf-8")
    try:
        done = complete.run(COMPLETE.block(section, "sh"))
    finally:
        path.write_text(before, "utf-8")

    assert done.returncode == 0, done.stdout + done.stderr
    whole = {**expected.records(account.plant), **expected_plant.records(account.plant)}
    assert {stream: len(rows) for stream, rows in complete.tables().items()} == {
        stream: len(records) for stream, records in whole.items() if records
    }


def test_the_complete_definition_is_that_of_the_tap() -> None:
    about = plugin_settings.about()

    (extractor,) = yaml.safe_load(DEFINITION)["plugins"]["extractors"]

    assert extractor["settings"] == plugin_settings.definitions(
        about["settings"]["properties"]
    )
    assert set(extractor["capabilities"]) == set(about["capabilities"])
    assert extractor["name"] == extractor["executable"] == about["name"]


@pytest.mark.parametrize("path", plugin_settings.FILES, ids=lambda path: path.name)
def test_the_command_that_rewrites_the_settings_changes_nothing(path: Path) -> None:
    text = path.read_text("utf-8")

    assert plugin_settings.rewritten(text) == text


def test_the_short_project_of_the_readme_loads_the_plant(
    account: Emulator, tmp_path: Path
) -> None:
    section = "Run it with Meltano"
    project = Project(tmp_path)
    project.paste(
        README.block(section, "yaml"), README.block(section, "dotenv"), account
    )

    done = project.run(README.block(section, "sh"))

    assert done.returncode == 0, done.stdout + done.stderr
    assert project.tables() == {
        stream: list(map(cells, records))
        for stream, records in expected.records(account.plant).items()
    }


def test_the_short_project_defines_settings_as_the_complete_one_does() -> None:
    (extractor,) = yaml.safe_load(README.block("Run it with Meltano", "yaml"))[
        "plugins"
    ]["extractors"]
    (whole,) = yaml.safe_load(DEFINITION)["plugins"]["extractors"]
    settings = {setting["name"]: setting for setting in whole["settings"]}

    for setting in extractor["settings"]:
        assert setting.items() <= settings[setting["name"]].items()
    for name in ("name", "namespace", "pip_url", "executable", "capabilities"):
        assert extractor[name] == whole[name]


def test_the_forms_of_a_package_are_those_that_meltano_can_install() -> None:
    listed = COMPLETE.section("Write `meltano.yml`")

    forms = re.findall(r"`((?:git\+|/PATH)[^`]*)`", listed)

    # Run in test_docs_install.py; the checkout is the one of the tests above.
    assert forms == [
        "git+https://HOST/PATH.git",
        "git+ssh://git@HOST/PATH.git",
        "/PATH/tap_iot_sitewise-0.1.0-py3-none-any.whl",
        "/PATH",
    ]
