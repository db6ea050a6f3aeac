"""A run of the command that is stopped in the middle."""

from __future__ import annotations

import io
import signal
import typing as t

from tests.conftest import Run

if t.TYPE_CHECKING:
    from tests.conftest import TapCommand


def stopped(
    tap: TapCommand,
    config: object,
    *,
    after: str,
    **files: t.Any,  # noqa: ANN401 - whatever JSON holds
) -> Run:
    """Send SIGTERM once a line with this text came out of the command."""
    process = tap.start(config, **files)
    output = process.stdout
    assert isinstance(output, io.BufferedReader)
    sent = b""
    try:
        while after.encode() not in sent:
            # Not `readline`, whose buffer `communicate` does not know.
            piece = output.read1(65_536)
            assert piece, "The command ended before it came to that line."
            sent += piece
        process.send_signal(signal.SIGTERM)
        rest, log = process.communicate(timeout=120)
    finally:
        process.kill()
        process.communicate()
    run = Run(process.returncode, sent + rest, log.decode())
    assert run.code == 128 + signal.SIGTERM, run.log
    return run
