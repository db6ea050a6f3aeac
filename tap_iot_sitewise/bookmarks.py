"""Moments of incremental replication: bookmarks and start dates."""

from __future__ import annotations

import typing as t

import pendulum

if t.TYPE_CHECKING:
    import datetime as dt


def parse_moment(text: object) -> dt.datetime:
    """Read a date and time as ISO 8601 or RFC 3339 writes it.

    Args:
        text: The moment, or a date, whose midnight is meant; UTC is taken where it
            names no time zone.

    Returns:
        The moment in UTC.

    Raises:
        ValueError: It is no such text.
    """
    if not isinstance(text, str):
        msg = f"a date and time must be text, not {type(text).__name__}"
        raise ValueError(msg)  # noqa: TRY004 - one kind of error for one question
    try:
        # Not exact, pendulum 3 takes "12:30" for today's, and "now" for this moment.
        parsed = pendulum.parse(text, tz="UTC", exact=True)
        if isinstance(parsed, pendulum.DateTime):
            if text != "now":
                return parsed.in_timezone("UTC")
        elif isinstance(parsed, pendulum.Date):
            return pendulum.datetime(parsed.year, parsed.month, parsed.day)
    except OverflowError as error:
        msg = f"{text!r} lies outside the years 1 to 9999 in UTC"
        raise ValueError(msg) from error
    msg = f"{text!r} is not a date and time"
    raise ValueError(msg)
