"""The command ``tap-iot-sitewise``, also as ``python -m tap_iot_sitewise``."""

from __future__ import annotations

# Only what the signal handlers need: before they are set, an interrupt prints a
# traceback.
import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import NoReturn

_GRACE = 1.5
"""Seconds that a stopped run gets to finish its line."""


def main() -> NoReturn:
    """Run the tap's command line, and end the process with its exit code."""
    # The imports take a moment. Until they are done, a signal ends the process at once.
    _handle_signals(_end)
    from tap_iot_sitewise import standard_streams  # noqa: PLC0415

    standard_streams.prepare()
    _end_in_any_case()
    from tap_iot_sitewise.tap import TapIoTSiteWise  # noqa: PLC0415

    try:
        TapIoTSiteWise.cli()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception as error:  # noqa: BLE001 - the command reports all other errors
        _report_logging(error)
        code = 1
    else:
        code = 0
    # The exit code is final. If the exit hangs, the thread below ends the process.
    _handle_signals(_go_on)
    # Do what Python does at exit, except for freeing every object: with the SDK and
    # boto3 loaded, that takes as long as listing a small account. stdout is flushed at
    # this point, and the log flushes stderr after each line.
    import atexit  # noqa: PLC0415

    atexit._run_exitfuncs()  # noqa: SLF001 - there is no public name
    os._exit(code)


def _report_logging(error: Exception) -> None:
    """Report that the SDK cannot set up the log (its first step in 0.54)."""
    import logging  # noqa: PLC0415

    from singer_sdk.logging import DEFAULT_FORMAT  # noqa: PLC0415

    # Does nothing if the root logger already has a handler.
    logging.basicConfig(format=DEFAULT_FORMAT, style="{")
    logging.getLogger("tap-iot-sitewise").error(
        "SINGER_SDK_LOG_CONFIG or TAP_IOT_SITEWISE_LOGLEVEL: cannot set up the log "
        "(%s); correct or unset the variable",
        " ".join(str(error).split()),
    )


def _handle_signals(handler: Callable[[int, FrameType | None], None]) -> None:
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, handler)


def _end(signum: int, _frame: FrameType | None) -> None:
    os._exit(128 + signum)


def _go_on(_signum: int, _frame: FrameType | None) -> None:
    """Do nothing. Unlike with SIG_IGN, the signal still wakes the thread below."""


def _end_in_any_case() -> None:
    """Make sure that a signal ends the process, even if its main thread is blocked.

    Python runs a signal handler in the main thread, between two of its instructions.
    While the main thread waits for a target that stopped reading, there is no next
    instruction. Python also writes the number of the signal to a pipe, at once. A
    separate thread reads the pipe and ends the process.
    """
    import threading  # noqa: PLC0415
    import time  # noqa: PLC0415

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
