"""Lay out rows as an aligned table. Their texts may contain any character."""

from __future__ import annotations

import typing as t
import unicodedata

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_GAP = "  "
_NARROWEST = 10
_NOTHING = "-"
_LEFT_TO_RIGHT_MARK = "\N{LEFT-TO-RIGHT MARK}"


def table(rows: Sequence[Mapping[str, object]], width: int) -> Iterator[str]:
    """Lay rows out in columns.

    Numbers are aligned to the right. A column without any value is omitted. If the
    table is too wide, its last column is cut first, and then the widest ones.

    Args:
        rows: Values by column. The columns are those of the first row.
        width: The maximum width, in terminal columns.

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
    widths = [max(map(width_of, column)) for column in zip(*cells, strict=True)]
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
    """Return a value as one line, without characters that change a terminal's layout.

    Args:
        value: A value from a database, a CSV file or JSON; None if there is none.
    """
    if value is None or value == "":
        return _NOTHING
    if isinstance(value, float):
        return f"{value:.2f}"
    # `split` replaces line breaks and tabs. The rest removes other control characters
    # and those that change the direction of writing.
    words = " ".join(str(value).split())
    return "".join(filter(str.isprintable, words)) or _NOTHING


def width_of(line: str) -> int:
    """Return the number of terminal columns of a text.

    Args:
        line: The text.
    """
    return sum(map(_columns, line))


def _columns(character: str) -> int:
    # An accent combines with the character before it; a direction mark is invisible.
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _fit(cell: str, size: int, *, right: bool) -> str:
    """Cut or pad a text to a number of columns."""
    if width_of(cell) > size:
        kept, used = "", 1
        for character in cell:
            used += _columns(character)
            if used > size:
                break
            kept += character
        cell = kept + "…"
    filling = " " * (size - width_of(cell))
    if any(unicodedata.bidirectional(character) in {"R", "AL"} for character in cell):
        # Otherwise a terminal that writes Hebrew or Arabic from right to left would
        # reverse the whole line.
        cell = _LEFT_TO_RIGHT_MARK + cell + _LEFT_TO_RIGHT_MARK
    return filling + cell if right else cell + filling
