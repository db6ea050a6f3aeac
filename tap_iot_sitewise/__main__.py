"""The command ``tap-iot-sitewise``, also as ``python -m tap_iot_sitewise``."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
import typing as t

if t.TYPE_CHECKING:
    from types import FrameType

_GRACE = 1.5
"""Seconds in which a stopped run may finish its line."""


def main() -> t.NoReturn:
    """Run the tap's command line, and end the process with its exit code."""
    # Until the tap is there to end in an orderly way: the import takes a moment, and
    # a traceback would be all that an interrupt leaves of it.
    signal.signal(signal.SIGINT, _end)
    signal.signal(signal.SIGTERM, _end)
    _end_in_any_case()
    from tap_iot_sitewise.tap import TapIoTSiteWise  # noqa: PLC0415

    try:
        TapIoTSiteWise.cli()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    else:
        code = 0
    # What Python does as it ends, but for freeing every object one by one: with the SDK
    # and boto3 loaded that takes as long as listing a small account.
    atexit._run_exitfuncs()  # noqa: SLF001 - there is no public name
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = 1
    sys.stderr.flush()
    os._exit(code)


def _end(signum: int, _frame: FrameType | None) -> t.NoReturn:
    os._exit(128 + signum)


def _end_in_any_case() -> None:
    """See to it that a signal ends the process, whatever its main thread waits for.

    Python runs a handler in the main thread, between two of its steps. Where that waits
    for a target that reads no more, or began to wait just as the signal came, there is
    no next step. The number of the signal goes into a pipe at once, from which a thread
    of its own reads it.
    """
    arrived, arrival = os.pipe()
    os.set_blocking(arrival, False)
    signal.set_wakeup_fd(arrival, warn_on_full_buffer=False)

    def wait() -> None:
        signum = os.read(arrived, 1)[0]
        time.sleep(_GRACE)
        os._exit(128 + signum)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    main()
