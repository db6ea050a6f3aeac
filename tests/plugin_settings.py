"""The tap's settings as Meltano's plugin definition lists them, made from `--about`.

`python -m tests.plugin_settings` rewrites them in meltano.yml and docs/meltano.md after
a setting, its title or its description has changed.
"""

from __future__ import annotations

import json
import re
import subprocess
import textwrap
import typing as t

from tests.conftest import COMMAND, ROOT, clean_environment

if t.TYPE_CHECKING:
    from pathlib import Path

    Definition = dict[str, t.Any]

FILES = (ROOT / "meltano.yml", ROOT / "docs" / "meltano.md")

KINDS = {
    "array": "array",
    "boolean": "boolean",
    "integer": "integer",
    "number": "decimal",
    "object": "object",
    "string": "string",
}
"""What Meltano 4.4 calls the types of `--about`."""

_WIDTH = 88
_INDENT = 6
_SETTINGS = re.compile(
    r"(?P<before>^  - name: tap-iot-sitewise\n.*?^    settings:\n)"
    r"(?:^(?:    -| {6,})[^\n]*\n)+",
    re.MULTILINE | re.DOTALL,
)


def about(command: Path = COMMAND) -> Definition:
    """Return what a tap or a target says about itself."""
    done = subprocess.run(
        [command, "--about", "--format", "json"],
        env=clean_environment(),
        capture_output=True,
        check=True,
        timeout=120,
    )
    reported: Definition = json.loads(done.stdout)
    return reported


def kind(schema: Definition) -> str:
    """Return what Meltano calls the type of a setting."""
    if schema.get("format") == "date-time":
        return "date_iso8601"
    types = [name for name in schema["type"] if name != "null"]
    return "options" if "enum" in schema and types == ["string"] else KINDS[types[0]]


def definitions(properties: Definition) -> list[Definition]:
    """Return Meltano's definition of each setting.

    Args:
        properties: The settings' schemas by name, from `--about`.
    """
    found = []
    for name, schema in properties.items():
        setting = {
            "name": name,
            "label": schema["title"],
            "description": schema["description"],
            "kind": kind(schema),
        }
        if "enum" in schema and setting["kind"] == "options":
            setting["options"] = [
                {"label": value, "value": value} for value in schema["enum"]
            ]
        if "default" in schema:
            setting["value"] = schema["default"]
        if schema.get("secret"):
            setting["sensitive"] = True
        found.append(setting)
    return found


def _text(setting: Definition) -> str:
    lines = []
    for name, value in setting.items():
        if name == "options":
            lines.append("options:")
            for option in value:
                lines += [f"- label: {option['label']}", f"  value: {option['value']}"]
        elif isinstance(value, str):
            line = f"{name}: {value}"
            if ": " in value or _INDENT + len(line) > _WIDTH:
                inner = textwrap.wrap(
                    value,
                    _WIDTH - _INDENT - 2,
                    break_long_words=False,
                    break_on_hyphens=False,
                )
                lines += [f"{name}: >-", *(f"  {part}" for part in inner)]
            else:
                lines.append(line)
        else:
            lines.append(f"{name}: {json.dumps(value)}")
    return f"    - {lines[0]}\n" + "".join(
        f"{' ' * _INDENT}{line}\n" for line in lines[1:]
    )


def rewritten(text: str) -> str:
    """Return a text with the settings of its definition of the tap made anew."""
    settings = "".join(map(_text, definitions(about()["settings"]["properties"])))
    new, count = _SETTINGS.subn(lambda old: old["before"] + settings, text)
    if count != 1:
        message = "not exactly one definition of tap-iot-sitewise with settings"
        raise ValueError(message)
    return new


if __name__ == "__main__":
    for path in FILES:
        path.write_text(rewritten(path.read_text("utf-8")), "utf-8")
