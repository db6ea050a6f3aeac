"""Describes a failed CreateSession or AssumeRole in one line."""

from __future__ import annotations

import typing as t

from botocore.exceptions import ClientError

from tap_iot_sitewise.aws.errors import CLOCK, explain
from tap_iot_sitewise.aws.responses import (
    FIRST_ERROR_STATUS,
    TRANSIENT_STATUSES,
    as_line,
)
from tap_iot_sitewise.errors import TapError

_SESSION_NAME = (
    "the profile does not accept a session name: remove session_name, or enable "
    "acceptRoleSessionName in the profile"
)
_CREATE_SESSION_REMEDIES = (
    # Words of the answer, and what to do.
    ("signature expired", CLOCK),
    ("signature not yet current", CLOCK),
    (
        "untrusted",
        (
            "trust_anchor_arn must name the trust anchor of the certificate's CA, and "
            "certificate_chain must contain the intermediate CAs"
        ),
    ),
    ("rolesessionname", _SESSION_NAME),
    ("role session name", _SESSION_NAME),
    (
        "duration",
        (
            "session_duration must not exceed the maximum session duration of the role "
            "or of the profile"
        ),
    ),
    ("trust anchor", "check trust_anchor_arn, and that the trust anchor is enabled"),
    ("profile", "check profile_arn, and that the profile is enabled"),
    (
        # Also "sts:AssumeRole".
        "role",
        (
            "check role_arn, that the profile lists the role, and that the role's "
            "trust policy lets rolesanywhere.amazonaws.com assume it"
        ),
    ),
)

_ASSUME_ROLE_REMEDIES = (
    (
        "1 hour session limit",
        (
            "set session_duration to 3600: AWS allows one hour if a role assumes "
            "another role"
        ),
    ),
    (
        "maxsessionduration",
        "lower session_duration, or raise the maximum session duration of the role",
    ),
    (
        "sts is not activated in this region",
        (
            "activate STS for aws_region in the account settings of IAM, in the "
            "account of the credentials"
        ),
    ),
    ("request arn is invalid", "check assume_role_arn"),
    (
        # A session of Roles Anywhere has a source identity, which stays in a chain.
        "sts:setsourceidentity",
        (
            "allow sts:SetSourceIdentity in addition to sts:AssumeRole, in the trust "
            "policy of assume_role_arn and in a policy of this role"
        ),
    ),
)


def explain_session(status: int, message: str, *, attempts: int) -> TapError:
    """Describe a failed CreateSession of IAM Roles Anywhere in one line.

    Args:
        status: HTTP status of the answer.
        message: AWS's words, or what is wrong with the answer.
        attempts: Maximum attempts of a request.

    Returns:
        The error to raise.
    """
    message = as_line(message)
    # Below 300: an answer without credentials in it.
    if status < FIRST_ERROR_STATUS or status in TRANSIENT_STATUSES:
        return TapError(
            f"CreateSession: HTTP {status}: {message}, even after {attempts} attempts; "
            "try again later"
        )
    remedy = "check role_arn, profile_arn, trust_anchor_arn and the certificate"
    for words, fitting in _CREATE_SESSION_REMEDIES:
        if words in message.lower():
            remedy = fitting
            break
    return TapError(f"CreateSession: HTTP {status}: {message}; {remedy}")


def explain_assume_role(
    error: Exception, *, attempts: int, auth_method: str, external_id: bool
) -> TapError:
    """Describe a failed AssumeRole of STS in one line.

    AWS does not say whether the role does not exist, its trust policy names somebody
    else, or the external ID is wrong.

    Args:
        error: What boto3 raised.
        attempts: Maximum attempts of a request.
        auth_method: The setting.
        external_id: Whether ``assume_role_external_id`` is set.

    Returns:
        The error to raise.
    """
    remedy = None
    if isinstance(error, ClientError):
        details: dict[str, t.Any] = error.response.get("Error", {})
        message = str(details.get("Message")).lower()
        for words, fitting in _ASSUME_ROLE_REMEDIES:
            if words in message:
                remedy = fitting
        denied = details.get("Code") in {"AccessDenied", "AccessDeniedException"}
        if denied and remedy is None:
            also = (
                " and assume_role_external_id"
                if external_id
                else ", whether the role requires an external ID"
            )
            remedy = (
                f"check assume_role_arn{also}, that a policy of this user or role "
                "allows sts:AssumeRole, and that the trust policy of assume_role_arn "
                "names it"
            )
    return explain(
        "AssumeRole", error, attempts=attempts, auth_method=auth_method, remedy=remedy
    )
