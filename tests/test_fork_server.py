"""A run in a fork, as most tests make it, is what a run in a new process is."""

from __future__ import annotations

import re
import subprocess
import typing as t

import pytest

from tests import fork_server
from tests.conftest import clean_environment, static

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from emulator import Emulator
    from tests.conftest import TapCommand

CASES: dict[str, Callable[[TapCommand, Emulator], list[str]]] = {
    "everything is read": lambda tap, aws: tap.arguments(static(aws, page_size=7)),
    "a setting is wrong": lambda tap, aws: tap.arguments(static(aws, page_size=0)),
    "AWS refuses": lambda tap, aws: tap.arguments(
        static(aws, aws_secret_access_key="x" * 40)
    ),
    "no such option": lambda tap, _: tap.arguments(None, "--nonsense"),
    "about": lambda tap, _: tap.arguments(None, "--about"),
    "help": lambda tap, _: tap.arguments(None, "--help"),
}


def without_what_varies(text: bytes) -> str:
    for varies in (
        r"^[0-9-]{10} [0-9:,]{12}",
        r'(?<="time_extracted":")[^"]*',
        r'(?<="value":)[0-9.]+',
        r'(?<="pid":)[0-9]+',
        r"[0-9.]+(?= seconds)",
    ):
        text = re.sub(varies.encode(), b"...", text, flags=re.MULTILINE)
    return text.decode()


@pytest.mark.parametrize("case", CASES)
def test_a_fork_and_a_new_process_give_the_same(
    tap: TapCommand, aws: Emulator, case: str
) -> None:
    line = CASES[case](tap, aws)
    env = clean_environment()

    code, output, log = fork_server.run(line, cwd=tap.directory, env=env, timeout=120)
    new = subprocess.run(
        line, cwd=tap.directory, env=env, capture_output=True, timeout=120, check=False
    )

    assert code == new.returncode
    assert without_what_varies(output) == without_what_varies(new.stdout)
    assert without_what_varies(log) == without_what_varies(new.stderr)


def test_a_run_that_takes_too_long_is_ended(tap: TapCommand, aws: Emulator) -> None:
    aws.faults.latency = 600

    with pytest.raises(TimeoutError):
        fork_server.run(
            tap.arguments(static(aws)),
            cwd=tap.directory,
            env=clean_environment(),
            timeout=2,
        )


def test_a_variable_that_python_reads_needs_a_new_process() -> None:
    assert fork_server.can_run(("AWS_REGION", "HOME"))
    for name in ("PYTHONUNBUFFERED", "TZ", "LC_ALL"):
        assert not fork_server.can_run((name,))
