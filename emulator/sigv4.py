"""Checking Signature Version 4, by the description in AWS's IAM User Guide.

It shares no code with botocore: a mistake in both the signer and the verifier would go
unnoticed.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import posixpath
import re
import time
import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import quote, unquote_plus

from emulator import errors

if t.TYPE_CHECKING:
    from emulator.keys import AccessKey, Keyring

HMAC_ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
DATE_FORMAT = "%Y%m%dT%H%M%SZ"
MAXIMUM_SKEW = timedelta(minutes=5)
_SCOPE_PARTS = 5
_BLANKS = re.compile(r"\s+")
_UNRESERVED = "-_.~"


@dataclass(frozen=True)
class SignedRequest:
    """An HTTP request as it came in.

    Attributes:
        method: ``GET`` and so on.
        path: Before the question mark, percent-encoded as sent.
        query: Behind the question mark, percent-encoded as sent.
        headers: Names in lower case; values of a repeated header joined by commas.
        body: The bytes.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""

    @functools.cached_property
    def parameters(self) -> list[tuple[str, str]]:
        """The query's names and values, decoded, in the order sent."""
        return [
            (unquote_plus(name), unquote_plus(value))
            for name, _, value in (
                part.partition("=") for part in self.query.split("&") if part
            )
        ]


@dataclass(frozen=True)
class Authorization:
    """The parts of an ``Authorization`` header.

    Attributes:
        algorithm: Such as ``AWS4-HMAC-SHA256``.
        identity: The access key id, or a certificate's serial number.
        scope: Date, Region, service and terminator.
        signed_headers: In the order given.
        signature: Hexadecimal.
    """

    algorithm: str
    identity: str
    scope: tuple[str, str, str, str]
    signed_headers: tuple[str, ...]
    signature: str


def parse_authorization(header: str | None) -> Authorization:
    """Take an ``Authorization`` header apart.

    Raises:
        ApiError: It is missing or incomplete.
    """
    if not header:
        raise errors.missing_authentication()
    algorithm, _, rest = header.partition(" ")
    parts = {
        name.strip(): value.strip()
        for name, _, value in (part.partition("=") for part in rest.split(","))
    }
    missing = [
        f"Authorization header requires '{name}' parameter."
        for name in ("Credential", "Signature", "SignedHeaders")
        if not parts.get(name)
    ]
    if missing:
        message = f"{' '.join(missing)} (Authorization: {algorithm})"
        raise errors.incomplete_signature(message)
    credential = parts["Credential"].split("/")
    if len(credential) != _SCOPE_PARTS:
        message = (
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            f"keyid/date/region/service/term, got '{parts['Credential']}'"
        )
        raise errors.incomplete_signature(message)
    identity, date, region, service, terminator = credential
    return Authorization(
        algorithm,
        identity,
        (date, region, service, terminator),
        tuple(parts["SignedHeaders"].split(";")),
        parts["Signature"],
    )


@functools.lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    return quote(text, safe=_UNRESERVED)


@functools.lru_cache(maxsize=64)
def _moment(text: str) -> datetime:
    return datetime.strptime(text, DATE_FORMAT).replace(tzinfo=timezone.utc)


def canonical_request(request: SignedRequest, signed_headers: tuple[str, ...]) -> str:
    """The request in the form that both sides compute the signature over."""
    path = posixpath.normpath(request.path or "/").replace("//", "/")
    if request.path.endswith("/") and path != "/":
        path += "/"
    query = "&".join(
        f"{name}={value}"
        for name, value in sorted(
            (_quoted(name), _quoted(value)) for name, value in request.parameters
        )
    )
    headers = "".join(
        f"{name}:{_BLANKS.sub(' ', request.headers.get(name, '')).strip()}\n"
        for name in signed_headers
    )
    return "\n".join(
        (
            request.method,
            # Every service but S3 encodes the path once more than it was sent.
            quote(path, safe="/" + _UNRESERVED),
            query,
            headers,
            ";".join(signed_headers),
            hashlib.sha256(request.body).hexdigest(),
        ),
    )


def _octets(text: str) -> bytes:
    # aiohttp hands header bytes that are not UTF-8 over as lone surrogates.
    return text.encode(errors="surrogateescape")


