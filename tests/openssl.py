"""What openssl makes of the commands in docs/authentication.md.

The suite has to pass where there is no openssl. There, what the commands made once is
taken from a recording, as long as the page still has the very same commands.
`python -m tests.openssl` makes the recording anew, with certificates that last.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import typing as t
from pathlib import Path

from tests.conftest import ROOT
from tests.documents import page

RECORDING = ROOT / "tests" / "openssl.json"
OPENSSL = shutil.which("openssl")
PASSPHRASE = "correct horse battery staple"  # noqa: S105 - locks what a test made


def commands() -> list[str]:
    """Return the page's shell blocks that call openssl, in their order."""
    blocks = page("docs/authentication.md").blocks("sh")
    return [block.text for block in blocks if "openssl" in block.text]


def run(directory: Path, *, longer: int = 1) -> None:
    """Do as the page says, in a directory.

    Args:
        directory: Where the files go.
        longer: How many times longer than the page says the certificates are valid.
    """
    for block in commands():
        lasting = re.sub(
            r"-days (\d+)", lambda days: f"-days {int(days[1]) * longer}", block
        )
        subprocess.run(
            ["/bin/sh", "-e", "-c", lasting],
            cwd=directory,
            env={**os.environ, "PASSPHRASE": PASSPHRASE},
            capture_output=True,
            check=True,
            timeout=120,
        )


def recording() -> dict[str, t.Any]:
    found: dict[str, t.Any] = json.loads(RECORDING.read_text("utf-8"))
    return found


def unpack(directory: Path) -> None:
    """Put the recorded files into a directory."""
    for name, content in recording()["files"].items():
        (directory / name).write_bytes(base64.b64decode(content))
        (directory / name).chmod(0o600)


def make(directory: Path) -> None:
    """Fill a directory by the page's commands, or with what they made once."""
    if OPENSSL:
        run(directory)
    else:
        unpack(directory)


def record(directory: Path) -> None:
    """Write the recording from a fresh run in a directory."""
    run(directory, longer=100)
    files = {
        path.name: base64.b64encode(path.read_bytes()).decode("ascii")
        for path in sorted(directory.iterdir())
        # An authority's key is nothing that a test needs.
        if path.suffix in {".pem", ".p12"} or path.name.startswith("client")
    }
    made = {"commands": commands(), "files": files}
    RECORDING.write_text(json.dumps(made, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as made_in:
        record(Path(made_in))
