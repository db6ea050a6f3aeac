"""Handles the limit of records per stream, which ``--test`` sets."""

from __future__ import annotations

import sys
import typing as t

from singer_sdk.exceptions import (
    AbortedSyncFailedException,
    AbortedSyncPausedException,
)
from singer_sdk.metrics import Status, Tag, Timer

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if t.TYPE_CHECKING:
    from types import TracebackType

LIMIT_REACHED = (AbortedSyncFailedException, AbortedSyncPausedException)
"""Exceptions of the SDK for a stream that reached its limit of records."""


class LimitTimer(Timer):
    """Reports success when a stream reaches its limit. The SDK 0.54 reports failure."""

    @override
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        if isinstance(exc_val, LIMIT_REACHED):
            self.tags[Tag.STATUS] = Status.SUCCEEDED
        super().__exit__(exc_type, exc_val, exc_tb)
