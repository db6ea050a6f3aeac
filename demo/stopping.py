"""Signals: the first one ends the demo, further ones change nothing.

Users who wait for the end press Ctrl-C again. If each one interrupted the demo, the
second would interrupt the clean-up that the first had started.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_received: list[int] = []


def handle_signals() -> None:
    """Exit with 128 plus the signal's number at SIGINT, SIGTERM or SIGHUP.

    A signal that is ignored stays ignored, as in a background job or under nohup.
    """
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def raise_if_stopped() -> None:
    """Raise the exit again if a signal arrived.

    Python drops an exception that is raised while it runs a finalizer, and so the
    handler's too.

    Raises:
        SystemExit: A signal arrived.
    """
    if _received:
        sys.exit(128 + _received[0])


def _stop(number: int, _: FrameType | None) -> None:
    # Ignored, not handled: Python takes its handlers away before it exits, and a signal
    # would then end the process with another exit code.
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    _received.append(number)
    # Not with `print`, which may be what the signal interrupted.
    with contextlib.suppress(OSError):
        os.write(2, b"demo: stopping\n")
    raise_if_stopped()
