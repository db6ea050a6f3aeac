"""What the tap says when it cannot go on."""

from __future__ import annotations


class TapError(Exception):
    """A failure told in one line: what was done, what went wrong, what to do.

    The command prints the line as its one ERROR and ends with exit code 1; the
    traceback of the cause follows at DEBUG only.
    """


class NotFoundError(TapError):
    """The API knows no such resource: it was deleted since it was listed."""


class SettingsError(TapError):
    """Settings are missing or wrong: every problem, in one line."""

    def __init__(self, problems: list[str]) -> None:
        """Tell all problems at once.

        Args:
            problems: One clause each, with the name of the setting and without any
                secret value.
        """
        self.problems = problems
        super().__init__(f"Settings: {'; '.join(problems)}")
