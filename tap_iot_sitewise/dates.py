"""Moments: how they are read, and how every record and bookmark writes them."""

from __future__ import annotations

import datetime as dt


def rfc3339(moment: dt.datetime) -> str:
    """Write a moment as every date in a record, a bookmark and a state is written.

    The form is that of the Singer SDK: in UTC, to the microsecond. Such texts sort in
    order of time.

    Args:
        moment: With a time zone.
    """
    return moment.astimezone(dt.timezone.utc).isoformat("T", "microseconds")


def parse_moment(text: object) -> dt.datetime:
    """Read a date and time as ISO 8601 or RFC 3339 writes it.

    Args:
        text: The moment, or a date, whose midnight is meant. Without a time zone it is
            in UTC.

    Returns:
        The moment in UTC.

    Raises:
        ValueError: The text is not a date and time.
    """
    # Slow to load, and --version and --discover read no date.
    import pendulum  # noqa: PLC0415

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
