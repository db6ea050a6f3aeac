"""The command ``tap-iot-sitewise``, also as ``python -m tap_iot_sitewise``."""

from __future__ import annotations

import os
import signal
import typing as t

if t.TYPE_CHECKING:
    from types import FrameType


def main() -> None:
    """Run the tap's command line."""
    # Until the tap is there to end in an orderly way: the import takes a moment, and
    # a traceback would be all that an interrupt leaves of it.
    signal.signal(signal.SIGINT, _end)
    signal.signal(signal.SIGTERM, _end)
    from tap_iot_sitewise.tap import TapIoTSiteWise  # noqa: PLC0415

    TapIoTSiteWise.cli()


def _end(signum: int, _frame: FrameType | None) -> t.NoReturn:
    os._exit(128 + signum)


if __name__ == "__main__":
    main()
