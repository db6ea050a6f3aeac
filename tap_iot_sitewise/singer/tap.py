"""The base class of a tap, with the differences from the SDK's."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import signal
import sys
import time
import typing as t

from singer_sdk import Tap
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import MapExpressionError, StreamMapConfigError
from singer_sdk.helpers._catalog import get_selected_schema
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.mapper import PluginMapper, RemoveRecordTransform
from singer_sdk.singerlib import ActivateVersionMessage

from tap_iot_sitewise.errors import SettingsError
from tap_iot_sitewise.singer import stream_maps
from tap_iot_sitewise.singer.failed_expressions import explain_failures
from tap_iot_sitewise.singer.messages import MessageWriter

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

    from tap_iot_sitewise.singer.stream import SingerStream

_BOOLEANS = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}


def _list(text: str) -> list[t.Any]:
    """Read JSON or a comma-separated list."""
    if text.lstrip().startswith(("[", "{")):
        return t.cast("list[t.Any]", json.loads(text))
    return [part.strip() for part in text.split(",") if part.strip()]


_READERS: dict[str, t.Callable[[str], t.Any]] = {
    "array": _list,
    "integer": int,
    "number": float,
    "boolean": lambda text: _BOOLEANS[text.strip().lower()],
    "object": json.loads,
}
"""Parsers of the text of a variable, by the JSON type of its setting."""


def _unknown_variables(
    prefix: str, properties: Mapping[str, Mapping[str, t.Any]]
) -> Iterator[str]:
    """Yield the names of settings that are variables of the tap, and do not exist.

    Not those of Meltano's own: the extras of a plugin (``TAP_X__SELECT``), and single
    values of a setting that is an object (``TAP_X_BATCH_CONFIG_ENCODING_FORMAT``).
    """
    objects = tuple(f"{n}_" for n, s in properties.items() if "object" in s["type"])
    for variable in os.environ:
        name = variable.removeprefix(prefix).lower()
        if name != variable.lower() and not (
            name in properties or name == "loglevel" or name.startswith(("_", *objects))
        ):
            yield name


def _tables(stream: SingerStream) -> list[str]:
    """Return the names of a stream in the target, after stream maps."""
    return [
        stream_map.stream_alias
        for stream_map in stream.stream_maps
        if not isinstance(stream_map, RemoveRecordTransform)
    ]


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

    message_writer: MessageWriter

    def __init__(self, **arguments: t.Any) -> None:  # noqa: ANN401
        """Create the tap.

        Args:
            arguments: Arguments of the SDK's tap: config, catalog, state and so on.
        """
        # Before the SDK 0.54 creates one: it handles signals earlier.
        self.message_writer = arguments.setdefault("message_writer", MessageWriter())
        super().__init__(**arguments)
        self._began_at = time.monotonic()

    def check_settings(self, settings: dict[str, t.Any]) -> None:
        """Raise an error for settings that are wrong. Does nothing by default.

        Args:
            settings: The settings. An override can change them in place.
        """

    @override
    def setup_mapper(self) -> None:
        """Set up the stream maps.

        Raises:
            SettingsError: They do not fit the columns that the catalog selects.
        """
        complete, selected, schemas = {}, {}, []
        for entry in self.catalog.streams:
            # The columns of a stream that is not selected as well: the SDK 0.54 finds
            # no key in it, and would refuse its stream map.
            metadata = copy.deepcopy(entry.metadata)
            metadata.root.selected = True
            name, schema = entry.tap_stream_id, entry.schema.to_dict()
            chosen = get_selected_schema(name, schema, metadata.resolve_selection())
            complete[name] = stream_maps.Table(schema["properties"])
            if self.streams[name].selected:
                selected[name] = stream_maps.Table(chosen["properties"])
            schemas.append((name, chosen, entry.key_properties))
        found = stream_maps.unselected(self.config, complete, selected)
        if problems := list(dict.fromkeys(found)):
            raise SettingsError(problems)
        try:
            self.mapper = PluginMapper(dict(self.config), self.logger)
            for name, schema, key in schemas:
                self.mapper.register_raw_stream_schema(name, schema, key)
                explain_failures(name, self.mapper.stream_maps[name])
        except (StreamMapConfigError, MapExpressionError) as error:
            raise SettingsError([f"stream_maps: {error}"]) from error
        except ValueError as error:
            problem = (
                f"flattening_enabled: {error}; rename the column of a stream map, or "
                "set another flattening_separator or flattening_max_key_length"
            )
            raise SettingsError([problem]) from error

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
        names = [(stream, name) for stream in streams for name in _tables(stream)]
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
        # Without their values, for whoever checks the settings.
        unknown = _unknown_variables(cls._env_var_prefix, properties)
        return {**dict.fromkeys(unknown), **config}

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        if raise_errors:
            self.append_builtin_config(self.config_jsonschema)
            self.check_settings(self._config)
        return []

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        self.message_writer.stop(Stopped(signum))
