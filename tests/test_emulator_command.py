"""`python -m emulator`, as a shell or a benchmark uses it."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from emulator import Plant
from emulator.options import parser
from tests import openssl

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.conftest import TapCommand

REPOSITORY = Path(__file__).parents[1]
TAP = "TAP_IOT_SITEWISE_"


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "emulator", *arguments],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    try:
        out, err = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, out, err


def run(*arguments: str) -> tuple[int, str, str]:
    return finish(start(*arguments))


def python(code: str) -> Sequence[str]:
    return "--", sys.executable, "-c", code


def printed(process: subprocess.Popen[str], until: str) -> list[str]:
    """What the running emulator prints, as far as the line that holds `until`."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if until in line:
            return lines
    pytest.fail(f"No line with {until}: {lines}")


def exported(lines: Iterable[str]) -> dict[str, str]:
    """The variables that lines of a shell export, commented out or not."""
    found: dict[str, str] = {}
    for line in lines:
        words = shlex.split(line.removeprefix("# "))
        if words[:1] == ["export"]:
            name, _, value = words[1].partition("=")
            found[name] = value
    return found


def exports(process: subprocess.Popen[str], until: str) -> dict[str, str]:
    return exported(printed(process, until))


def test_a_command_runs_with_the_settings_and_its_exit_code_is_passed_on() -> None:
    code = (
        "import json, os; "
        f"print(json.dumps({{k: v for k, v in os.environ.items() if '{TAP}' in k}})); "
        "raise SystemExit(7)"
    )
    status, out, err = run("--region", "us-west-2", *python(code))
    assert (status, err) == (7, "")
    settings = json.loads(out)
    assert settings.pop(f"{TAP}AWS_ENDPOINT_URL").startswith("http://127.0.0.1:")
    assert settings.pop(f"{TAP}AWS_REGION") == "us-west-2"
    assert set(settings) == {f"{TAP}AWS_ACCESS_KEY_ID", f"{TAP}AWS_SECRET_ACCESS_KEY"}


def test_a_command_that_a_signal_ended_exits_as_in_a_shell() -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert run(*python(code))[0] == 137


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_passed_on_to_the_command(number: signal.Signals) -> None:
    code = (
        "import signal, sys, time\n"
        "for n in (signal.SIGINT, signal.SIGTERM):\n"
        "    signal.signal(n, lambda n, _: sys.exit(40 + n))\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )
    process = start(*python(code))
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert finish(process)[::2] == (40 + number, "")


def test_nothing_of_a_command_outlives_an_interrupt(tmp_path: Path) -> None:
    mark = tmp_path / "grandchild"
    process = start("--", "sh", "-c", f"sleep 600 & echo $! > {mark}; echo ready; wait")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert finish(process)[0] != 0
    grandchild = int(mark.read_text())
    deadline = time.monotonic() + 60
    while alive(grandchild) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(grandchild)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # One that has ended and that nobody has asked about yet is a zombie.
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2][1] == "Z")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_without_a_command_it_serves_until_a_signal(number: signal.Signals) -> None:
    process = start("--asset-models", "3", "--portals", "2", "--seed", "5")
    settings = exports(process, "AWS_CA_BUNDLE")
    assert settings[f"{TAP}AUTH_METHOD"] == "roles_anywhere"
    url = settings[f"{TAP}AWS_ENDPOINT_URL"] + "/_emulator/plant"
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - loopback
        served = json.loads(answer.read())
    process.send_signal(number)
    assert finish(process)[::2] == (0, "")
    plant = Plant.make("factory", asset_models=3, portals=2, seed=5)
    assert served["asset_models"] == list(plant.asset_models)
    assert served["portals"] == list(plant.portals)


def test_a_plant_that_is_hard_to_carry_is_served_when_asked_for() -> None:
    code = (
        "import json, os, urllib.request\n"
        f"url = os.environ['{TAP}AWS_ENDPOINT_URL'] + '/_emulator/plant'\n"
        "print(json.dumps(json.load(urllib.request.urlopen(url))['portals']))\n"
    )
    status, out, _ = run("--plant", "hostile", "--portals", "2", *python(code))
    assert status == 0
    assert json.loads(out) == list(Plant.make("hostile", portals=2).portals)


