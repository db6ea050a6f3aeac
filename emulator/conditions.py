"""The element ``Condition`` of IAM policies.

The operators and keys are described in "IAM JSON policy elements: Condition operators"
and "AWS global condition context keys" of the IAM User Guide.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from emulator.wildcards import matches, matches_arn

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KEYS = (
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:RequestedRegion",
    "aws:SecureTransport",
    "aws:SourceAccount",
    "aws:SourceArn",
    "sts:ExternalId",
    "sts:RoleSessionName",
)
"""The condition keys. Services send ``aws:SourceAccount`` and ``aws:SourceArn``, so the
requests of users and roles never have them."""

TAG_PREFIX = "aws:PrincipalTag/"
"""Begins the keys for tags. No principal of the emulator has tags."""

_IF_EXISTS = "IfExists"
_NULL = "Null"
_BOOLEANS = frozenset({"true", "false"})


class PolicyError(ValueError):
    """A policy that AWS would refuse, or that the emulator cannot evaluate."""


def _same(pattern: str, value: str) -> bool:
    return pattern == value


def _same_in_any_case(pattern: str, value: str) -> bool:
    return pattern.lower() == value.lower()


# Whether a value of the policy and the value of a request match, and whether the
# operator is true when none of them does.
_OPERATORS: dict[str, tuple[Callable[[str, str], bool], bool]] = {
    "StringEquals": (_same, False),
    "StringNotEquals": (_same, True),
    "StringEqualsIgnoreCase": (_same_in_any_case, False),
    "StringNotEqualsIgnoreCase": (_same_in_any_case, True),
    "StringLike": (matches, False),
    "StringNotLike": (matches, True),
    "ArnEquals": (matches_arn, False),
    "ArnNotEquals": (matches_arn, True),
    "ArnLike": (matches_arn, False),
    "ArnNotLike": (matches_arn, True),
    "Bool": (_same_in_any_case, False),
    _NULL: (_same_in_any_case, False),
}


@dataclass(frozen=True)
class Condition:
    """One key of one operator.

    Args:
        operator: The operator, such as ``StringEquals``, without ``IfExists``.
        key: The condition key in lower case.
        values: The values of the policy, of which one has to match.
        if_exists: Whether a request without the key meets the condition.
    """

    operator: str
    key: str
    values: tuple[str, ...]
    if_exists: bool

    def met(self, context: Mapping[str, str]) -> bool:
        """Return whether a request meets the condition.

        Args:
            context: The values of the request by condition key in lower case.
        """
        match, negated = _OPERATORS[self.operator]
        value = context.get(self.key)
        if self.operator == _NULL:
            value = "true" if value is None else "false"
        elif value is None:
            return negated or self.if_exists
        return any(match(each, value) for each in self.values) != negated


def parse(element: object, where: str) -> tuple[Condition, ...]:
    """Parse an element ``Condition``.

    Args:
        element: Its content.
        where: Its place in the file, for messages.

    Raises:
        PolicyError: It is malformed, or has an unknown operator or key.
    """
    found = []
    for operator, pairs in members(element, where).items():
        at = f"{where}.{operator}"
        name = operator.removesuffix(_IF_EXISTS)
        if name not in _OPERATORS or operator == _NULL + _IF_EXISTS:
            known = ", ".join(_OPERATORS)
            msg = f"{at}: the operator is unknown; use one of {known}"
            raise PolicyError(msg)
        for key, values in members(pairs, at).items():
            _check_key(key, at)
            texts = strings(values, f"{at}.{key}", scalars=True)
            if name in {"Bool", _NULL} and not _BOOLEANS.issuperset(texts):
                msg = f"{at}.{key} must be true or false"
                raise PolicyError(msg)
            found.append(Condition(name, key.lower(), texts, operator != name))
    return tuple(found)


def _check_key(key: str, where: str) -> None:
    known = {each.lower() for each in KEYS}
    if key.lower() not in known and not key.lower().startswith(TAG_PREFIX.lower()):
        msg = f"{where}: the key {key} is unknown; use one of {', '.join(KEYS)}"
        raise PolicyError(msg)


def members(value: object, where: str) -> dict[str, t.Any]:
    """Return a JSON object.

    Raises:
        PolicyError: It is another value.
    """
    if not isinstance(value, dict):
        msg = f"{where} must be an object"
        raise PolicyError(msg)
    return value


def strings(value: object, where: str, *, scalars: bool = False) -> tuple[str, ...]:
    """Return the values of a string or a list of strings.

    Args:
        value: The string or the list.
        where: Its place in the file, for messages.
        scalars: Whether numbers and booleans stand for their text.

    Raises:
        PolicyError: It is another value, an empty list, or has a policy variable.
    """
    listed = value if isinstance(value, list) else [value]
    if scalars:
        listed = [
            str(each).lower() if isinstance(each, bool | int | float) else each
            for each in listed
        ]
    texts = tuple(each for each in listed if isinstance(each, str))
    if not texts or len(texts) < len(listed):
        msg = f"{where} must be a string or a list of strings"
        raise PolicyError(msg)
    for each in texts:
        if "${" in each:
            msg = f"{where}: the emulator has no policy variables, such as {each}"
            raise PolicyError(msg)
    return texts
