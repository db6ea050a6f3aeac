"""AssumeRole and GetCallerIdentity of AWS STS.

The parameters are those of the service model. Users of AWS report these messages:
``The requested DurationSeconds exceeds ...``, ``Request ARN is invalid``, and ``User:
... is not authorized to perform: sts:AssumeRole on resource: ...``, which is the same
for a role that does not exist, a trust policy and an external ID. A session with a
source identity also needs ``sts:SetSourceIdentity`` in both policies ("Monitor and
control actions taken with assumed roles" in the IAM User Guide).
"""

from __future__ import annotations

import re
import time
import typing as t
from dataclasses import dataclass
from datetime import datetime, timezone
from http import HTTPStatus
from urllib.parse import parse_qsl

from emulator import errors
from emulator.keys import unique_id
from emulator.policies import Decision, decide, decide_trust

if t.TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from emulator.account import Account
    from emulator.keys import AccessKey, Keyring, Lifetime
    from emulator.roles import Role, Roles

SERVICE = "sts"
VERSION = "2011-06-15"
ASSUME_ROLE = "AssumeRole"
GET_CALLER_IDENTITY = "GetCallerIdentity"
OPERATIONS = (ASSUME_ROLE, GET_CALLER_IDENTITY)
SHORTEST_SESSION = 900
LONGEST_SESSION = 43200
LONGEST_CHAINED_SESSION = 3600
DEFAULT_SESSION = 3600

_ACTION = f"{SERVICE}:{ASSUME_ROLE}"
_SET_SOURCE_IDENTITY = f"{SERVICE}:SetSourceIdentity"
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/.*[^/]")
# What would change the session or the decision, and is not emulated.
_NOT_EMULATED = (
    "Policy",
    "PolicyArns",
    "ProvidedContexts",
    "SerialNumber",
    "SourceIdentity",
    "Tags",
    "TokenCode",
    "TransitiveTagKeys",
)


@dataclass(frozen=True)
class _Text:
    """A parameter: its name, limits and pattern in the service model."""

    name: str
    shortest: int
    longest: int
    pattern: str
    required: bool = True

    def problems(self, value: str | None) -> list[str]:
        at = self.name[0].lower() + self.name[1:]
        if value is None:
            rules = ["Member must not be null"] if self.required else []
        else:
            broken = {
                "satisfy regular expression pattern: " + self.pattern: not re.fullmatch(
                    self.pattern, value, re.ASCII
                ),
                f"have length greater than or equal to {self.shortest}": len(value)
                < self.shortest,
                f"have length less than or equal to {self.longest}": len(value)
                > self.longest,
            }
            rules = [f"Member must {rule}" for rule, is_so in broken.items() if is_so]
        return [_problem(value, at, rule) for rule in rules]


_PARAMETERS = (
    _Text(
        "RoleArn",
        20,
        2048,
        r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD"
        r"\u10000-\u10FFFF]+",
    ),
    _Text("RoleSessionName", 2, 64, r"[\w+=,.@-]*"),
    _Text("ExternalId", 2, 1224, r"[\w+=,.@:\/-]*", required=False),
)


def parameters(body: bytes) -> list[tuple[str, str]]:
    """Return the parameters in the body of a request, decoded and in their order."""
    return parse_qsl(body.decode(errors="replace"), keep_blank_values=True)


