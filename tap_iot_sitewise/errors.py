"""The errors of the tap."""

from __future__ import annotations


class TapError(Exception):
    """A failure in one line: operation or setting, what is wrong, what to do.

    The command logs the line as its only ERROR and ends with exit code 1. It logs the
    traceback at DEBUG only.
    """


class NotFoundError(TapError):
    """The API has no such resource: it was deleted after the tap listed it."""


class SettingsError(TapError):
    """Settings are missing or wrong: every problem, in one line."""

    def __init__(self, problems: list[str]) -> None:
        """Report all problems at once.

        Args:
            problems: One clause for each problem, with the name of the setting and
                without secret values.
        """
        self.problems = problems
        super().__init__(f"Settings: {'; '.join(problems)}")
