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
    """Settings are missing or wrong: every fault, in one line."""

    def __init__(self, faults: list[str]) -> None:
        """Tell all faults at once.

        Args:
            faults: One clause each, with the name of the setting and without any
                secret value.
        """
        self.faults = faults
        super().__init__(f"Settings: {'; '.join(faults)}")