def test_values_end_at_the_date_that_is_asked_for() -> None:
    code = (
        "import json, os, urllib.request\n"
        f"url = os.environ['{TAP}AWS_ENDPOINT_URL'] + '/_emulator/'\n"
        "load = lambda path: json.load(urllib.request.urlopen(url + path))\n"
        "for each in load('plant/time_series'):\n"
        "    values = load(f\"values/{each['timeSeriesId']}?after=1746057600\")\n"
        "    print(*(v['timestamp']['timeInSeconds'] for v in values))\n"
    )
    until = ("--values-until", "2025-05-01T01:00:00Z")
    status, out, _ = run("--asset-models", "3", *until, *python(code))
    assert status == 0
    seconds = set(map(int, out.split()))
    # An hour, until which sensors send a value every ten seconds.
    assert max(seconds) in range(1_746_061_190, 1_746_061_201)


def test_a_directory_receives_what_roles_anywhere_needs(tmp_path: Path) -> None:
    directory = tmp_path / "certificates"
    directory.mkdir()
    (directory / "client.key").touch(mode=0o644)
    process = start("--directory", str(directory), "--intermediate")
    settings = exports(process, "AWS_CA_BUNDLE")
    process.send_signal(signal.SIGTERM)
    assert finish(process)[::2] == (0, "")
    for name in ("CLIENT_CERTIFICATE", "CERTIFICATE_CHAIN"):
        text = Path(settings[TAP + name]).read_text()
        assert text.startswith("-----BEGIN CERTIFICATE-----")
    private_key = Path(settings[f"{TAP}PRIVATE_KEY"])
    assert "PRIVATE KEY" in private_key.read_text()
    assert private_key.stat().st_mode & 0o777 == 0o600
    assert Path(settings["AWS_CA_BUNDLE"]).is_file()
    assert settings[f"{TAP}ROLES_ANYWHERE_ENDPOINT_URL"].startswith(
        "https://127.0.0.1:"
    )


def test_certificates_of_an_authority_of_ones_own_sign_in(
    tap: TapCommand, tmp_path: Path
) -> None:
    openssl.make(tmp_path)
    process = start("--trust-anchor", str(tmp_path / "ca.pem"), "--portals", "2")
    settings = exports(process, "AWS_CA_BUNDLE")
    own = {
        f"{TAP}CLIENT_CERTIFICATE": str(tmp_path / "client.pem"),
        f"{TAP}PRIVATE_KEY": str(tmp_path / "client.key"),
    }
    signed_in = tap(None, "--config", "ENV", environment={**settings, **own})
    process.send_signal(signal.SIGTERM)
    assert finish(process)[::2] == (0, "")
    assert len(signed_in.succeeded().records("portals")) == 2


