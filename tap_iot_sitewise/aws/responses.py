"""Decodes answers over HTTP, and reads errors from answers of any form."""

from __future__ import annotations

import html
import json
import typing as t
from http import HTTPStatus
from urllib.parse import unquote

import msgspec

from tap_iot_sitewise import redaction

if t.TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_ERROR_STATUS = 300
"""A redirect is an error too: no AWS operation that the tap calls redirects."""

BROKEN_PAGE = ":broken page"
"""Code of a page that is not complete. No answer has it: the tap cuts a code off at its
first colon."""

_TOO_MANY_REQUESTS = int(HTTPStatus.TOO_MANY_REQUESTS)
PERMANENT_SERVER_ERRORS = {
    int(HTTPStatus.NOT_IMPLEMENTED),
    int(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED),
}
"""5xx that a retry does not change: the server does not support the request."""

TRANSIENT_STATUSES = frozenset(
    {_TOO_MANY_REQUESTS, *range(500, 600)} - PERMANENT_SERVER_ERRORS
)
"""Statuses that are retried: throttling and failures of the server.

This includes the statuses of gateways and proxies (507, 520 to 529, 599). botocore 1.44
retries only 429, 500, 502, 503 and 504.
"""

TRANSIENT_CODES = ("RequestTimeout", "RequestTimeoutException")
"""AWS codes that are retried whatever their status, in addition to throttling."""

_LONGEST_CODE, _LONGEST_MESSAGE = 100, 2_000
"""Characters of AWS's code and message in an error line."""

_QUOTED = 200
"""Characters of a body that is not from AWS in an error line."""

_READ = 100_000
"""Bytes of such a body that are decoded."""


def decode(body: bytes) -> t.Any:  # noqa: ANN401
    """Decode JSON, and replace each lone surrogate with U+FFFD.

    JSON can escape a lone surrogate, but UTF-8 cannot encode it, so targets fail.
    msgspec 0.20 refuses a body with one; the standard library accepts it.

    Raises:
        ValueError: The body is not valid JSON, or its nesting is too deep.
    """
    try:
        try:
            return msgspec.json.decode(body)
        except msgspec.DecodeError:
            text = json.dumps(json.loads(body), ensure_ascii=False)
            utf16 = text.encode("utf-16-le", "surrogatepass")
            return msgspec.json.decode(utf16.decode("utf-16-le", "replace"))
    except RecursionError as error:
        msg = "the JSON is nested too deeply"
        raise ValueError(msg) from error


class _Entries(msgspec.Struct, rename="camel"):
    """Answer of a batch operation. The values stay as received."""

    success_entries: list[dict[str, msgspec.Raw]] | None = None
    error_entries: list[dict[str, t.Any]] | None = None
    skipped_entries: list[dict[str, t.Any]] | None = None
    next_token: str | None = None


_entries_decoder = msgspec.json.Decoder(_Entries)


def page_in(body: bytes, result: str) -> tuple[list[t.Any], str | None]:
    """Return the items of a page and the token of the next page.

    Args:
        body: Body of the answer.
        result: Member that contains the items.

    Raises:
        ValueError: The body is not a complete page.
    """
    try:
        answer = decode(body)
        page, token = answer[result], answer.get("nextToken")
    except (TypeError, KeyError, AttributeError) as error:
        msg = f"the answer has no {result}"
        raise ValueError(msg) from error
    if not isinstance(page, list) or not (token is None or isinstance(token, str)):
        msg = f"{result} is not a list, or the token is not text"
        raise ValueError(msg)
    return page, _checked(token)


def entries_in(body: bytes) -> tuple[list[t.Any], str | None]:
    """Return the entries of an answer of a batch operation and the next token.

    The entries that are skipped are not returned: an earlier page finished them.

    Args:
        body: Body of the answer.

    Returns:
        Entries that succeeded, their members not decoded (:class:`msgspec.Raw`), and
        entries that failed, with an ``errorCode``.

    Raises:
        ValueError: The body is not a complete page.
    """
    try:
        # The decoder does not check the encoding of what it does not decode.
        body.decode("utf-8")
        answer = _entries_decoder.decode(body)
    except msgspec.ValidationError as error:
        msg = f"the entries are not valid: {error}"
        raise ValueError(msg) from error
    except (msgspec.DecodeError, RecursionError):
        # A lone surrogate, see `decode`.
        repaired = msgspec.json.encode(decode(body))
        return entries_in(repaired)
    if answer.success_entries is answer.error_entries is answer.skipped_entries is None:
        msg = "the answer has no entries"
        raise ValueError(msg)
    failed = answer.error_entries or []
    if not all("errorCode" in entry for entry in failed):
        msg = "an entry that failed has no errorCode"
        raise ValueError(msg)
    return [*(answer.success_entries or ()), *failed], _checked(answer.next_token)


def _checked(token: str | None) -> str | None:
    if token == "":
        msg = "the token is empty"
        raise ValueError(msg)
    return token


def error_in(
    status: int, headers: Mapping[str, str], body: bytes
) -> dict[t.Literal["Code", "Message"], str]:
    """Return the code and the message of an answer with an error status.

    This replaces botocore's parser (1.44), which raises ``UnicodeDecodeError``,
    ``AttributeError`` or ``RecursionError`` if the body is not a JSON object in UTF-8.

    Args:
        status: HTTP status.
        headers: Headers; their names are not case-sensitive.
        body: Body as received: JSON from AWS, a page from a proxy, or anything else.

    Returns:
        AWS's code and message. An answer without a code is probably not from AWS: then
        the code is the HTTP status, and the message quotes the body.
    """
    texts = _texts(body)
    code = (
        headers.get("x-amzn-ErrorType")
        or texts.get("__type")
        or texts.get("code")
        or texts.get("Code")
        or ""
    )
    # AWS also sends `namespace#Code` and `Code:http://...`.
    code = code.split(":", 1)[0].rsplit("#", 1)[-1].strip()
    message = texts.get("message") or texts.get("Message") or ""
    message = as_line(message)[:_LONGEST_MESSAGE]
    if not code:
        return {"Code": str(status), "Message": message or _quoted(body)}
    return {"Code": as_line(code)[:_LONGEST_CODE], "Message": message}


def _texts(body: bytes) -> dict[str, str]:
    """Return the text members of a JSON object, or nothing for any other body."""
    try:
        answer = decode(body)
    except ValueError:
        return {}
    if not isinstance(answer, dict):
        return {}
    return {name: value for name, value in answer.items() if isinstance(value, str)}


def _quoted(body: bytes) -> str:
    # A server that echoes the request can escape it for HTML, a URL or JSON.
    text = html.unescape(unquote(body[:_READ].decode("utf-8", "replace")))
    text = as_line(text.replace("\\/", "/"))
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}..."


def as_line(text: object) -> str:
    """Return a text as one printable line without secrets.

    Secrets are masked here and in the log: the caller can truncate the line, and the
    log does not recognise a truncated secret.
    """
    redacted = redaction.redact(str(text))
    printable = "".join(char if char.isprintable() else " " for char in redacted)
    return " ".join(printable.split()).rstrip(".")


def status_line(status: int) -> str:
    """Return a status as in an error line, for example ``HTTP 502 Bad Gateway``."""
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"
