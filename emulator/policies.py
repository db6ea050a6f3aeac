"""IAM policies: what they say about a request.

The rules are in "Policy evaluation logic" and "AWS JSON policy elements: Principal" of
the IAM User Guide.
"""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass

from emulator.wildcards import matches, matches_arn

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from emulator.conditions import Condition


class Decision(enum.Enum):
    """What policies say about a request."""

    DENIED = enum.auto()
    """A statement denies it, whatever others allow."""
    ALLOWED = enum.auto()
    """A statement allows it, in a trust policy for this very principal or for all."""
    ALLOWED_TO_ACCOUNT = enum.auto()
    """A trust policy allows it to the account, which has to allow it to its user."""
    NOT_ALLOWED = enum.auto()
    """No statement applies."""


@dataclass(frozen=True)
class Statement:
    """A statement of a policy.

    Args:
        allows: Whether its effect is Allow.
        actions: Patterns of the actions.
        not_actions: Whether it applies to all other actions.
        resources: Patterns of the resources; empty in a trust policy.
        not_resources: Whether it applies to all other resources.
        principals: ARNs and account IDs, or ``*``; empty in an identity-based policy.
        conditions: All have to be met.
    """

    allows: bool
    actions: tuple[str, ...]
    not_actions: bool
    resources: tuple[str, ...]
    not_resources: bool
    principals: tuple[str, ...]
    conditions: tuple[Condition, ...]

    def applies(self, action: str, context: Mapping[str, str]) -> bool:
        """Return whether it applies to an action with the values of a request."""
        # IAM does not distinguish upper and lower case in actions.
        named = any(matches(each.lower(), action.lower()) for each in self.actions)
        return named != self.not_actions and all(
            each.met(context) for each in self.conditions
        )

    def covers(self, resource: str) -> bool:
        """Return whether it applies to a resource."""
        named = any(matches_arn(each, resource) for each in self.resources)
        return named != self.not_resources


Policy: t.TypeAlias = tuple[Statement, ...]


def decide(
    policies: Iterable[Policy], action: str, resource: str, context: Mapping[str, str]
) -> Decision:
    """Return what identity-based policies say about a request.

    Args:
        policies: The policies.
        action: The action, such as ``iotsitewise:ListPortals``.
        resource: The ARN of the resource, or ``*``.
        context: The values of the request by condition key in lower case.
    """
    effects = {
        each.allows
        for policy in policies
        for each in policy
        if each.applies(action, context) and each.covers(resource)
    }
    if False in effects:
        return Decision.DENIED
    return Decision.ALLOWED if effects else Decision.NOT_ALLOWED


def decide_trust(
    policy: Policy, action: str, callers: Collection[str], context: Mapping[str, str]
) -> Decision:
    """Return what the trust policy of a role says about a request.

    Args:
        policy: The trust policy.
        action: The action, such as ``sts:AssumeRole``.
        callers: The principals that name the caller, the account not among them.
        context: The values of the request by condition key in lower case.
    """
    found = set()
    for statement in policy:
        if statement.applies(action, context):
            named = not set(callers).isdisjoint(statement.principals)
            if named or context["aws:principalaccount"] in statement.principals:
                allowed = Decision.ALLOWED if named else Decision.ALLOWED_TO_ACCOUNT
                found.add(allowed if statement.allows else Decision.DENIED)
    order = (Decision.DENIED, Decision.ALLOWED, Decision.ALLOWED_TO_ACCOUNT)
    return next((each for each in order if each in found), Decision.NOT_ALLOWED)


def allow(*actions: str) -> Policy:
    """Return a policy that allows actions on all resources."""
    return (Statement(True, actions, False, ("*",), False, (), ()),)  # noqa: FBT003