def string_to_sign(request: SignedRequest, authorization: Authorization) -> str:
    """What is signed: the algorithm, the date, the scope, the request's hash."""
    canonical = canonical_request(request, authorization.signed_headers)
    return "\n".join(
        (
            authorization.algorithm,
            request.headers.get("x-amz-date", ""),
            "/".join(authorization.scope),
            hashlib.sha256(_octets(canonical)).hexdigest(),
        ),
    )


def check_date_and_scope(
    request: SignedRequest,
    authorization: Authorization,
    *,
    region: str,
    service: str,
    now: datetime,
) -> None:
    """Refuse a signature for another time, Region or service.

    Args:
        request: The request.
        authorization: Its header, taken apart.
        region: The Region that is served.
        service: The signing name of the service that is served.
        now: The server's time, with a time zone.

    Raises:
        ApiError: What AWS answers.
    """
    for header in ("host", "x-amz-date"):
        if header not in authorization.signed_headers:
            shown = "'Host' or ':authority'" if header == "host" else "'X-Amz-Date'"
            message = f"{shown} must be a 'SignedHeader' in the AWS Authorization."
            raise errors.invalid_signature(message)
    sent = request.headers.get("x-amz-date", "")
    try:
        date = _moment(sent)
    except ValueError:
        message = (
            "Authorization header requires existence of either a 'X-Amz-Date' or a "
            f"'Date' header. (X-Amz-Date: '{sent}')"
        )
        raise errors.incomplete_signature(message) from None
    scope_date, scope_region, scope_service, terminator = authorization.scope
    wrong = []
    if scope_region != region:
        wrong.append("Credential should be scoped to a valid region.")
    if scope_service != service:
        wrong.append(f"Credential should be scoped to correct service: '{service}'.")
    if terminator != TERMINATOR:
        wrong.append(
            f"Credential should be scoped with a valid terminator: '{TERMINATOR}', "
            f"not '{terminator}'.",
        )
    if scope_date != sent[:8]:
        wrong.append(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of "
            f"date from HTTP: '{scope_date}' != '{sent[:8]}', from '{sent}'.",
        )
    if wrong:
        raise errors.invalid_signature(" ".join(wrong))
    _check_skew(sent, date, now)


def _check_skew(sent: str, date: datetime, now: datetime) -> None:
    earliest, latest = now - MAXIMUM_SKEW, now + MAXIMUM_SKEW
    if date < earliest:
        message = (
            f"Signature expired: {sent} is now earlier than {earliest:{DATE_FORMAT}} "
            f"({now:{DATE_FORMAT}} - 5 min.)"
        )
        raise errors.invalid_signature(message)
    if date > latest:
        message = (
            f"Signature not yet current: {sent} is still later than "
            f"{latest:{DATE_FORMAT}} ({now:{DATE_FORMAT}} + 5 min.)"
        )
        raise errors.invalid_signature(message)


@functools.lru_cache(maxsize=256)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The key for one day, Region and service."""
    key = b"AWS4" + secret.encode()
    for part in (date, region, service, TERMINATOR):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def verify(
    request: SignedRequest,
    keys: Keyring,
    *,
    region: str,
    service: str,
    now: datetime,
) -> AccessKey:
    """Find out who sent a request.

    Args:
        request: The request.
        keys: The known access keys.
        region: The Region that is served.
        service: The signing name of the service that is served.
        now: The server's time, with a time zone.

    Returns:
        The key that it was signed with.

    Raises:
        ApiError: What AWS answers.
    """
    authorization = parse_authorization(request.headers.get("authorization"))
    if authorization.algorithm != HMAC_ALGORITHM:
        message = f"Unsupported AWS 'algorithm': '{authorization.algorithm}'."
        raise errors.incomplete_signature(message)
    key = keys.find(authorization.identity)
    token = request.headers.get("x-amz-security-token")
    if key is None or (token or None) != key.session_token:
        raise errors.unrecognized_client()
    # By the true clock: `now` may be shifted to play a client whose clock is wrong.
    if key.expired(time.time()):
        raise errors.expired_token()
    check_date_and_scope(
        request, authorization, region=region, service=service, now=now
    )
    expected = hmac.new(
        signing_key(key.secret_access_key, authorization.scope[0], region, service),
        _octets(string_to_sign(request, authorization)),
        hashlib.sha256,
    ).hexdigest()
    if not hmac.compare_digest(expected.encode(), _octets(authorization.signature)):
        raise errors.signature_mismatch()
    return key
