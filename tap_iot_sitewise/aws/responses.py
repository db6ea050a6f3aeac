"""Answers over HTTP that can be trusted: pages that are whole, errors of any body."""

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
"""Redirects are errors as well: no operation of AWS that is used here has one."""

BROKEN_PAGE = ":broken page"
"""Code of a page that is not complete; no answer's: what follows a colon is cut off."""

_TOO_MANY_REQUESTS = int(HTTPStatus.TOO_MANY_REQUESTS)
PERMANENT_SERVER_ERRORS = {
    int(HTTPStatus.NOT_IMPLEMENTED),
    int(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED),
}
"""5xx that say of the request, not of the moment, that it will not do."""

TRANSIENT_STATUSES = frozenset(
    {_TOO_MANY_REQUESTS, *range(500, 600)} - PERMANENT_SERVER_ERRORS
)
"""Statuses of what is worth another try: throttling, and the server's own failures.

Those between AWS and here count as well: gateways and proxies have 5xx of their own
(507, 520 to 529, 599). botocore 1.44 tries 500, 502, 503, 504 and 429 again.
"""

TRANSIENT_CODES = ("RequestTimeout", "RequestTimeoutException")
"""Codes of AWS that are worth another try with any status, beside throttling."""

_LONGEST_CODE, _LONGEST_MESSAGE = 100, 2_000
"""Characters that are shown of AWS's own words."""

_QUOTED = 200
"""Characters that are quoted of a body that is not from AWS."""

_READ = 100_000
"""Bytes that are looked at for that."""


def decode(body: bytes) -> t.Any:  # noqa: ANN401
    """Decode JSON; half a surrogate pair in it becomes U+FFFD.

    JSON can escape such a half, which no UTF-8 text can hold: targets die on it.
    msgspec 0.20 refuses the whole body for it, the standard library lets it through.

    Raises:
        ValueError: The body is not JSON, or nested deeper than can be read.
    """
    try:
        try:
            return msgspec.json.decode(body)
        except msgspec.DecodeError:
            text = json.dumps(json.loads(body), ensure_ascii=False)
            utf16 = text.encode("utf-16-le", "surrogatepass")
            return msgspec.json.decode(utf16.decode("utf-16-le", "replace"))
    except RecursionError as error:
        msg = "the JSON is nested too deep"
        raise ValueError(msg) from error


def error_in(
    status: int, headers: Mapping[str, str], body: bytes
) -> dict[t.Literal["Code", "Message"], str]:
    """Return what an answer with an error status says.

    In the place of botocore's parser (1.44), which raises ``UnicodeDecodeError``,
    ``AttributeError`` or ``RecursionError`` where a body is not an object in UTF-8.

    Args:
        status: HTTP status.
        headers: Headers, whatever their case.
        body: Body as it came: AWS's JSON, a proxy's page, or anything else.

    Returns:
        AWS's code and message. Where the answer names no code, and so hardly comes from
        AWS, the code is the HTTP status, and the message quotes the body.
    """
    texts = _texts(body)
    code = (
        headers.get("x-amzn-ErrorType")
        or texts.get("__type")
        or texts.get("code")
        or texts.get("Code")
        or ""
    )
    # `ns#Code` and `Code:http://...` are forms of AWS's too.
    code = code.split(":", 1)[0].rsplit("#", 1)[-1].strip()
    message = texts.get("message") or texts.get("Message") or ""
    message = as_line(message)[:_LONGEST_MESSAGE]
    if not code:
        return {"Code": str(status), "Message": message or _quoted(body)}
    return {"Code": as_line(code)[:_LONGEST_CODE], "Message": message}


def _texts(body: bytes) -> dict[str, str]:
    """Return the members of a JSON object that are texts; none of any other body."""
    try:
        answer = decode(body)
    except ValueError:
        return {}
    if not isinstance(answer, dict):
        return {}
    return {name: value for name, value in answer.items() if isinstance(value, str)}


def _quoted(body: bytes) -> str:
    # Whoever echoes a request may escape it for HTML, a URL or JSON.
    text = html.unescape(unquote(body[:_READ].decode("utf-8", "replace")))
    text = as_line(text.replace("\\/", "/"))
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}..."


def as_line(text: object) -> str:
    """Return a text as one line that is safe to show: printable, without secrets.

    Secrets are masked here as well as in the log, since half of one, cut off by whoever
    shortens the line, would not be recognised there.
    """
    redacted = redaction.redact(str(text))
    printable = "".join(char if char.isprintable() else " " for char in redacted)
    return " ".join(printable.split()).rstrip(".")


def status_line(status: int) -> str:
    """Return a status as an error names it, such as ``HTTP 502 Bad Gateway``."""
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"
