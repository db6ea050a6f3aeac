"""The IAM permissions of docs/authentication.md, made from the streams.

`python -m tests.permissions` rewrites the policies and the table of actions after a
stream has changed.
"""

from __future__ import annotations

import json
import re
import typing as t

from tap_iot_sitewise.streams import ALL_STREAMS, GROUPS, STREAMS
from tests.conftest import ROOT

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_iot_sitewise.streams import SiteWiseStream

FILE = ROOT / "docs" / "authentication.md"

POLICIES: dict[str, tuple[type[SiteWiseStream], ...]] = {
    "Permissions": STREAMS,
    **{
        f"Policy for the group {name}": (*STREAMS, *streams)
        for name, streams in GROUPS.items()
    },
}
"""The streams of each policy, by the heading that it stands under."""

TABLE = "Actions of each stream"
"""The heading that the table of actions stands under."""

_POLICY = re.compile(r"^```json\n.*?^```\n", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"(?:^\|[^\n]*\n)+", re.MULTILINE)


def actions(stream: type[SiteWiseStream]) -> list[str]:
    """Return the actions that a stream needs, those of its ancestors first."""
    above = [name for parent in stream.parent_streams() for name in actions(parent)]
    own = f"iotsitewise:{stream.request.operation}"
    return list(dict.fromkeys([*above, own]))


def policy(streams: Iterable[type[SiteWiseStream]]) -> str:
    """Return the least policy for some streams."""
    needed = {action for stream in streams for action in actions(stream)}
    statement = {
        "Sid": "ReadSiteWise",
        "Effect": "Allow",
        "Action": sorted(needed),
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


def table() -> str:
    """Return the table with the actions of each stream."""
    rows = ["| stream | actions |", "| --- | --- |"]
    for stream in ALL_STREAMS:
        listed = ", ".join(f"`{action}`" for action in actions(stream))
        rows.append(f"| `{stream.name}` | {listed} |")
    return "\n".join(rows)


def rewritten(text: str) -> str:
    """Return the page with its policies and its table made anew."""
    for heading, streams in POLICIES.items():
        block = f"```json\n{policy(streams)}\n```\n"
        text = _replaced(text, heading, _POLICY, block)
    return _replaced(text, TABLE, _TABLE, f"{table()}\n")


def _replaced(text: str, heading: str, form: re.Pattern[str], new: str) -> str:
    """Replace what first has a form after a heading."""
    before, line, after = text.partition(f"# {heading}\n")
    # A function, because a text would be a template.
    after, count = form.subn(lambda _: new, after, count=1)
    if not line or not count:
        message = f"nothing to replace under the heading {heading!r}"
        raise ValueError(message)
    return f"{before}{line}{after}"


if __name__ == "__main__":
    FILE.write_text(rewritten(FILE.read_text("utf-8")), "utf-8")
