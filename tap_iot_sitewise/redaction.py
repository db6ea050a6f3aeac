"""Keeps secrets out of the log, whoever writes it and at whatever level."""

from __future__ import annotations

import logging
import traceback
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterable

MASK = "***"

_MIN_LENGTH = 4
"""Shorter secrets are left alone: masked, they would garble every line and,
by their places, tell what they are."""

_QUIET = {
    # At DEBUG these write canonical requests and bodies of answers, credentials of
    # AssumeRole and SSO among them, before anybody could know the values to mask.
    "botocore": logging.INFO,
    "boto3": logging.INFO,
    # Warns, traceback and all, of a renewal that failed; the ERROR says it.
    "botocore.credentials": logging.ERROR,
    "urllib3": logging.INFO,
    # Reports a failed CreateSession as an ERROR of its own, each try.
    "iam_rolesanywhere_session": logging.CRITICAL,
}

_secrets: set[str] = set()
_standard_factory = logging.getLogRecordFactory()


def register(secrets: Iterable[str | None]) -> None:
    """Mask these values in everything that is logged from now on.

    Args:
        secrets: Values; of one with several lines (a PEM) each line by itself, as
            tracebacks and representations break it up.
    """
    for secret in secrets:
        for line in (secret or "").replace("\\n", "\n").splitlines():
            if len(line.strip()) >= _MIN_LENGTH and not line.startswith("-----"):
                _secrets.add(line.strip())


def redact(text: str) -> str:
    """Return ``text`` with every registered secret masked."""
    # The longest first: one secret may be the beginning of another.
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def _record(*args: t.Any, **kwargs: t.Any) -> logging.LogRecord:  # noqa: ANN401
    """Make a log record that holds no secret, and a traceback at DEBUG only.

    Done where records are made, not in a filter or a formatter: those belong to
    handlers, which a user's own log configuration replaces.
    """
    record = _standard_factory(*args, **kwargs)
    message = record.getMessage()
    if record.exc_info:
        if logging.getLogger().isEnabledFor(logging.DEBUG):
            message += "\n" + "".join(traceback.format_exception(*record.exc_info))
        elif record.exc_info[1] is not None:
            message += f" ({type(record.exc_info[1]).__name__}: {record.exc_info[1]})"
        record.exc_info = None
    redacted = redact(message)
    # The SDK's metrics keep their arguments: its structured log reads them.
    if redacted != record.getMessage():
        record.msg, record.args = redacted, None
    return record


def install() -> None:
    """Have every log record of this process made without secrets."""
    logging.setLogRecordFactory(_record)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)
