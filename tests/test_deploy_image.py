"""The container image: deploy/Dockerfile, which nothing here can build."""

from __future__ import annotations

import json
import re
import shlex
import typing as t

import pytest
import yaml

from tests.conftest import ROOT

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
IGNORED = ROOT / "deploy" / "Dockerfile.dockerignore"
CRONJOB = ROOT / "deploy" / "kubernetes" / "cronjob.yaml"


class Instruction(t.NamedTuple):
    """An instruction of the Dockerfile, with the build arguments replaced."""

    name: str
    text: str


def instructions() -> list[Instruction]:
    """Return the instructions of the Dockerfile."""
    lines = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE)
    arguments: dict[str, str] = {}
    found = []
    for line in lines.replace("\\\n", " ").splitlines():
        name, _, text = line.strip().partition(" ")
        if name == "ARG":
            argument, value = text.split("=", 1)
            arguments[argument] = value.strip('"')
        elif name:
            text = re.sub(r"\$\{(\w+)\}", lambda each: arguments[each[1]], text)
            found.append(Instruction(name, text))
    return found


def texts(name: str) -> list[str]:
    return [each.text for each in instructions() if each.name == name]


@pytest.fixture(scope="module")
def pod() -> dict[str, t.Any]:
    job = yaml.safe_load(CRONJOB.read_text("utf-8"))["spec"]["jobTemplate"]["spec"]
    found: dict[str, t.Any] = job["template"]["spec"]
    return found


def test_every_file_that_is_copied_exists_and_is_in_the_context() -> None:
    everything, *kept = (
        line
        for line in IGNORED.read_text("utf-8").splitlines()
        if not line.startswith("#")
    )
    sources = {
        source.rstrip("/")
        for text in texts("COPY")
        if not text.startswith("--from")
        for source in text.split()[:-1]
    }

    assert everything == "*"
    assert sources == {each.removeprefix("!") for each in kept if each.startswith("!")}
    assert all((ROOT / source).exists() for source in sources)


def test_every_package_is_checked_against_a_lock_file() -> None:
    installs = [
        shlex.split(command)
        for text in texts("RUN")
        for command in text.split("&&")
        if " install " in command and "pip " in command
    ]

    assert len(installs) == 5
    for command in installs:
        options = {*command}
        (lock,) = [
            word.removeprefix("--requirement=")
            for word in command
            if word.startswith("--requirement=")
        ] or [""]
        if lock:
            assert {"--require-hashes", "--only-binary=:all:"} <= options
            assert (ROOT / lock).is_file()
        else:
            # The wheel that was just built.
            assert {"--no-index", "--no-deps"} <= options


def pins(lock: str) -> set[str]:
    return {*re.findall(r"^(\S+==\S+)", (ROOT / lock).read_text("utf-8"), re.MULTILINE)}


@pytest.mark.parametrize("lock", ["tap-iot-sitewise", "hatchling"])
def test_the_image_has_the_versions_that_the_tests_run_with(lock: str) -> None:
    assert pins(f"locks/{lock}.lock")
    assert pins(f"locks/{lock}.lock") <= pins("requirements.lock")


def test_the_image_runs_as_the_user_of_the_pods(pod: dict[str, t.Any]) -> None:
    (user,) = texts("USER")
    context = pod["securityContext"]

    assert user == f"{context['runAsUser']}:{context['runAsGroup']}"
    assert context["runAsUser"] > 0


def test_the_pods_run_the_images_command_where_it_can_write(
    pod: dict[str, t.Any],
) -> None:
    (container,) = pod["containers"]
    command = json.loads(texts("CMD")[0])
    directory = texts("WORKDIR")[-1]

    assert [each for each in container["args"] if each != "--force"] == command
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {
        "/tmp",  # noqa: S108 - the directory of the container
        f"{directory}/.meltano/run",
    }
