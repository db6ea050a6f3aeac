"""End the demo at the first signal, and ignore further ones.

Users often press Ctrl-C several times. The second one must not interrupt the clean-up.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import typing as t

if t.TYPE_CHECKING:
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
    """Exit if a signal arrived.

    Python ignores an exception that is raised in a finalizer, so the handler's exit may
    have been lost.

    Raises:
        SystemExit: A signal arrived.
    """
    if _received:
        sys.exit(128 + _received[0])


def _stop(number: int, _: FrameType | None) -> None:
    # Python removes its handlers before it exits. A signal would then end the process
    # with another exit code, so further signals are ignored.
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    _received.append(number)
    # Not with `print`: the signal may have interrupted a `print`.
    with contextlib.suppress(OSError):
        os.write(2, b"demo: stopping\n")
    raise_if_stopped()
