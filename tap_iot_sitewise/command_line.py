"""The command line: the SDK's command, with one way to fail."""

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
    """A tap with the command line of the SDK, and with the tap's errors."""

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
            # What is given in a file's place can be the settings, keys and all.
            inline = any(re.search(r"[{=\n]|: ", text) for text in value)
            msg = f"--config: {'not a file' if inline else error}"
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

        Unlike in the SDK 0.54, an error names a catalog or a state that is not JSON,
        and what was extracted is written also where the run then fails.
        """
        if about:
            cls.print_about(about_format)
            return
        cls.print_version(print_fn=cls.logger.info)
        if settings_warnings.secrets_in(config.config):
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


def _read_json(option: str, file: t.IO[str] | None) -> t.Any:  # noqa: ANN401
    if file is None:
        return None
    # Bytes: JSON is in UTF-8 whatever the locale says, with or without a mark of it.
    try:
        return json.loads(t.cast("t.TextIO", file).buffer.read())
    except OSError as error:
        msg = f"{option}: cannot read {file.name} ({error.strerror})"
        raise TapError(msg) from error
    except (ValueError, RecursionError) as error:
        msg = f"{option}: {file.name} is not JSON ({error})"
        raise TapError(msg) from error


class _Command(SingerCommand):
    """The SDK's command, with one way to fail: one ERROR line and exit code 1."""

    @classmethod
    def of(cls, command: click.Command, logger: logging.Logger) -> _Command:
        """Make it with the options of the SDK's command."""
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
        # This package decides which Pythons it supports; the SDK 0.54 warns of 3.10 in
        # every run.
        warnings.filterwarnings("ignore", message=r"Python 3\.\d+ .*end of life")
        if not extra.get("standalone_mode", True):
            return super().main(*args, **extra)
        try:
            # Not standalone: a wrong option is a failure like any other, in one line.
            code = super().main(*args, **{**extra, "standalone_mode": False})
            sys.stdout.flush()
        except Stopped as stop:
            self.logger.error(  # noqa: TRY400 - no traceback of a signal
                "Stopped by %s; the output is incomplete", stop.signal_name
            )
            raise
        except Exception as error:  # noqa: BLE001 - the one place where all end
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
