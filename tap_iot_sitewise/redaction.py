"""Masks secrets in the log, for every logger and at every level."""

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
"""Shorter secrets are not masked: the masks would garble every line, and their
positions would reveal the secret."""

_LEAST_LEVELS = {
    # Below INFO these libraries log canonical requests and response bodies. The bodies
    # can hold credentials of AssumeRole and SSO, which are not registered yet.
    "boto3": logging.INFO,
    "botocore": logging.INFO,
    "aiobotocore": logging.INFO,
    "s3transfer": logging.INFO,
    "urllib3": logging.INFO,
    # Warns with a traceback if a renewal fails. The tap's ERROR reports it.
    "botocore.credentials": logging.ERROR,
    # Logs an ERROR for each failed attempt of CreateSession.
    "iam_rolesanywhere_session": logging.CRITICAL,
}
"""Lowest level at which a library, including its child loggers, may log."""

_BELOW_EVERY_HANDLER = -1

_PEM_FRAME = ("-----BEGIN ", "-----END ")

_LONG, _BEGINNING = 32, 16
"""In a secret of at least 32 characters, the first 16 are masked too, with what follows
them: a library can truncate a secret."""

_CREDENTIALS = re.compile(r"(<(?:AccessKeyId|SecretAccessKey|SessionToken)>)[^<\s'\"]+")
"""Credentials in an answer of STS. botocore 1.44 quotes an answer that it cannot parse
in the text of its error, before anybody knows the credentials."""

_USER_AND_PASSWORD = re.compile(r"(?<=//)[^\s\"'<>]*@")
"""User and password in a URL, up to the last @: a password can contain one."""

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
        secrets: Values. In a value with several lines (a PEM), each line is masked
            separately: tracebacks and representations split the value.
    """
    for secret in secrets:
        for line in (secret or "").replace("\\n", "\n").splitlines():
            if len(line.strip()) >= _MIN_LENGTH and not line.startswith(_PEM_FRAME):
                _secrets.add(line.strip())


def register_url(url: str) -> None:
    """Mask the password of a URL, even if a parser splits the URL in the wrong place.

    If a password contains ``/``, ``?`` or ``#`` without percent-encoding, a parser ends
    the host there and takes the rest of the password for a path.

    Args:
        url: URL of a proxy or an endpoint, with or without scheme, user and password.
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
            # The form of the header Proxy-Authorization. A variable can hold bytes that
            # are not UTF-8; Python represents them as surrogates.
            base64.b64encode(plain.encode("utf-8", "surrogateescape")).decode(),
        ]
    )


def redact(text: str) -> str:
    """Return ``text`` without registered secrets and without users in URLs."""
    # The longest first: a secret can be the beginning of another one.
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
        if len(secret) >= _LONG and secret[:_BEGINNING] in text:
            text = re.sub(rf"{re.escape(secret[:_BEGINNING])}\S*", MASK, text)
    if "Key" in text or "Token>" in text:
        text = _CREDENTIALS.sub(rf"\1{MASK}", text)
    return _USER_AND_PASSWORD.sub(f"{MASK}@", text) if "@" in text else text


@functools.cache
def _least_level(logger: str) -> int:
    """Return the lowest level at which a logger may log."""
    if logger in _LEAST_LEVELS:
        return _LEAST_LEVELS[logger]
    parent, dot, _ = logger.rpartition(".")
    return _least_level(parent) if dot else logging.NOTSET


def _record(*args: t.Any, **kwargs: t.Any) -> logging.LogRecord:  # noqa: ANN401
    """Create a log record without secrets, with a traceback at DEBUG only.

    A filter or a formatter is not enough: both belong to handlers, and the user's own
    log configuration replaces the handlers. It can also set the level of any child
    logger, so a level on the parent is not enough either.
    """
    name, level, *_ = args
    # `logging.makeLogRecord` passes None for both.
    if name is not None and level < _least_level(name):
        record = _standard_factory(name, level, "", 0, "", (), None)
        # Every handler skips a record below its level.
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
    # A record without secrets keeps its arguments: the SDK's structured log reads those
    # of metrics.
    if redacted != _message(record):
        record.msg, record.args = redacted, None
    return record


def _message(record: logging.LogRecord) -> str:
    """Return the message of a record, even if its arguments do not fit its text.

    Python would print such a record on stderr, including its arguments.
    """
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        record.msg, record.args = f"{record.msg} {record.args}", None
        return str(record.msg)


def register_file(name: str) -> None:
    """Mask the token in a file.

    Args:
        name: Path of the file. boto3 reports a file that it cannot read. A pipe can be
            read only once: this leaves it to boto3.
    """
    with contextlib.suppress(OSError, ValueError):
        path = Path(name)
        register([path.read_text("utf-8") if path.is_file() else None])


def register_environment() -> None:
    """Mask the values of AWS's variables, and the tokens in the files they name."""
    for variable in _SECRET_VARIABLES:
        register([os.environ.get(variable)])
    for variable in _SECRET_FILES:
        register_file(os.environ.get(variable, ""))
    endpoints = (v for n, v in os.environ.items() if n.startswith("AWS_ENDPOINT_URL"))
    for url in (*getproxies().values(), *endpoints):
        register_url(url)


def install() -> None:
    """Mask secrets in every log record of this process."""
    logging.setLogRecordFactory(_record)
    # Do not create records that are dropped later.
    for name, level in _LEAST_LEVELS.items():
        logging.getLogger(name).setLevel(level)
