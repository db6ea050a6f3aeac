"""Check signatures of Signature Version 4, as described in AWS's IAM User Guide.

It shares no code with botocore, so that it also detects mistakes of botocore.
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
_CREDENTIAL_PARTS = 5
_WHITESPACE = re.compile(r"\s+")
_UNRESERVED = "-_.~"


@dataclass(frozen=True)
class SignedRequest:
    """An HTTP request.

    Args:
        method: HTTP method.
        path: Path, percent-encoded as sent.
        query: Query string, percent-encoded as sent.
        headers: Values by name in lower case; repeated ones are joined by commas.
        body: Body.
        secure: Whether it uses TLS.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""
    secure: bool = False

    @functools.cached_property
    def parameters(self) -> list[tuple[str, str]]:
        """Decoded names and values of the query, in the order of the query."""
        return [
            (unquote_plus(name), unquote_plus(value))
            for name, _, value in (
                part.partition("=") for part in self.query.split("&") if part
            )
        ]


@dataclass(frozen=True)
class Authorization:
    """The parts of an ``Authorization`` header.

    Args:
        algorithm: The algorithm, such as ``AWS4-HMAC-SHA256``.
        identity: The access key ID, or a certificate's serial number.
        scope: Date, Region, service and terminator.
        signed_headers: The signed headers, in their order.
        signature: The signature in hexadecimal digits.
    """

    algorithm: str
    identity: str
    scope: tuple[str, str, str, str]
    signed_headers: tuple[str, ...]
    signature: str


def parse_authorization(header: str | None) -> Authorization:
    """Parse an ``Authorization`` header.

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
        msg = f"{' '.join(missing)} (Authorization: {algorithm})"
        raise errors.incomplete_signature(msg)
    credential = parts["Credential"].split("/")
    if len(credential) != _CREDENTIAL_PARTS:
        msg = (
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            f"keyid/date/region/service/term, got '{parts['Credential']}'"
        )
        raise errors.incomplete_signature(msg)
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
def _parse_date(text: str) -> datetime:
    return datetime.strptime(text, DATE_FORMAT).replace(tzinfo=timezone.utc)


def canonical_request(request: SignedRequest, signed_headers: tuple[str, ...]) -> str:
    """Return the canonical form of a request, which the signature covers."""
    path = posixpath.normpath(request.path or "/").replace("//", "/")
    if request.path.endswith("/") and path != "/":
        path += "/"
    pairs = ((_quoted(name), _quoted(value)) for name, value in request.parameters)
    query = "&".join(f"{name}={value}" for name, value in sorted(pairs))
    headers = "".join(
        f"{name}:{_WHITESPACE.sub(' ', request.headers.get(name, '')).strip()}\n"
        for name in signed_headers
    )
    return "\n".join(
        (
            request.method,
            # All services except S3 encode the encoded path again.
            quote(path, safe="/" + _UNRESERVED),
            query,
            headers,
            ";".join(signed_headers),
            hashlib.sha256(request.body).hexdigest(),
        ),
    )


def _encode(text: str) -> bytes:
    # aiohttp decodes header bytes that are not UTF-8 to lone surrogates.
    return text.encode(errors="surrogateescape")


def string_to_sign(request: SignedRequest, authorization: Authorization) -> str:
    """Return the string to sign: algorithm, date, scope and hash of the request."""
    canonical = canonical_request(request, authorization.signed_headers)
    return "\n".join(
        (
            authorization.algorithm,
            request.headers.get("x-amz-date", ""),
            "/".join(authorization.scope),
            hashlib.sha256(_encode(canonical)).hexdigest(),
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
    """Check the date and the scope of a signature.

    Args:
        request: The request.
        authorization: Its parsed header.
        region: The Region of the account.
        service: The signing name of the service.
        now: The emulator's time, with a time zone.

    Raises:
        ApiError: AWS answers with this error.
    """
    for header in ("host", "x-amz-date"):
        if header not in authorization.signed_headers:
            shown = "'Host' or ':authority'" if header == "host" else "'X-Amz-Date'"
            msg = f"{shown} must be a 'SignedHeader' in the AWS Authorization."
            raise errors.invalid_signature(msg)
    sent = request.headers.get("x-amz-date", "")
    try:
        date = _parse_date(sent)
    except ValueError:
        msg = (
            "Authorization header requires existence of either a 'X-Amz-Date' or a "
            f"'Date' header. (X-Amz-Date: '{sent}')"
        )
        raise errors.incomplete_signature(msg) from None
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
        msg = (
            f"Signature expired: {sent} is now earlier than {earliest:{DATE_FORMAT}} "
            f"({now:{DATE_FORMAT}} - 5 min.)"
        )
        raise errors.invalid_signature(msg)
    if date > latest:
        msg = (
            f"Signature not yet current: {sent} is still later than "
            f"{latest:{DATE_FORMAT}} ({now:{DATE_FORMAT}} + 5 min.)"
        )
        raise errors.invalid_signature(msg)


@functools.lru_cache(maxsize=256)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """Return the signing key for a day (``YYYYMMDD`` in UTC), Region and service."""
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
    """Check the signature of a request.

    Args:
        request: The request.
        keys: The access keys of the account.
        region: The Region of the account.
        service: The signing name of the service.
        now: The emulator's time, with a time zone.

    Returns:
        The access key that signed it.

    Raises:
        ApiError: AWS answers with this error.
    """
    authorization = parse_authorization(request.headers.get("authorization"))
    if authorization.algorithm != HMAC_ALGORITHM:
        msg = f"Unsupported AWS 'algorithm': '{authorization.algorithm}'."
        raise errors.incomplete_signature(msg)
    key = keys.find(authorization.identity)
    token = request.headers.get("x-amz-security-token")
    if key is None or (token or None) != key.session_token:
        raise errors.unrecognized_client()
    # By the machine's time: `now` may differ from it, to emulate a wrong clock.
    if key.expired(time.time()):
        raise errors.expired_token()
    check_date_and_scope(
        request, authorization, region=region, service=service, now=now
    )
    expected = hmac.new(
        signing_key(key.secret_access_key, authorization.scope[0], region, service),
        _encode(string_to_sign(request, authorization)),
        hashlib.sha256,
    ).hexdigest()
    if not hmac.compare_digest(expected.encode(), _encode(authorization.signature)):
        raise errors.signature_mismatch()
    return key
