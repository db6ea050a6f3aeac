"""Dates and times: how the tap parses and formats them."""

from __future__ import annotations

import datetime as dt
import re

_DURATION = re.compile(r"P(T?\d{1,9}([.,]\d{1,9})?[A-Z])+")
"""The form of a duration. pendulum 3.3 wraps numbers of more digits around."""


def rfc3339(moment: dt.datetime) -> str:
    """Format a date and time for records, bookmarks and states.

    The format is that of the Singer SDK: RFC 3339 in UTC, with microseconds. Texts in
    this format sort by time.

    Args:
        moment: Date and time with a time zone.
    """
    return moment.astimezone(dt.timezone.utc).isoformat("T", "microseconds")


def parse_moment(text: object) -> dt.datetime:
    """Parse a date and time in ISO 8601 or RFC 3339.

    Args:
        text: Date and time, or a date, which stands for its midnight. The default time
            zone is UTC.

    Returns:
        The date and time in UTC.

    Raises:
        ValueError: The text is not a date and time.
    """
    # pendulum is slow to import, and --version and --discover do not need it.
    import pendulum  # noqa: PLC0415

    if not isinstance(text, str):
        msg = f"a date and time must be text, not {type(text).__name__}"
        raise ValueError(msg)  # noqa: TRY004 - callers expect one kind of error
    try:
        # Without `exact`, pendulum 3 parses "12:30" as a time of today. It parses "now"
        # as the current time either way.
        parsed = pendulum.parse(text, tz="UTC", exact=True)
        if isinstance(parsed, pendulum.DateTime):
            if text != "now":
                return parsed.in_timezone("UTC")
        elif isinstance(parsed, pendulum.Date):
            return pendulum.datetime(parsed.year, parsed.month, parsed.day)
    except OverflowError as error:
        msg = f"{text!r} is outside the years 1 to 9999 in UTC"
        raise ValueError(msg) from error
    msg = f"{text!r} is not a date and time"
    raise ValueError(msg)


def parse_duration(text: object) -> dt.timedelta:
    """Parse an ISO 8601 duration, for example ``P1D`` or ``PT15M``.

    A month counts as 30 days and a year as 365 days.

    Args:
        text: The duration.

    Raises:
        ValueError: The text is not a duration.
    """
    import pendulum  # noqa: PLC0415 - as above

    msg = f"{text!r} is not a duration"
    # pendulum 3.3 also parses dates, intervals, and "PT" as a duration of 0.
    if not isinstance(text, str) or not _DURATION.fullmatch(text):
        raise ValueError(msg)
    try:
        parsed = pendulum.parse(text, exact=True)
    except OverflowError as error:
        raise ValueError(msg) from error
    if not isinstance(parsed, pendulum.Duration):
        raise ValueError(msg)  # noqa: TRY004 - callers expect one kind of error
    return parsed.as_timedelta()
