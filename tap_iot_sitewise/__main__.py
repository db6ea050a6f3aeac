"""The command ``tap-iot-sitewise``, also as ``python -m tap_iot_sitewise``."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import typing as t

if t.TYPE_CHECKING:
    from types import FrameType


def main() -> t.NoReturn:
    """Run the tap's command line, and end the process with its exit code."""
    # Until the tap is there to end in an orderly way: the import takes a moment, and
    # a traceback would be all that an interrupt leaves of it.
    signal.signal(signal.SIGINT, _end)
    signal.signal(signal.SIGTERM, _end)
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


if __name__ == "__main__":
    main()
