"""Wildcards of IAM policies: ``*`` for any text, ``?`` for one character."""

from __future__ import annotations

import functools
import re

_ARN_PARTS = 6


@functools.lru_cache(maxsize=4096)
def _compiled(pattern: str, *, arn: bool) -> re.Pattern[str]:
    within = "[^:]" if arn else "."
    expression = ""
    for place, character in enumerate(pattern):
        if character == "?":
            expression += within
        elif character == "*":
            ends_part = pattern[place + 1 : place + 2] in {"", ":"}
            expression += ".*" if ends_part else f"{within}*"
        else:
            expression += re.escape(character)
    return re.compile(expression, re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Return whether a text matches a pattern. Upper and lower case differ."""
    return _compiled(pattern, arn=False).fullmatch(text) is not None


def matches_arn(pattern: str, arn: str) -> bool:
    """Return whether an ARN matches a pattern.

    A wildcard does not reach beyond a colon, except for a ``*`` at the end of a part.
    Parts that the pattern lacks match anything. So does IAM, according to its page "IAM
    JSON policy elements: Resource".

    Args:
        pattern: The pattern: ``*`` or an ARN with wildcards.
        arn: The ARN, or ``*`` for an operation that has no resource. Only the pattern
            ``*`` matches that.
    """
    missing = _ARN_PARTS - len(pattern.split(":"))
    if pattern != "*" and missing > 0:
        pattern += ":*" * missing
    return _compiled(pattern, arn=True).fullmatch(arn) is not None
