"""The errors of AWS: codes, statuses and messages.

SiteWise's codes and statuses are in its service model. Those of signatures are on the
page "Common Errors" of the SiteWise API reference.
"""

from __future__ import annotations

from http import HTTPStatus


class ApiError(Exception):
    """An error answer of a JSON service of AWS.

    Args:
        code: Value of the header ``x-amzn-ErrorType``.
        message: Member ``message`` of the body.
        status: HTTP status.
    """

    def __init__(self, code: str, message: str, status: int) -> None:
        """Keep the arguments."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = int(status)


def _forbidden(code: str, message: str) -> ApiError:
    return ApiError(code, message, HTTPStatus.FORBIDDEN)


def access_denied(message: str) -> ApiError:
    """Return the error for a caller without permission."""
    return _forbidden("AccessDeniedException", message)


def not_authorized(
    principal_arn: str, action: str, resource: str, *, denied: bool = False
) -> ApiError:
    """Return the error for a missing permission, with IAM's message.

    Args:
        principal_arn: ARN of the user or session.
        action: The action, such as ``iotsitewise:ListPortals``.
        resource: ARN of the resource, or ``*``.
        denied: Whether a policy denies the action, instead of none allowing it.
    """
    reason = f"because no identity-based policy allows the {action} action"
    if denied:
        reason = "with an explicit deny in an identity-based policy"
    return access_denied(
        f"User: {principal_arn} is not authorized to perform: {action} on resource: "
        f"{resource} {reason}",
    )


def expired_token() -> ApiError:
    """Return the error for expired credentials."""
    return _forbidden(
        "ExpiredTokenException",
        "The security token included in the request is expired",
    )


def unrecognized_client() -> ApiError:
    """Return the error for an unknown access key ID or session token."""
    return _forbidden(
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )


def missing_authentication() -> ApiError:
    """Return the error for a request without ``Authorization`` header."""
    return _forbidden(
        "MissingAuthenticationTokenException", "Missing Authentication Token"
    )


def incomplete_signature(message: str) -> ApiError:
    """Return the error for an incomplete ``Authorization`` header."""
    return _forbidden("IncompleteSignatureException", message)


def invalid_signature(message: str) -> ApiError:
    """Return the error for a signature with a wrong date, scope or value."""
    return _forbidden("InvalidSignatureException", message)


def signature_mismatch() -> ApiError:
    """Return the error for a signature that does not match the key or the request."""
    return invalid_signature(
        "The request signature we calculated does not match the signature you "
        "provided. Check your AWS Secret Access Key and signing method. "
        "Consult the service documentation for details.",
    )


def invalid_request(message: str) -> ApiError:
    """Return SiteWise's error for an invalid parameter."""
    return ApiError("InvalidRequestException", message, HTTPStatus.BAD_REQUEST)


def validation(message: str) -> ApiError:
    """Return the error of IAM Roles Anywhere for an invalid parameter."""
    return ApiError("ValidationException", message, HTTPStatus.BAD_REQUEST)


def constraint(value: object, member: str, rule: str) -> str:
    """Return AWS's message for an invalid parameter.

    Args:
        value: The value; None if it is missing.
        member: Name of the parameter.
        rule: The rule, which begins with "Member must".
    """
    shown = "null" if value is None else f"'{value}'"
    return (
        f"1 validation error detected: Value {shown} at '{member}' "
        f"failed to satisfy constraint: {rule}"
    )


def not_found(message: str) -> ApiError:
    """Return the error for a resource that does not exist."""
    return ApiError("ResourceNotFoundException", message, HTTPStatus.NOT_FOUND)


def unknown_operation() -> ApiError:
    """Return the error for an unknown path or method."""
    return ApiError(
        "UnknownOperationException", "Unknown operation", HTTPStatus.NOT_FOUND
    )


def throttled() -> ApiError:
    """Return the error for too many requests."""
    return ApiError(
        "ThrottlingException", "Rate exceeded", HTTPStatus.TOO_MANY_REQUESTS
    )


def internal_failure() -> ApiError:
    """Return the error for an internal failure of AWS."""
    return ApiError(
        "InternalFailureException",
        "An internal error has occurred. Try again later.",
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )


def unavailable() -> ApiError:
    """Return the error for a service that is not available."""
    return ApiError(
        "ServiceUnavailableException",
        "The requested service is unavailable. Try again later.",
        HTTPStatus.SERVICE_UNAVAILABLE,
    )
