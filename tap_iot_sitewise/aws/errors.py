"""Describes a failed call in one line: the operation, AWS's words, what to do."""

from __future__ import annotations

import re
import typing as t
from http import HTTPStatus

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError
from botocore.retries.standard import RetryContext, ThrottledRetryableChecker

from tap_iot_sitewise.aws.responses import (
    TRANSIENT_CODES,
    TRANSIENT_STATUSES,
    as_line,
    status_line,
)
from tap_iot_sitewise.aws.tls import ca_bundle
from tap_iot_sitewise.errors import NotFoundError, TapError

CLOCK = "set this machine's clock (AWS accepts a difference of five minutes)"
"""What to do if AWS does not accept the time of a request."""

ASSUMED = "assume_role"
"""In the place of ``auth_method``: the credentials are those of an assumed role."""

_TEMPORARY = (
    "check that the account has enabled aws_region, and that no proxy between this "
    "machine and AWS changes requests"
)

_KEYS = {
    "static": "check aws_access_key_id and aws_secret_access_key",
    "default": (
        "check the credentials that boto3 finds; 'aws sts get-caller-identity' shows "
        "their owner"
    ),
    "roles_anywhere": _TEMPORARY,
    ASSUMED: _TEMPORARY,
}
"""What to check if AWS does not accept the signature, by ``auth_method``."""

_UNKNOWN_KEY = {
    **{method: f"AWS does not know the key: {keys}" for method, keys in _KEYS.items()},
    "static": (
        f"AWS does not know the key: {_KEYS['static']}, and aws_session_token for "
        "temporary keys"
    ),
}
_WRONG_SIGNATURE = {
    method: f"the secret key does not match the access key: {keys}"
    for method, keys in _KEYS.items()
}
_EXPIRED = {
    "static": (
        "the temporary keys have expired: create new ones, or set auth_method to "
        "roles_anywhere or default, which renew them"
    ),
    "default": (
        "the temporary keys have expired: renew the credentials that boto3 finds (aws "
        "sso login, the shared profile, the environment)"
    ),
    **dict.fromkeys(
        ("roles_anywhere", ASSUMED),
        f"the temporary keys have expired: run the tap again, or {CLOCK}",
    ),
}

_REMEDIES: dict[str, str | dict[str, str]] = {
    "UnrecognizedClientException": _UNKNOWN_KEY,
    "InvalidClientTokenId": _UNKNOWN_KEY,
    "InvalidSignatureException": _WRONG_SIGNATURE,
    "SignatureDoesNotMatch": _WRONG_SIGNATURE,
    "IncompleteSignatureException": {
        method: f"the key cannot be used: {keys}" for method, keys in _KEYS.items()
    },
    "MissingAuthenticationTokenException": (
        "the request has no signature: check auth_method"
    ),
    "ExpiredTokenException": _EXPIRED,
    "ExpiredToken": _EXPIRED,
    "RequestExpired": CLOCK,
    "RequestTimeTooSkewed": CLOCK,
    "SubscriptionRequiredException": (
        "the account has no access to AWS IoT SiteWise: open its console once"
    ),
    "OptInRequired": (
        "the account has not enabled this Region: enable it, or correct aws_region"
    ),
}
"""What to do about an error, by its code and, if that matters, ``auth_method``."""

_PROXY = "check the proxy or gateway between this machine and AWS"


def explain(
    operation: str,
    error: Exception,
    *,
    attempts: int,
    auth_method: str,
    remedy: str | None = None,
) -> TapError:
    """Describe a failed call in one line.

    Args:
        operation: The operation that was called.
        error: What boto3 raised.
        attempts: Maximum attempts of a request.
        auth_method: The setting, or :data:`ASSUMED` for the credentials of a role.
        remedy: What to do about a refusal, if the caller knows.

    Returns:
        The error to raise: a :class:`NotFoundError` if the resource does not exist.
    """
    if isinstance(error, boto.ClientError):
        return _refused(operation, error, auth_method, remedy)
    if isinstance(error, (boto.ConnectionError, boto.HTTPClientError)):
        return TapError(as_line(_connection(operation, error, attempts)))
    if isinstance(error, UnicodeError) or not isinstance(
        error, (boto.BotoCoreError, ValueError)
    ):
        # botocore 1.44 does not check the credentials that a container, an instance or
        # a process returns. It raises KeyError, TypeError, RuntimeError ...
        cause = f"{type(error).__name__}: {as_line(error)}"
        if isinstance(error, ResponseParserError):
            # Its text quotes an answer that can contain credentials.
            cause = type(error).__name__
        return TapError(
            f"{operation}: boto3 received credentials that it cannot use ({cause}); "
            "check their source: the profile, the container or instance role, or the "
            "web identity"
        )
    text = f"{operation}: {as_line(error)}"
    if isinstance(error, (boto.NoCredentialsError, boto.PartialCredentialsError)):
        text += (
            "; with auth_method default, boto3 looks for credentials in the "
            "environment, in the shared profile and at the container or instance role"
        )
    elif isinstance(error, (boto.SSOError, boto.TokenRetrievalError)):
        text += "; log in again (aws sso login)"
    return TapError(text)


