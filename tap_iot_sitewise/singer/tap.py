"""The base class of a tap, with the differences from the SDK's."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import time
import typing as t

from singer_sdk import Tap
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.singerlib import ActivateVersionMessage

from tap_iot_sitewise.singer.messages import MessageWriter

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if t.TYPE_CHECKING:
    from types import FrameType

    from tap_iot_sitewise.singer.stream import SingerStream

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
"""Parsers of the text of a variable, by the JSON type of its setting."""


class Stopped(SystemExit):
    """A signal ended the run. The exit code is 128 plus the number of the signal."""

    def __init__(self, signum: int) -> None:
        """Create the exception for a signal.

        Args:
            signum: Number of the signal.
        """
        super().__init__(128 + signum)
        self.signal_name = signal.Signals(signum).name


class SingerTap(Tap):
    """A tap whose streams are :class:`SingerStream`."""

    message_writer_class = MessageWriter
    message_writer: MessageWriter

    def __init__(self, **arguments: t.Any) -> None:  # noqa: ANN401
        """Create the tap.

        Args:
            arguments: Arguments of the SDK's tap: config, catalog, state and so on.
        """
        super().__init__(**arguments)
        self._began_at = time.monotonic()

    def check_settings(self, settings: dict[str, t.Any]) -> None:
        """Raise an error for settings that are wrong. Does nothing by default.

        Args:
            settings: The settings. An override can change them in place.
        """

    # The end of a run

    def activations(self) -> list[ActivateVersionMessage]:
        """Return the messages that let a target delete the rows that are gone.

        Call this after the last record. If there are such messages, it waits up to one
        second.
        """
        tables = self._complete_tables()
        if not tables:
            return []
        # A version is a time in whole seconds (SDK 0.54; some targets store 32 bits).
        # If a run started in the same second as the run before, both would have the
        # same version, and the target would delete nothing. So no run ends in the
        # second in which it started. The monotonic clock measures the rest of that
        # second, because somebody can set the other clock.
        version, milliseconds = divmod(self.initialized_at, 1000)
        second = self._began_at + 1.0 - milliseconds / 1000
        time.sleep(max(0.0, second - time.monotonic()))
        return [ActivateVersionMessage(table, version) for table in tables]

    def _complete_tables(self) -> list[str]:
        """Return the tables that this run sends completely, by their target names.

        A stream map can send several streams to one table. If the rows of one stream
        have no version, the target would delete them when it activates the version of
        another stream.
        """
        streams = t.cast("list[SingerStream]", list(self.streams.values()))
        names = [(stream, name) for stream in streams for name in stream.tables]
        partial = {name for stream, name in names if not stream.activates_version}
        complete = {name: None for stream, name in names if stream.activates_version}
        for name in complete.keys() & partial:
            self.logger.warning(
                "emit_activate_version_messages: the tap sends no ACTIVATE_VERSION for "
                "%s, because stream_maps sends several streams to this table and not "
                "all of them are FULL_TABLE; send each stream to its own table",
                name,
            )
        return [name for name in complete if name not in partial]

    # Private names of the SDK, see the docstring of `tap_iot_sitewise.singer`

    @classproperty
    def _env_var_config(cls) -> dict[str, t.Any]:  # noqa: N805
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
        if raise_errors:
            self.append_builtin_config(self.config_jsonschema)
            self.check_settings(self._config)
        return []

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        self.message_writer.stop(Stopped(signum))
