"""The command ``tap-iot-sitewise``, also as ``python -m tap_iot_sitewise``."""

from __future__ import annotations

# Only what signals need: until they are handled, an interrupt is Python's traceback.
import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import NoReturn

_GRACE = 1.5
"""Seconds in which a stopped run may finish its line."""


def main() -> NoReturn:
    """Run the tap's command line, and end the process with its exit code."""
    # Until the tap is there to end in an orderly way: the imports take a moment.
    _handle_signals(_end)
    from tap_iot_sitewise import standard_streams  # noqa: PLC0415

    standard_streams.prepare()
    _end_in_any_case()
    from tap_iot_sitewise.tap import TapIoTSiteWise  # noqa: PLC0415

    try:
        TapIoTSiteWise.cli()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception as error:  # noqa: BLE001 - the command reports all others
        _report_logging(error)
        code = 1
    else:
        code = 0
    # The exit code stands. Should the exit hang, the thread below ends the process.
    _handle_signals(_go_on)
    # What Python does as it ends, but for freeing every object one by one: with the SDK
    # and boto3 loaded that takes as long as listing a small account. stdout is flushed
    # by then, and stderr after each line of the log.
    import atexit  # noqa: PLC0415

    atexit._run_exitfuncs()  # noqa: SLF001 - there is no public name
    os._exit(code)


def _report_logging(error: Exception) -> None:
    """Report that the log cannot be set up, which the SDK 0.54 does first of all."""
    import logging  # noqa: PLC0415

    from singer_sdk.logging import DEFAULT_FORMAT  # noqa: PLC0415

    # Does nothing where there is a handler.
    logging.basicConfig(format=DEFAULT_FORMAT, style="{")
    logging.getLogger("tap-iot-sitewise").error(
        "SINGER_SDK_LOG_CONFIG or TAP_IOT_SITEWISE_LOGLEVEL: the log cannot be set up "
        "(%s)",
        " ".join(str(error).split()),
    )


def _handle_signals(handler: Callable[[int, FrameType | None], None]) -> None:
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, handler)


def _end(signum: int, _frame: FrameType | None) -> None:
    os._exit(128 + signum)


def _go_on(_signum: int, _frame: FrameType | None) -> None:
    """Do nothing; unlike SIG_IGN, a handler has the signal reach the thread below."""


def _end_in_any_case() -> None:
    """See to it that a signal ends the process, whatever its main thread waits for.

    Python runs a handler in the main thread, between two of its steps. Where that waits
    for a target that reads no more, or began to wait just as the signal came, there is
    no next step. The number of the signal goes into a pipe at once, from which a thread
    of its own reads it.
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
