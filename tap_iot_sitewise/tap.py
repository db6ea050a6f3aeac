"""The tap: settings in, catalog and messages out, and how it ends."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import re
import signal
import sys
import time
import typing as t
import warnings
from urllib.parse import urlsplit

import click
from singer_sdk import Tap
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.plugin_base import SingerCommand

from tap_iot_sitewise import redaction, settings
from tap_iot_sitewise.catalog import check_catalog, check_state
from tap_iot_sitewise.entities import rfc3339
from tap_iot_sitewise.errors import SettingsError, TapError
from tap_iot_sitewise.messages import MessageWriter
from tap_iot_sitewise.streams import STREAMS, SiteWiseStream

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if t.TYPE_CHECKING:
    from types import FrameType

    import boto3

    from tap_iot_sitewise.client import Client

_BOOLEANS = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}

_READERS: dict[str, t.Callable[[str], t.Any]] = {
    "integer": int,
    "number": float,
    "boolean": lambda text: _BOOLEANS[text.strip().lower()],
    "object": json.loads,
}
"""How the text of a variable is read, by the JSON type of its setting."""

_CONFIG_FILES = "tap-iot-sitewise.config-files"


class Stopped(SystemExit):
    """A signal ended the run; the exit code says which."""

    def __init__(self, signum: int) -> None:
        """Make it from the number of the signal."""
        super().__init__(128 + signum)
        self.signal_name = signal.Signals(signum).name


class TapIoTSiteWise(Tap):
    """Singer tap for AWS IoT SiteWise."""

    name = "tap-iot-sitewise"
    config_jsonschema = settings.SCHEMA
    message_writer_class = MessageWriter
    message_writer: MessageWriter

    def __init__(self, **arguments: t.Any) -> None:  # noqa: ANN401
        """Make the tap; nothing is called yet.

        Args:
            arguments: Those of the SDK's tap: config, catalog, state and so on.

        Raises:
            SettingsError: With ``validate_config`` (the default): every fault of the
                settings, and of the files that they name.
            TapError: The catalog or the state cannot be used.
        """
        catalog, state = arguments.pop("catalog", None), arguments.pop("state", None)
        if catalog is not None:
            given = catalog.to_dict() if hasattr(catalog, "to_dict") else catalog
            catalog = check_catalog(given, self.logger)
        super().__init__(
            catalog=catalog, state=check_state(state, self.logger), **arguments
        )
        self.began_at = time.monotonic()

    @override
    def discover_streams(self) -> list[SiteWiseStream]:
        return [stream(self) for stream in STREAMS]

    @functools.cached_property
    def client(self) -> Client:
        """Client of SiteWise, made when the first stream needs it."""
        # boto3 and cryptography are not to slow down --version and --discover.
        from tap_iot_sitewise.auth import open_session  # noqa: PLC0415
        from tap_iot_sitewise.aws_errors import explain  # noqa: PLC0415
        from tap_iot_sitewise.client import Client  # noqa: PLC0415

        try:
            session = open_session(self.config)
            self._warn(session)
            return Client(session, self.config)
        except TapError:
            raise
        except Exception as error:
            doing = "auth_method"
            raise explain(doing, error, attempts=1) from error

    def _warn(self, session: boto3.Session) -> None:
        """Warn of settings that will do, but hardly as they are meant."""
        region = self.config["aws_region"]
        if "aws_endpoint_url" not in self.config and not any(
            region in session.get_available_regions("iotsitewise", partition)
            for partition in session.get_available_partitions()
        ):
            self.logger.warning(
                "aws_region: botocore knows no AWS IoT SiteWise in %s; going on, as it "
                "may be newer than botocore",
                region,
            )
        endpoint = urlsplit(self.config.get("aws_endpoint_url", ""))
        if endpoint.scheme == "http" and not settings.is_loopback(endpoint.hostname):
            self.logger.warning(
                "aws_endpoint_url: signed requests and the answers travel unencrypted "
                "to %s; use https",
                endpoint.hostname,
            )
        certified = self.config["auth_method"] == "roles_anywhere"
        for name in ("private_key", "client_certificate"):
            path = self.config.get(name, "")
            holds_key = name == "private_key" or path.lower().endswith((".p12", ".pfx"))
            if certified and holds_key and path:
                _warn_of_readers(self.logger, name, path)

    # The order of the run

    def tables_to_activate(self) -> list[str]:
        """Return the tables, as the target knows them, that are whole after this run.

        A stream map can send several streams into one table. Where one of them does not
        bear a version, the target would delete its rows with the version of another.
        """
        streams = t.cast("list[SiteWiseStream]", list(self.streams.values()))
        names = [(stream, name) for stream in streams for name in stream.tables]
        partial = {name for stream, name in names if not stream.activates_version}
        whole = {name: None for stream, name in names if stream.activates_version}
        for name in whole.keys() & partial:
            self.logger.warning(
                "emit_activate_version_messages: no ACTIVATE_VERSION is sent for %s, "
                "since stream_maps sends several streams there, and not all of them as "
                "a full table",
                name,
            )
        return [name for name in whole if name not in partial]

    def ends_with(self, stream: SiteWiseStream) -> bool:
        """Return whether a stream is the last top-level one of the run."""
        return (
            stream
            is [
                candidate
                for candidate in self.streams.values()
                if candidate.parent_stream_type is None
                and (candidate.selected or candidate.has_selected_descendents)
            ].pop()
        )

    # Settings

    @classproperty
    def _env_var_config(cls) -> dict[str, t.Any]:  # noqa: N805
        """Settings from the environment.

        The SDK 0.54 stops at an integer or an object that is none, takes any word for
        a boolean, and leaves numbers with a fraction as text; here each is read where
        it can be, and left to the validation where not.
        """
        cls.append_builtin_config(cls.config_jsonschema)
        properties: dict[str, t.Any] = cls.config_jsonschema["properties"]
        readers: dict[str, t.Callable[[str], t.Any]] = {}
        as_text = {}
        for name, schema in properties.items():
            as_text[name] = schema
            for json_type in _READERS.keys() & set(schema.get("type", ())):
                readers[name] = _READERS[json_type]
                as_text[name] = {"type": ["string", "null"]}
        config = parse_environment_config({"properties": as_text}, cls._env_var_prefix)
        for name in readers.keys() & config.keys():
            with contextlib.suppress(ValueError, KeyError):
                config[name] = readers[name](config[name])
        return config

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Refuse bad settings with every fault at once, and no value of a secret.

        The SDK 0.54 prints the values, and warns of missing settings in --discover,
        which needs none.
        """
        if not raise_errors:
            return []
        self.append_builtin_config(self.config_jsonschema)
        redaction.register(
            str(self._config[name]) for name in settings.secrets_in(self._config)
        )
        redaction.register_environment()
        for name, value in self._config.items():
            if name.endswith("_url"):
                redaction.register_url(str(value))
        faults = settings.faults(self._config, self.config_jsonschema)
        from tap_iot_sitewise import auth  # noqa: PLC0415 - as in `client`

        faults += auth.faults(self._config)
        if faults:
            raise SettingsError(faults)
        if "start_date" in self._config:
            # The SDK 0.54 compares it with bookmarks, and reads fewer forms than this.
            from tap_iot_sitewise.bookmarks import parse_moment  # noqa: PLC0415

            start = parse_moment(self._config["start_date"])
            self._config["start_date"] = rfc3339(start)
        if self._config.get("batch_config") and self._config.get(
            "emit_activate_version_messages"
        ):
            self.logger.warning(
                "emit_activate_version_messages: no ACTIVATE_VERSION is sent, since "
                "batch_config is set and the rows of a batch carry no version: the "
                "target would delete them all"
            )
        return []

    # Command line

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
    def invoke(  # type: ignore[override]  # as the SDK's own tap has it
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: t.Any = None,
        state: t.IO[str] | None = None,
        catalog: t.IO[str] | None = None,
    ) -> None:
        """Run the tap.

        As the SDK 0.54 does it, but that a catalog or a state which is no JSON is told
        as such, and that what was extracted is written also where the run then fails.
        """
        if about:
            cls.print_about(about_format)
            return
        cls.print_version(print_fn=cls.logger.info)
        if settings.secrets_in(config.config):
            for path in click.get_current_context().meta[_CONFIG_FILES]:
                _warn_of_readers(cls.logger, "--config", path)
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

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End with 128 plus the signal's number, at the end of a line.

        The SDK 0.54 ends with 0, and a scheduler takes the part for the whole.
        """
        self.message_writer.stop(Stopped(signum))


def _warn_of_readers(logger: logging.Logger, what: str, path: str) -> None:
    if settings.readable_by_others(path):
        logger.warning(
            "%s: users other than the owner can read %s, which holds secrets; chmod "
            "600 it, or have it made under umask 077",
            what,
            path,
        )


def _read_json(option: str, file: t.IO[str] | None) -> t.Any:  # noqa: ANN401
    if file is None:
        return None
    # Bytes, as JSON is in UTF-8 whatever the locale says, with or without a mark of it.
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
        # Which Pythons will do is for this package to say; the SDK 0.54 warns of 3.10
        # in every run.
        warnings.filterwarnings("ignore", message=r"Python 3\.\d+ .*end of life")
        if not extra.get("standalone_mode", True):
            return super().main(*args, **extra)
        try:
            # Not standalone: a wrong option is a failure like any other, in one line.
            code = super().main(*args, **{**extra, "standalone_mode": False})
            sys.stdout.flush()
        except Stopped as stop:
            self.logger.error(  # noqa: TRY400 - no traceback of a signal
                "Stopped by %s; what was sent so far is not the whole", stop.signal_name
            )
            raise
        except Exception as error:  # noqa: BLE001 - the one place where all end
            self._tell(error)
            sys.exit(1)
        sys.exit(code if isinstance(code, int) else 0)

    @override
    def invoke(self, ctx: click.Context) -> t.Any:
        logging.captureWarnings(capture=True)
        return click.Command.invoke(self, ctx)

    def _tell(self, error: Exception) -> None:
        if isinstance(error, click.ClickException):
            text = error.format_message()
        elif isinstance(error, TapError):
            text = str(error)
        else:
            text = f"{type(error).__name__}: {error}"
        self.logger.error(" ".join(text.split()))
        self.logger.debug("Traceback", exc_info=error)