def test_with_an_authority_of_ones_own_no_certificate_is_issued(tmp_path: Path) -> None:
    openssl.make(tmp_path)
    files = tmp_path / "files"
    anchor = ("--trust-anchor", str(tmp_path / "ca.pem"))
    process = start(*anchor, "--directory", str(files))
    settings = exports(process, "AWS_CA_BUNDLE")
    process.send_signal(signal.SIGTERM)
    assert finish(process)[::2] == (0, "")
    assert f"{TAP}CLIENT_CERTIFICATE" not in settings
    assert [path.name for path in files.iterdir()] == ["ca-bundle.pem"]
    status, _, err = run(*anchor, "--intermediate", *python(""))
    assert status == 2
    assert "not allowed with argument --trust-anchor" in err


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_trust_anchor_that_is_not_a_certificate_is_refused(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    status, _, err = run("--trust-anchor", str(file), *python(""))
    assert status == 2
    assert f"{file} is not a PEM certificate" in err


def test_the_files_of_the_directory_sign_in_with_the_passphrase_that_is_printed(
    tap: TapCommand, tmp_path: Path
) -> None:
    process = start("--directory", str(tmp_path), "--portals", "2")
    lines = printed(process, "AWS_CA_BUNDLE")
    settings = exported(lines)
    del settings[f"{TAP}PRIVATE_KEY"]
    [comment] = [line for line in lines if "passphrase" in line]
    passphrase = comment.rpartition(": ")[2].rstrip(")\n")
    settings[f"{TAP}PRIVATE_KEY_PASSPHRASE"] = passphrase
    forms = (
        {f"{TAP}CLIENT_CERTIFICATE": str(tmp_path / "client.p12")},
        {f"{TAP}PRIVATE_KEY": str(tmp_path / "client-encrypted.key")},
    )
    runs = [
        tap(None, "--config", "ENV", environment={**settings, **form}) for form in forms
    ]
    process.send_signal(signal.SIGTERM)
    assert finish(process)[::2] == (0, "")
    for each in runs:
        assert len(each.succeeded().records("portals")) == 2


def test_faults_are_switched_on_by_options() -> None:
    code = (
        "import os, time, urllib.error, urllib.request\n"
        f"url = os.environ['{TAP}AWS_ENDPOINT_URL'] + '/portals'\n"
        "begin = time.monotonic()\n"
        "for _ in range(3):\n"
        "    try:\n"
        "        urllib.request.urlopen(url)\n"
        "    except urllib.error.HTTPError as error:\n"
        "        print(error.code)\n"
        "print(time.monotonic() - begin >= 0.3)\n"
    )
    options = ["--latency", "0.1", "--bad-gateway-rate", "1", "--fault-seed", "2"]
    assert run(*options, *python(code)) == (0, "502\n502\n502\nTrue\n", "")


def test_a_portal_is_deleted_when_its_projects_are_asked_for() -> None:
    code = (
        "import json, os, urllib.error, urllib.request\n"
        f"url = os.environ['{TAP}AWS_ENDPOINT_URL']\n"
        "plant = lambda: json.load(urllib.request.urlopen(url + '/_emulator/plant'))\n"
        "before = plant()['portals']\n"
        "for portal in before:\n"
        "    try:\n"
        "        urllib.request.urlopen(url + '/projects?portalId=' + portal['id'])\n"
        "    except urllib.error.HTTPError as refused:\n"
        "        refused.close()\n"
        "print(before[:-2] == plant()['portals'], len(before))\n"
    )
    options = ["--portals", "4", "--deleted-portals", "2"]
    assert run(*options, *python(code)) == (0, "True 4\n", "")


@pytest.mark.parametrize(
    ("option", "default"),
    [
        ("--plant", "factory"),
        ("--asset-models", "30"),
        ("--portals", "5"),
        ("--projects-per-portal", "4"),
        ("--region", "eu-west-1"),
        ("--access-key-id", "AKIAIOSFODNN7EXAMPLE"),
        ("--secret-access-key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("--latency", "0.0"),
        ("--silence-seconds", "3600.0"),
    ],
)
def test_the_help_explains_an_option_and_shows_its_default(
    option: str, default: str
) -> None:
    code, out, _ = run("--help")

    assert code == 0
    _, _, entry = out.partition(f"\n  {option} ")
    explanation = " ".join(re.split(r"\n(?:  --|\n)", entry)[0].split())
    assert re.search(r" [a-z]+ [a-z]+ .*\(default: ", explanation)
    assert explanation.endswith(f"(default: {default})")


def test_what_cannot_be_started_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, err = run("--port", str(port))
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert err.startswith("python -m emulator: ")
    assert f"{port}" in err
    assert "address already in use" in err

    code, out, err = run("--", "no-such-command")
    assert (code, out) == (1, "")
    assert err == "python -m emulator: no-such-command: No such file or directory\n"

    code, out, err = run("--intermediate", "--portals=1")
    assert (code, out) == (2, "")
    assert err.endswith("error: --intermediate needs --directory\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--drop-rate", "1.5"],
        ["--drop-rate", "x"],
        ["--earthquake"],
        ["--portals", "-1"],
        ["--port", "65536"],
        ["--tls-port", "-1"],
        ["--deleted-portals", "-1"],
        ["--latency", "nan"],
        ["--latency", "-1"],
        ["--silence-seconds", "inf"],
        ["--quota", "0"],
        ["--quota", "nan"],
    ],
)
def test_a_wrong_option_is_refused(
    arguments: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as stopped:
        parser().parse_args(arguments)
    assert stopped.value.code == 2
    assert "error:" in capsys.readouterr().err
