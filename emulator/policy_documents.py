"""Parse IAM policy documents, in the form that IAM accepts.

The form is described in "IAM JSON policy element reference" of the IAM User Guide. What
IAM refuses is refused, and so is what the emulator cannot evaluate.
"""

from __future__ import annotations

import re
import typing as t

from emulator import conditions
from emulator.conditions import PolicyError, members, strings
from emulator.policies import Policy, Statement

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_VERSIONS = ("2012-10-17", "2008-10-17")
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_STS_ACTION = re.compile(r"sts:[A-Za-z*?]+", re.IGNORECASE)
_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_ACCOUNT_ARN = re.compile(r"arn:(aws[a-z-]*):iam::([0-9]{12}):root")
_PRINCIPAL_ARN = re.compile(
    r"arn:(aws[a-z-]*):(?:iam::[0-9]{12}:(?:user|role)|sts::[0-9]{12}:assumed-role)"
    r"/[\w+=,.@/-]+",
    re.ASCII,
)
_ARN_WITH_ANY_SERVICE = re.compile(r"arn:[^:]*:[^:]*[*?]")
_SID = re.compile(r"[A-Za-z0-9]*")
_OTHER_PRINCIPALS = frozenset({"Service", "Federated"})


def parse_identity_policy(document: object, where: str = "policy") -> Policy:
    """Parse a policy that says what a user or role may do.

    Args:
        document: The policy document, decoded from JSON.
        where: Its place in a file, for messages.

    Raises:
        PolicyError: IAM would refuse it, or the emulator cannot evaluate it.
    """
    return tuple(
        _statement(each, at, principals=(), resources=_resources(each, at))
        for each, at in _statements(document, where)
    )


def parse_trust_policy(
    document: object, partition: str, where: str = "policy"
) -> Policy:
    """Parse a policy that says who may assume a role.

    Args:
        document: The policy document, decoded from JSON.
        partition: The partition of the role, such as ``aws``.
        where: Its place in a file, for messages.

    Raises:
        PolicyError: IAM would refuse it, or the emulator cannot evaluate it.
    """
    parsed = []
    for each, at in _statements(document, where):
        for member in ("Resource", "NotResource", "NotAction"):
            if member in each:
                msg = f"{at}: a trust policy must not have {member}"
                raise PolicyError(msg)
        principals = _principals(each.get("Principal"), partition, f"{at}.Principal")
        statement = _statement(each, at, principals=principals, resources=())
        for action in statement.actions:
            if not _STS_ACTION.fullmatch(action):
                msg = f"{at}.Action: a trust policy has actions of STS only: {action}"
                raise PolicyError(msg)
        parsed.append(statement)
    return tuple(parsed)


def _statements(document: object, where: str) -> Iterable[tuple[dict[str, t.Any], str]]:
    policy = members(document, where)
    _refuse_unknown(policy, {"Version", "Id", "Statement"}, where)
    version = policy.get("Version", "2008-10-17")
    if version not in _VERSIONS:
        msg = f"{where}.Version: use {_VERSIONS[0]}"
        raise PolicyError(msg)
    given = policy.get("Statement")
    listed = given if isinstance(given, list) else [given]
    if not listed:
        msg = f"{where}.Statement must not be empty"
        raise PolicyError(msg)
    found = [
        (members(each, at), at)
        for number, each in enumerate(listed)
        for at in [f"{where}.Statement[{number}]"]
    ]
    sids = [each["Sid"] for each, _ in found if "Sid" in each]
    for sid in sids:
        valid = isinstance(sid, str) and _SID.fullmatch(sid)
        if not valid or sids.count(sid) > 1:
            msg = f"{where}: the Sid {sid!r} must be unique, with letters and digits"
            raise PolicyError(msg)
    return found


def _refuse_unknown(given: Mapping[str, object], known: set[str], where: str) -> None:
    if unknown := sorted(set(given) - known):
        msg = f"{where} has unknown members: {', '.join(unknown)}"
        raise PolicyError(msg)


def _statement(
    given: dict[str, t.Any],
    where: str,
    *,
    principals: tuple[str, ...],
    resources: tuple[str, ...],
) -> Statement:
    known = {"Sid", "Effect", "Action", "NotAction", "Condition"}
    known |= {"Principal"} if principals else {"Resource", "NotResource"}
    _refuse_unknown(given, known, where)
    if given.get("Effect") not in {"Allow", "Deny"}:
        msg = f"{where}.Effect must be Allow or Deny"
        raise PolicyError(msg)
    member = _one_of(given, ("Action", "NotAction"), where)
    actions = strings(given[member], f"{where}.{member}")
    for action in actions:
        if not _ACTION.fullmatch(action):
            msg = f"{where}.{member}: {action!r} is not an action, such as sts:Assume*"
            raise PolicyError(msg)
    return Statement(
        given["Effect"] == "Allow",
        actions,
        member == "NotAction",
        resources,
        "NotResource" in given,
        principals,
        conditions.parse(given.get("Condition", {}), f"{where}.Condition"),
    )


def _one_of(given: Mapping[str, object], names: tuple[str, str], where: str) -> str:
    found = [each for each in names if each in given]
    if len(found) != 1:
        msg = f"{where} must have either {names[0]} or {names[1]}"
        raise PolicyError(msg)
    return found[0]


def _resources(given: dict[str, t.Any], where: str) -> tuple[str, ...]:
    member = _one_of(given, ("Resource", "NotResource"), where)
    resources = strings(given[member], f"{where}.{member}")
    for each in resources:
        if each != "*" and not each.startswith("arn:"):
            msg = f"{where}.{member}: {each!r} must be an ARN or *"
            raise PolicyError(msg)
        if _ARN_WITH_ANY_SERVICE.match(each):
            msg = f"{where}.{member}: {each!r} must not have a wildcard for the service"
            raise PolicyError(msg)
    return resources


def _principals(given: object, partition: str, where: str) -> tuple[str, ...]:
    """Return ARNs, account IDs and ``*``; services as they are, since none calls."""
    if given == "*":
        return ("*",)
    found: list[str] = []
    for kind, values in members(given, where).items():
        listed = strings(values, f"{where}.{kind}")
        if kind == "AWS":
            found += [_aws_principal(each, partition, where) for each in listed]
        elif kind in _OTHER_PRINCIPALS:
            found += [f"{kind}:{each}" for each in listed]
        else:
            msg = f"{where}: {kind} is unknown; use AWS, Service or Federated"
            raise PolicyError(msg)
    if not found:
        msg = f"{where} must not be empty"
        raise PolicyError(msg)
    return tuple(found)


def _aws_principal(value: str, partition: str, where: str) -> str:
    account = _ACCOUNT_ARN.fullmatch(value)
    arn = account or _PRINCIPAL_ARN.fullmatch(value)
    if arn is not None and arn[1] == partition:
        return account[2] if account else value
    if value == "*" or _ACCOUNT_ID.fullmatch(value):
        return value
    msg = (
        f"{where}: {value!r} is not a principal; use * or an account ID, or the ARN of "
        f"an account, user, role or session of the partition {partition}"
    )
    raise PolicyError(msg)
