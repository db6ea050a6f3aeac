"""Rows as an aligned table, whatever their text is: names come from other people."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_GAP = "  "
_NARROWEST = 10
_NOTHING = "-"
_LEFT_TO_RIGHT_MARK = "\N{LEFT-TO-RIGHT MARK}"


def table(rows: Sequence[Mapping[str, object]], width: int) -> Iterator[str]:
    """Lay rows out in columns.

    Numbers stand to the right. A column without a value in any row is left out. If the
    table is too wide, its last column is cut, and then the widest ones.

    Args:
        rows: Values by column. The columns are those of the first row.
        width: Terminal columns that the table may take.

    Yields:
        Lines: the names of the columns, then the rows.
    """
    columns = [
        name
        for name in (rows[0] if rows else ())
        if any(row[name] not in {None, ""} for row in rows)
    ]
    right = {name for name in columns if isinstance(rows[0][name], int | float)}
    cells = [columns, *([text(row[name]) for name in columns] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    room = width - len(_GAP) * (len(widths) - 1)
    while sum(widths) > room and max(widths) > _NARROWEST:
        last_is_wide = widths[-1] > _NARROWEST
        widths[-1 if last_is_wide else widths.index(max(widths))] -= 1
    for row in cells:
        yield _GAP.join(
            _fit(cell, size, right=name in right)
            for name, cell, size in zip(columns, row, widths, strict=True)
        ).rstrip()


def text(value: object) -> str:
    """A value on one line, without characters that would move others.

    Args:
        value: What a database, a CSV file or JSON has: None if there is no value.
    """
    if value is None or value == "":
        return _NOTHING
    if isinstance(value, float):
        return f"{value:.2f}"
    # `split` takes line breaks and tabs for spaces. No other control character gets to
    # the terminal, nor one that changes the direction of writing.
    words = " ".join(str(value).split())
    return "".join(filter(str.isprintable, words)) or _NOTHING


def _width(line: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(map(_columns, line))


def _columns(character: str) -> int:
    # Accents stand on the character before, and a direction mark shows nothing.
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _fit(cell: str, size: int, *, right: bool) -> str:
    """Cut or fill a text to this many columns."""
    if _width(cell) > size:
        kept, used = "", 1
        for character in cell:
            used += _columns(character)
            if used > size:
                break
            kept += character
        cell = kept + "…"
    filling = " " * (size - _width(cell))
    if any(unicodedata.bidirectional(character) in {"R", "AL"} for character in cell):
        # Otherwise a terminal that writes Hebrew or Arabic from the right to the left
        # takes the whole line with it.
        cell = _LEFT_TO_RIGHT_MARK + cell + _LEFT_TO_RIGHT_MARK
    return filling + cell if right else cell + filling
