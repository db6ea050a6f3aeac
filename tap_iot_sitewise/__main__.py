"""The command ``tap-iot-sitewise``, also as ``python -m tap_iot_sitewise``."""

from __future__ import annotations


def main() -> None:
    """Run the tap's command line."""
    from tap_iot_sitewise.tap import TapIoTSiteWise  # noqa: PLC0415

    TapIoTSiteWise.cli()


if __name__ == "__main__":
    main()
