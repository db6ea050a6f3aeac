"""Wildcards of IAM policies: ``*`` for any text, ``?`` for one character."""

from __future__ import annotations

import functools
import re

_ARN_PARTS = 6


@functools.lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    expression = "".join(parts.get(each) or re.escape(each) for each in pattern)
    return re.compile(expression, re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Return whether a text matches a pattern. Upper and lower case differ."""
    return _compiled(pattern).fullmatch(text) is not None


def matches_arn(pattern: str, arn: str) -> bool:
    """Return whether an ARN matches a pattern.

    The six parts of an ARN are compared one by one, so that a wildcard in one does not
    reach into the next. Parts that the pattern lacks match anything, as in AWS.

    Args:
        pattern: The pattern: ``*`` or an ARN with wildcards.
        arn: The ARN, or ``*`` for an operation that has no resource. Only the pattern
            ``*`` matches that.
    """
    if pattern == "*":
        return True
    wanted, given = (each.split(":", _ARN_PARTS - 1) for each in (pattern, arn))
    wanted += ["*"] * (_ARN_PARTS - len(wanted))
    return len(given) == _ARN_PARTS and all(map(matches, wanted, given))
