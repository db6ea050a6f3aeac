"""The pages of this repository, taken apart: code blocks, tables, links, anchors."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from tests.conftest import ROOT

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A code block: the heading that it stands under, its language, its text."""

    section: str
    language: str
    text: str

    def __str__(self) -> str:
        """Return what a test report calls it."""
        return f"{self.section} ({self.language})"


@dataclass(frozen=True)
class Page:
    """A Markdown file."""

    path: Path

    def __str__(self) -> str:
        """Return what a test report calls it."""
        return str(self.path.relative_to(ROOT))

    @property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @property
    def prose(self) -> str:
        """The text without its code blocks."""
        return _FENCE.sub("", self.text)

    def blocks(self, *languages: str) -> list[Block]:
        text, found = self.text, []
        for match in _FENCE.finditer(text):
            before = _HEADING.findall(_FENCE.sub("", text[: match.start()]))
            if not languages or match[1] in languages:
                section = before[-1] if before else ""
                found.append(Block(section, match[1], match[2]))
        return found

    def block(self, section: str, language: str, number: int = 0) -> str:
        found = [each for each in self.blocks(language) if each.section == section]
        return found[number].text

    def section(self, heading: str) -> str:
        """Return what stands between a heading and the next one."""
        (_, after) = f"\n{self.prose}".split(f"# {heading}\n", 1)
        return re.split(r"^#", after, maxsplit=1, flags=re.MULTILINE)[0]

    def tables(self) -> list[list[dict[str, str]]]:
        """Return each table as rows, each by the cells of the header."""
        found: list[list[dict[str, str]]] = []
        header: list[str] | None = None
        for line in self.prose.splitlines():
            if not line.startswith("|"):
                header = None
                continue
            cells = [cell.strip() for cell in line.strip()[1:-1].split("|")]
            if header is None:
                header = cells
                found.append([])
            elif set(line) - set("|- :"):
                found[-1].append(dict(zip(header, cells, strict=True)))
        return found

    def anchors(self) -> set[str]:
        """Return the anchors of its headings, as GitHub makes them."""
        return {
            re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in _HEADING.findall(self.prose)
        }

    def links(self) -> Iterator[str]:
        for match in _LINK.finditer(self.prose):
            yield match[1]


def pages() -> list[Page]:
    top = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"]
    documents = sorted((ROOT / "docs").rglob("*.md"))
    return [Page(path) for path in (*(ROOT / name for name in top), *documents)]


def page(name: str) -> Page:
    return Page(ROOT / name)
