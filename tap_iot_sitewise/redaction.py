"""Keeps secrets out of the log, whoever writes it and at whatever level."""

from __future__ import annotations

import base64
import contextlib
import functools
import logging
import os
import re
import traceback
import typing as t
from pathlib import Path
from urllib.parse import unquote
from urllib.request import getproxies

if t.TYPE_CHECKING:
    from collections.abc import Iterable

MASK = "***"

_MIN_LENGTH = 4
"""Shorter secrets are left alone: masked, they would garble every line and,
by their places, tell what they are."""

_LEAST_LEVELS = {
    # Below INFO these write canonical requests and the bodies of answers, credentials
    # of AssumeRole and SSO among them, before anybody could know the values to mask.
    "boto3": logging.INFO,
    "botocore": logging.INFO,
    "aiobotocore": logging.INFO,
    "s3transfer": logging.INFO,
    "urllib3": logging.INFO,
    # Warns, traceback and all, of a renewal that failed; the ERROR says it.
    "botocore.credentials": logging.ERROR,
    # Reports a failed CreateSession as an ERROR of its own, each try.
    "iam_rolesanywhere_session": logging.CRITICAL,
}
"""Lowest level of what a library, its child loggers included, may write."""

_BELOW_EVERY_HANDLER = -1

_PEM_FRAME = ("-----BEGIN ", "-----END ")

_LONG, _BEGINNING = 32, 16
"""Of a secret of so many characters also the beginning is masked, with what follows:
others may cut it off."""

_USER_AND_PASSWORD = re.compile(r"(?<=//)[^\s\"'<>]*@")
"""What stands before the host in a URL, up to the last @: a password may hold one."""

_SECRET_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
)
_SECRET_FILES = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
)

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
            if len(line.strip()) >= _MIN_LENGTH and not line.startswith(_PEM_FRAME):
                _secrets.add(line.strip())


def register_url(url: str) -> None:
    """Mask the password of a URL, also where somebody cuts it in the wrong place.

    A ``/``, ``?`` or ``#`` in a password that is not percent-encoded ends the host for
    whoever parses the URL, and a piece of the password gets to be a path.

    Args:
        url: A proxy's or an endpoint's, with or without scheme, user and password.
    """
    user_and_password, at, _ = url.partition("://")[2].rpartition("@")
    if "://" not in url:
        user_and_password, at, _ = url.rpartition("@")
    user, _, password = user_and_password.lstrip("/").partition(":")
    if not at or not password:
        return
    plain = f"{unquote(user)}:{unquote(password)}"
    register(
        [
            f"{user}:{password}",
            password,
            unquote(password),
            *re.split(r"[/?#@:]", password),
            # Like in the header Proxy-Authorization. Bytes of a variable that are not
            # UTF-8 are escaped in it.
            base64.b64encode(plain.encode("utf-8", "surrogateescape")).decode(),
        ]
    )


def redact(text: str) -> str:
    """Return ``text`` without secrets: those registered, and users in URLs."""
    # The longest first: one secret may be the beginning of another.
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
        if len(secret) >= _LONG and secret[:_BEGINNING] in text:
            text = re.sub(rf"{re.escape(secret[:_BEGINNING])}\S*", MASK, text)
    return _USER_AND_PASSWORD.sub(f"{MASK}@", text) if "@" in text else text


@functools.cache
def _least_level(logger: str) -> int:
    """Return the lowest level at which a logger may write."""
    if logger in _LEAST_LEVELS:
        return _LEAST_LEVELS[logger]
    parent, dot, _ = logger.rpartition(".")
    return _least_level(parent) if dot else logging.NOTSET


def _record(*args: t.Any, **kwargs: t.Any) -> logging.LogRecord:  # noqa: ANN401
    """Make a log record that holds no secret, and a traceback at DEBUG only.

    Done where records are made, not in a filter or a formatter: those belong to
    handlers, which a user's own log configuration replaces. It can also set the level
    of any child logger, so that a level set on the parent is no safeguard.
    """
    name, level, *_ = args
    # Neither is there in what `logging.makeLogRecord` begins with.
    if name is not None and level < _least_level(name):
        record = _standard_factory(name, level, "", 0, "", (), None)
        # A handler passes over what is below its level.
        record.levelno = _BELOW_EVERY_HANDLER
        return record
    record = _standard_factory(*args, **kwargs)
    message = _message(record)
    if record.exc_info:
        if logging.getLogger().isEnabledFor(logging.DEBUG):
            message += "\n" + "".join(traceback.format_exception(*record.exc_info))
        elif record.exc_info[1] is not None:
            message += f" ({type(record.exc_info[1]).__name__}: {record.exc_info[1]})"
        record.exc_info = None
    redacted = redact(message)
    # The SDK's metrics keep their arguments: its structured log reads them.
    if redacted != _message(record):
        record.msg, record.args = redacted, None
    return record


def _message(record: logging.LogRecord) -> str:
    """Return what a record says, also where its arguments do not fit its text.

    Python reports such a record, arguments and all, on stderr.
    """
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        record.msg, record.args = f"{record.msg} {record.args}", None
        return str(record.msg)


def register_environment() -> None:
    """Mask what AWS's variables hold, and the files with tokens that they name."""
    for variable in _SECRET_VARIABLES:
        register([os.environ.get(variable)])
    for variable in _SECRET_FILES:
        path = Path(os.environ.get(variable, ""))
        # Whoever needs a file that cannot be read reports it. A pipe is left alone: it
        # can be read only once, and boto3 has to.
        with contextlib.suppress(OSError, ValueError):
            register([path.read_text("utf-8") if path.is_file() else None])
    endpoints = (v for n, v in os.environ.items() if n.startswith("AWS_ENDPOINT_URL"))
    for url in (*getproxies().values(), *endpoints):
        register_url(url)


def install() -> None:
    """Have every log record of this process made without secrets."""
    logging.setLogRecordFactory(_record)
    # Nobody need make records that are dropped.
    for name, level in _LEAST_LEVELS.items():
        logging.getLogger(name).setLevel(level)