class Sts:
    """Answers the operations of STS.

    Args:
        account: The account and its Region.
        roles: The roles of the account.
        keys: The access keys, to which new credentials are added.
        lifetime: The lifetime of the credentials of AssumeRole.
    """

    def __init__(
        self, account: Account, roles: Roles, keys: Keyring, lifetime: Lifetime
    ) -> None:
        """Keep the arguments."""
        self._account = account
        self._roles = roles.roles
        self._keys = keys
        self._lifetime = lifetime

    def answer(
        self,
        given: Mapping[str, str],
        key: AccessKey,
        *,
        secure: bool,
        denied: Collection[str],
    ) -> tuple[str, dict[str, object]]:
        """Answer a request.

        Args:
            given: The parameters.
            key: The access key that signed it.
            secure: Whether it uses TLS.
            denied: IAM actions that are denied to everybody.

        Returns:
            The name of the operation, and its result.

        Raises:
            ApiError: AWS answers with this error.
        """
        action = given.get("Action")
        version = given.get("Version", "NO_VERSION_SPECIFIED")
        if not action:
            msg = "Missing Action"
            raise _bad_request(msg, code="MissingAction")
        if action not in OPERATIONS or version != VERSION:
            msg = f"Could not find operation {action} for version {version}"
            raise _bad_request(msg, code="InvalidAction")
        if action == GET_CALLER_IDENTITY:
            # Needs no permission, and no policy can deny it.
            return action, {
                "Arn": key.principal_arn,
                "UserId": key.user_id,
                "Account": key.account_id,
            }
        duration = _check(given)
        context = key.context(
            self._account.region,
            secure=secure,
            ExternalId=given.get("ExternalId"),
            RoleSessionName=given["RoleSessionName"],
        )
        role_arn = given["RoleArn"]
        self._authorize(_ACTION, role_arn, key, context, denied)
        if key.source_identity:
            self._authorize(_SET_SOURCE_IDENTITY, role_arn, key, context, denied)
        role = self._roles[role_arn]
        _check_duration(duration, role, key)
        return action, self._session(role, given["RoleSessionName"], duration, key)

    def _authorize(
        self,
        action: str,
        role_arn: str,
        key: AccessKey,
        context: Mapping[str, str],
        denied: Collection[str],
    ) -> None:
        """Check that both policies let the caller assume the role.

        In one account, a trust policy that names the caller is enough to assume a role.
        For the callers of another account, or if it names the account, the caller's own
        policies have to allow it, too.
        """
        role = self._roles.get(role_arn)
        trust = identity = Decision.NOT_ALLOWED
        if role is not None:
            # A role stands for all its sessions.
            callers = {key.principal_arn, key.entity_arn, "*"}
            trust = decide_trust(role.trust, action, callers, context)
        if key.policies is None:
            identity = Decision.ALLOWED
        else:
            identity = decide(key.policies, action, role_arn, context)
        if Decision.DENIED in {trust, identity}:
            own = identity is Decision.DENIED
            kind = "an identity-based policy" if own else "a resource-based policy"
            raise _not_authorized(key, action, role_arn, kind)
        named = trust is Decision.ALLOWED and key.account_id == self._account.account_id
        trusted = trust in {Decision.ALLOWED, Decision.ALLOWED_TO_ACCOUNT}
        if action in denied or not (
            (named and action == _ACTION) or (trusted and identity is Decision.ALLOWED)
        ):
            raise _not_authorized(key, action, role_arn)

    def _session(
        self, role: Role, name: str, duration: int, source: AccessKey
    ) -> dict[str, object]:
        real, reported = self._lifetime.seconds(duration)
        assumed = self._account.arn("sts", f"assumed-role/{role.name}/{name}")
        key = self._keys.issue_session(
            assumed,
            real,
            role.policies,
            role_arn=role.arn,
            source_identity=source.source_identity,
        )
        expiration = datetime.fromtimestamp(time.time() + reported, timezone.utc)
        return {
            "AssumedRoleUser": {
                "AssumedRoleId": f"{unique_id(role.arn)}:{name}",
                "Arn": assumed,
            },
            "Credentials": {
                "AccessKeyId": key.access_key_id,
                "SecretAccessKey": key.secret_access_key,
                "SessionToken": key.session_token,
                "Expiration": f"{expiration:%Y-%m-%dT%H:%M:%SZ}",
            },
        }


def _bad_request(message: str, code: str = "ValidationError") -> errors.ApiError:
    return errors.ApiError(code, message, HTTPStatus.BAD_REQUEST)


def _not_authorized(
    key: AccessKey, action: str, role_arn: str, denied_by: str | None = None
) -> errors.ApiError:
    message = (
        f"User: {key.principal_arn} is not authorized to perform: {action} "
        f"on resource: {role_arn}"
    )
    if denied_by:
        message += f" with an explicit deny in {denied_by}"
    return errors.ApiError("AccessDenied", message, HTTPStatus.FORBIDDEN)


def _problem(value: str | None, at: str, rule: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{at}' failed to satisfy constraint: {rule}"


def _check(given: Mapping[str, str]) -> int:
    """Check the parameters, and return the duration in seconds."""
    problems = [
        problem
        for parameter in _PARAMETERS
        for problem in parameter.problems(given.get(parameter.name))
    ]
    sent = given.get("DurationSeconds", str(DEFAULT_SESSION))
    if not re.fullmatch("-?[0-9]{1,9}", sent):
        problems.append(_problem(sent, "durationSeconds", "Member must be an integer"))
    elif int(sent) < SHORTEST_SESSION:
        rule = f"Member must have value greater than or equal to {SHORTEST_SESSION}"
        problems.append(_problem(sent, "durationSeconds", rule))
    elif int(sent) > LONGEST_SESSION:
        rule = f"Member must have value less than or equal to {LONGEST_SESSION}"
        problems.append(_problem(sent, "durationSeconds", rule))
    if problems:
        number = len(problems)
        detected = f"{number} validation error{'s' * (number > 1)} detected: "
        raise _bad_request(detected + "; ".join(problems))
    if not _ROLE_ARN.fullmatch(given["RoleArn"]):
        msg = "Request ARN is invalid"
        raise _bad_request(msg)
    for name in _NOT_EMULATED:
        if any(each == name or each.startswith(f"{name}.") for each in given):
            msg = f"The emulator does not support the parameter {name}"
            raise _bad_request(msg)
    return int(sent)


def _check_duration(duration: int, role: Role, key: AccessKey) -> None:
    if key.is_session and duration > LONGEST_CHAINED_SESSION:
        msg = (
            "The requested DurationSeconds exceeds the 1 hour session limit for roles "
            "assumed by role chaining."
        )
        raise _bad_request(msg)
    if duration > role.maximum:
        msg = (
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this "
            "role."
        )
        raise _bad_request(msg)
