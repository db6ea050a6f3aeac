"""What AWS says when it refuses a request, in its own codes, statuses and words.

The codes and statuses of SiteWise are those of its service model; those of the
signature checks are in the "Common Errors" page of the SiteWise API reference.
"""

from __future__ import annotations

from http import HTTPStatus


class ApiError(Exception):
    """An answer that is an error, as AWS's JSON services give it.

    Args:
        code: What goes into the ``x-amzn-ErrorType`` header.
        message: What goes into the body's ``message``.
        status: The HTTP status.
    """

    def __init__(self, code: str, message: str, status: int) -> None:
        """Keep the three parts of the answer."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = int(status)


def _forbidden(code: str, message: str) -> ApiError:
    return ApiError(code, message, HTTPStatus.FORBIDDEN)


def access_denied(message: str) -> ApiError:
    """A caller who is known and may not."""
    return _forbidden("AccessDeniedException", message)


def not_authorized(principal_arn: str, action: str, resource: str) -> ApiError:
    """A missing permission, in IAM's words."""
    return access_denied(
        f"User: {principal_arn} is not authorized to perform: {action} on resource: "
        f"{resource} because no identity-based policy allows the {action} action",
    )


def expired_token() -> ApiError:
    """Temporary credentials past their time."""
    return _forbidden(
        "ExpiredTokenException",
        "The security token included in the request is expired",
    )


def unrecognized_client() -> ApiError:
    """An unknown access key ID or session token."""
    return _forbidden(
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )


def missing_authentication() -> ApiError:
    """A request without an ``Authorization`` header."""
    return _forbidden(
        "MissingAuthenticationTokenException", "Missing Authentication Token"
    )


def incomplete_signature(message: str) -> ApiError:
    """An ``Authorization`` header that lacks a part."""
    return _forbidden("IncompleteSignatureException", message)


def invalid_signature(message: str) -> ApiError:
    """A complete signature with a wrong date, scope or value."""
    return _forbidden("InvalidSignatureException", message)


def signature_mismatch() -> ApiError:
    """A signature made with another key or over another request."""
    return invalid_signature(
        "The request signature we calculated does not match the signature you "
        "provided. Check your AWS Secret Access Key and signing method. "
        "Consult the service documentation for details.",
    )


def invalid_request(message: str) -> ApiError:
    """A parameter out of its range, in SiteWise's code."""
    return ApiError("InvalidRequestException", message, HTTPStatus.BAD_REQUEST)


def validation(message: str) -> ApiError:
    """A parameter out of its range, in the code of IAM Roles Anywhere."""
    return ApiError("ValidationException", message, HTTPStatus.BAD_REQUEST)


def constraint(value: object, member: str, rule: str) -> str:
    """The sentence of AWS's request validation.

    Args:
        value: What was sent, None when nothing was.
        member: The name of the request's member.
        rule: What the member must do, from "Member must" on.
    """
    shown = "null" if value is None else f"'{value}'"
    return (
        f"1 validation error detected: Value {shown} at '{member}' "
        f"failed to satisfy constraint: {rule}"
    )


def not_found(message: str) -> ApiError:
    """A resource that is not, or no longer, there."""
    return ApiError("ResourceNotFoundException", message, HTTPStatus.NOT_FOUND)


def unknown_operation() -> ApiError:
    """A path or a method that the service does not have."""
    return ApiError(
        "UnknownOperationException", "Unknown operation", HTTPStatus.NOT_FOUND
    )


def throttled() -> ApiError:
    """More requests than the quota has room for."""
    return ApiError(
        "ThrottlingException", "Rate exceeded", HTTPStatus.TOO_MANY_REQUESTS
    )


def internal_failure() -> ApiError:
    """AWS's own fault."""
    return ApiError(
        "InternalFailureException",
        "An internal error has occurred. Try again later.",
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )


def unavailable() -> ApiError:
    """AWS is not available at the moment."""
    return ApiError(
        "ServiceUnavailableException",
        "The requested service is unavailable. Try again later.",
        HTTPStatus.SERVICE_UNAVAILABLE,
    )
