"""Roles that can be assumed, and callers of other accounts.

Their members have the names of IAM's API, and a policy document is the one that
CreateRole and PutRolePolicy accept.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from emulator.conditions import PolicyError, members
from emulator.keys import AccessKey
from emulator.policies import allow
from emulator.policy_documents import parse_identity_policy, parse_trust_policy

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from emulator.account import Account
    from emulator.policies import Policy

SHORTEST_MAXIMUM = 3600
LONGEST_MAXIMUM = 43200
_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_PATH = re.compile(r"/|/[!-\x7e]{1,510}/")
_ACCESS_KEY_ID = re.compile(r"\w{16,128}", re.ASCII)
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_CALLER_ARN = re.compile(
    r"arn:(aws[a-z-]*):iam::([0-9]{12}):(user|role)/(?:[!-\x7e]+/)?([\w+=,.@-]{1,64})",
    re.ASCII,
)
ROLE_MEMBERS = {
    "RoleName",
    "Path",
    "AssumeRolePolicyDocument",
    "MaxSessionDuration",
    "Policies",
}
CALLER_MEMBERS = {
    "Arn",
    "AccessKeyId",
    "SecretAccessKey",
    "SessionToken",
    "RoleSessionName",
    "Policies",
}


@dataclass(frozen=True)
class Role:
    """A role of the emulated account.

    Args:
        name: Its name.
        arn: Its ARN, with the path.
        trust: Says who may assume it.
        policies: Say what its sessions may do.
        maximum: The maximum duration of its sessions in seconds.
    """

    name: str
    arn: str
    trust: Policy
    policies: tuple[Policy, ...]
    maximum: int


@dataclass(frozen=True)
class Roles:
    """What a file of roles contains.

    Args:
        roles: The roles by ARN.
        callers: The keys of users and sessions of other accounts.
    """

    roles: Mapping[str, Role]
    callers: tuple[AccessKey, ...]


def read(content: object, account: Account, own_key: str) -> Roles:
    """Read roles and callers.

    Args:
        content: The object of a file, decoded from JSON: ``Roles`` and ``Callers``, as
            docs/emulator.md describes them.
        account: The account of the roles.
        own_key: Access key ID of the account's own user, which no caller may have.

    Raises:
        PolicyError: A member is missing, unknown or wrong.
    """
    given = _object(content, {"Roles", "Callers"}, "The file")
    roles = [
        _role(each, account, f"Roles[{number}]")
        for number, each in enumerate(_list(given.get("Roles", []), "Roles"))
    ]
    callers = [
        _caller(each, account, f"Callers[{number}]")
        for number, each in enumerate(_list(given.get("Callers", []), "Callers"))
    ]
    # IAM does not distinguish upper and lower case in the names of roles.
    _refuse_repeated([role.name.lower() for role in roles], "RoleName")
    _refuse_repeated([own_key, *(key.access_key_id for key in callers)], "AccessKeyId")
    return Roles({role.arn: role for role in roles}, tuple(callers))


def _role(content: object, account: Account, where: str) -> Role:
    given = _object(content, ROLE_MEMBERS, where)
    name = _text(given, "RoleName", _NAME, where)
    path = _text({"Path": "/", **given}, "Path", _PATH, where)
    maximum = given.get("MaxSessionDuration", SHORTEST_MAXIMUM)
    if type(maximum) is not int or not SHORTEST_MAXIMUM <= maximum <= LONGEST_MAXIMUM:
        msg = (
            f"{where}.MaxSessionDuration must be a number of seconds from "
            f"{SHORTEST_MAXIMUM} to {LONGEST_MAXIMUM}"
        )
        raise PolicyError(msg)
    if "AssumeRolePolicyDocument" not in given:
        msg = f"{where}.AssumeRolePolicyDocument is missing"
        raise PolicyError(msg)
    return Role(
        name,
        account.arn("iam", f"role{path}{name}"),
        parse_trust_policy(
            given["AssumeRolePolicyDocument"],
            account.partition,
            f"{where}.AssumeRolePolicyDocument",
        ),
        _policies(given, where) if "Policies" in given else (allow("iotsitewise:*"),),
        maximum,
    )


def _caller(content: object, account: Account, where: str) -> AccessKey:
    given = _object(content, CALLER_MEMBERS, where)
    arn = _text(given, "Arn", _CALLER_ARN, where)
    found = _CALLER_ARN.fullmatch(arn)
    if found is None or found[1] != account.partition or found[2] == account.account_id:
        msg = (
            f"{where}.Arn: {arn} must be a user or role of the partition "
            f"{account.partition} and of another account than {account.account_id}"
        )
        raise PolicyError(msg)
    partition, account_id, kind, name = found.groups()
    is_role = kind == "role"
    if is_role != ("SessionToken" in given):
        msg = f"{where}: SessionToken is for a role, whose keys are always temporary"
        raise PolicyError(msg)
    session = None
    if is_role or "RoleSessionName" in given:
        named = {"RoleSessionName": "emulator", **given}
        session = _text(named, "RoleSessionName", _SESSION_NAME, where)
    if session and not is_role:
        msg = f"{where}: RoleSessionName is for a role"
        raise PolicyError(msg)
    assumed = f"arn:{partition}:sts::{account_id}:assumed-role/{name}/{session}"
    return AccessKey(
        _text(given, "AccessKeyId", _ACCESS_KEY_ID, where),
        _text(given, "SecretAccessKey", None, where),
        _text(given, "SessionToken", None, where) if is_role else None,
        None,
        assumed if is_role else arn,
        _policies(given, where),
        arn if is_role else None,
    )


def _policies(given: Mapping[str, t.Any], where: str) -> tuple[Policy, ...]:
    return tuple(
        parse_identity_policy(each, f"{where}.Policies[{number}]")
        for number, each in enumerate(
            _list(given.get("Policies", []), f"{where}.Policies")
        )
    )


def _object(content: object, known: set[str], where: str) -> dict[str, t.Any]:
    given = members(content, where)
    if unknown := sorted(set(given) - known):
        msg = f"{where} has unknown members: {', '.join(unknown)}"
        raise PolicyError(msg)
    return given


def _list(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        msg = f"{where} must be a list"
        raise PolicyError(msg)
    return value


def _text(
    given: Mapping[str, object], member: str, form: re.Pattern[str] | None, where: str
) -> str:
    value = given.get(member)
    valid = isinstance(value, str) and value
    if not valid or (form and not form.fullmatch(str(value))):
        msg = f"{where}.{member} is missing or malformed"
        raise PolicyError(msg)
    return str(value)


def _refuse_repeated(values: list[str], member: str) -> None:
    for value in values:
        if values.count(value) > 1:
            msg = f"{member} {value} must be unique"
            raise PolicyError(msg)