def _refused(
    operation: str, error: boto.ClientError, auth_method: str, known: str | None
) -> TapError:
    code = str(error.response.get("Error", {}).get("Code", "an error"))
    message = as_line(error.response.get("Error", {}).get("Message") or "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    # The call can also fetch credentials, with operations of other services.
    text = str(error.operation_name)
    if code == str(status):
        # Answers of AWS have a code. This one is from a proxy or a gateway.
        text += f": {status_line(status)}: {message or 'an empty answer'}"
    else:
        text += f": {code}: {message or 'no message'}"
    if code == "ResourceNotFoundException":
        return NotFoundError(text)
    if transient := _transient(operation, error, code, status):
        # Words that were cut off end with three.
        sentence = text if text.endswith("...") else text.removesuffix(".")
        return TapError(f"{sentence}, {transient}")
    remedy = known or _remedy(operation, error, code, message, status)
    if isinstance(remedy, dict):
        remedy = remedy[auth_method]
    return TapError(f"{text}; {remedy}" if remedy else text)


def _transient(
    operation: str, error: boto.ClientError, code: str, status: int
) -> str | None:
    """Return the attempts and what to do, None if botocore does not retry the error."""
    attempts = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) + 1
    context = RetryContext(attempts, parsed_response=error.response)
    throttled = ThrottledRetryableChecker().is_retryable(context)
    throttled = throttled or status == HTTPStatus.TOO_MANY_REQUESTS
    # The quota of STS is another one.
    if throttled and error.operation_name == operation != "AssumeRole":
        return (
            f"even after {attempts} attempts; set or lower max_requests_per_second, "
            "raise max_attempts, or ask AWS for a higher quota"
        )
    if throttled or status in TRANSIENT_STATUSES or code in TRANSIENT_CODES:
        return f"even after {attempts} attempts; try again later"
    return None


def _remedy(
    operation: str, error: boto.ClientError, code: str, message: str, status: int
) -> str | dict[str, str] | None:
    """Return what to do about a refusal, None if only AWS's words are known.

    The keys of a dictionary are values of ``auth_method``.
    """
    if "Signature" in code and re.search("expired: |not yet current", message):
        # AWS reports a wrong clock with the code of a wrong signature.
        return CLOCK
    if code in {"AccessDeniedException", "AccessDenied"}:
        if error.operation_name != operation:
            return "check the role and its trust policy"
        return f"allow iotsitewise:{operation} in a policy of the role or user"
    return _PROXY if code == str(status) else _REMEDIES.get(code)


def _connection(operation: str, error: boto.BotoCoreError, attempts: int) -> str:
    details: t.Any = error.kwargs
    url = str(details.get("endpoint_url", "the endpoint"))
    host = url.split("?", 1)[0]
    text = as_line(details.get("error", error))
    if "CERTIFICATE_VERIFY" in text:
        bundle = ca_bundle()
        used = f"the CA bundle {bundle}" if bundle else "botocore's own CA bundle"
        return (
            f"{operation}: TLS: the certificate of {host} was not verified by {used}; "
            "set AWS_CA_BUNDLE to a file with the CA that signed it"
        )
    if isinstance(error, boto.SSLError):
        return (
            f"{operation}: TLS with {host} failed: {text}; check the scheme and the "
            "port of the endpoint"
        )
    if isinstance(error, boto.ProxyConnectionError):
        return (
            f"{operation}: the proxy {details.get('proxy_url')} cannot be reached; "
            "check HTTPS_PROXY and NO_PROXY"
        )
    if isinstance(error, (boto.ReadTimeoutError, boto.ConnectTimeoutError)):
        return (
            f"{operation}: {host} did not answer within request_timeout seconds, even "
            f"after {attempts} attempts; check the network, or raise request_timeout"
        )
    if isinstance(error, boto.EndpointConnectionError):
        unresolved = r"NameResolution|Name or service|getaddrinfo|Errno -[235]"
        cause = (
            "its name cannot be resolved"
            if re.search(unresolved, text)
            else "it refuses connections or cannot be reached"
        )
        return (
            f"{operation}: cannot connect to {host}: {cause}, even after {attempts} "
            "attempts; check aws_region, the endpoint settings and the network"
        )
    return (
        f"{operation}: the connection to {host} failed, even after {attempts} "
        f"attempts; {_PROXY}"
    )
