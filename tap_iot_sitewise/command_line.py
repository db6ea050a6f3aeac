"""The command line: the SDK's command, with every failure as one ERROR line."""

from __future__ import annotations

import json
import logging
import re
import sys
import typing as t
import warnings

import click
from singer_sdk.plugin_base import SingerCommand

from tap_iot_sitewise import redaction, settings_warnings
from tap_iot_sitewise.errors import TapError
from tap_iot_sitewise.singer.tap import SingerTap, Stopped

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

_CONFIG_FILES = "tap-iot-sitewise.config-files"


class CommandLineTap(SingerTap):
    """A tap with the SDK's command line, and with an error line for each failure."""

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        redaction.install()
        command = super().get_singer_command()
        return _Command.of(command, cls.logger)

    @classmethod
    @override
    def cb_config(cls, ctx: t.Any, param: t.Any, value: tuple[str, ...]) -> t.Any:
        try:
            given = super().cb_config(ctx, param, value)
        except (OSError, ValueError, TypeError, RecursionError) as error:
            # The value can be the settings themselves, secrets included, in place of a
            # file name.
            inline = any(re.search(r"[{=\n]|: ", text) for text in value)
            # The SDK 0.54 ends its text with a full stop.
            text = str(error).removesuffix(".")
            reason = "the value is not a file name" if inline else text
            msg = f"--config: {reason}; pass the name of a JSON file, or ENV"
            raise TapError(msg) from None if inline else error
        ctx.meta[_CONFIG_FILES] = [path for path in value if path != "ENV"]
        return given

    @classmethod
    @override
    def invoke(  # type: ignore[override]  # like the SDK's own tap
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: t.Any = None,
        state: t.IO[str] | None = None,
        catalog: t.IO[str] | None = None,
    ) -> None:
        """Run the tap.

        Unlike the SDK 0.54, the tap names the catalog or the state that is not valid
        JSON, and writes the records that it extracted before a failure.
        """
        if about:
            cls.print_about(about_format)
            return
        cls.print_version(print_fn=cls.logger.info)
        if settings_warnings.secret_values(config.config):
            for path in click.get_current_context().meta[_CONFIG_FILES]:
                settings_warnings.warn_of_readers("--config", path, cls.logger)
        tap = cls(
            config=config.config,
            state=_read_json("--state", state),
            catalog=_read_json("--catalog", catalog),
            parse_env_config=config.parse_env,
        )
        try:
            tap.sync_all()
        finally:
            tap.message_writer.flush()


def _hide_lost_stop(lost: sys.UnraisableHookArgs) -> None:
    """Print an exception that Python ignores, unless it is that of a signal.

    Python ignores exceptions in a finalizer, for example in that of simpleeval 1.0. If
    a signal arrives there, the message writer raises its exception at the next message.
    """
    if not isinstance(lost.exc_value, Stopped):
        sys.__unraisablehook__(lost)


def _read_json(option: str, file: t.IO[str] | None) -> t.Any:  # noqa: ANN401
    if file is None:
        return None
    # Read bytes: JSON is UTF-8 in every locale, with or without a byte order mark.
    try:
        return json.loads(t.cast("t.TextIO", file).buffer.read())
    except OSError as error:
        msg = (
            f"{option}: cannot read {file.name} ({error.strerror}); check the path and "
            "its permissions"
        )
        raise TapError(msg) from error
    except (ValueError, RecursionError) as error:
        msg = (
            f"{option}: {file.name} is not valid JSON ({error}); correct the file, or "
            f"run without {option}"
        )
        raise TapError(msg) from error


class _Command(SingerCommand):
    """The SDK's command. Every failure is one ERROR line and exit code 1."""

    @classmethod
    def of(cls, command: click.Command, logger: logging.Logger) -> _Command:
        """Create a command with the options of the SDK's command."""
        return cls(
            name=command.name,
            callback=command.callback,
            context_settings=command.context_settings,
            params=command.params,
            help=command.help,
            logger=logger,
        )

    @override
    def main(self, *args: t.Any, **extra: t.Any) -> t.Any:
        # This package decides which versions of Python it supports. The SDK 0.54 warns
        # about 3.10 in every run.
        warnings.filterwarnings("ignore", message=r"Python 3\.\d+ .*end of life")
        if not extra.get("standalone_mode", True):
            return super().main(*args, **extra)
        sys.unraisablehook = _hide_lost_stop
        try:
            # In standalone mode, click prints several lines for a wrong option.
            code = super().main(*args, **{**extra, "standalone_mode": False})
            sys.stdout.flush()
        except Stopped as stop:
            self.logger.error(  # noqa: TRY400 - a signal needs no traceback
                "Stopped by %s; the output is incomplete", stop.signal_name
            )
            raise
        except Exception as error:  # noqa: BLE001 - the last handler
            self._report(error)
            sys.exit(1)
        sys.exit(code if isinstance(code, int) else 0)

    @override
    def invoke(self, ctx: click.Context) -> t.Any:
        logging.captureWarnings(capture=True)
        return click.Command.invoke(self, ctx)

    def _report(self, error: Exception) -> None:
        if isinstance(error, click.ClickException):
            text = error.format_message()
        elif isinstance(error, TapError):
            text = str(error)
        else:
            text = f"{type(error).__name__}: {error}"
        self.logger.error(" ".join(text.split()))
        self.logger.debug("Traceback", exc_info=error)
