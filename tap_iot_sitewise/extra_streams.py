"""The setting ``extra_streams``: which streams the tap has."""

from __future__ import annotations

import difflib
import typing as t

from tap_iot_sitewise.settings_warnings import shown_name
from tap_iot_sitewise.singer.stream_maps import Table
from tap_iot_sitewise.streams import EXTRA_STREAMS, GROUPS, STREAMS

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_iot_sitewise.settings import Config
    from tap_iot_sitewise.streams import SiteWiseStream

_NAMES = tuple(stream.name for stream in EXTRA_STREAMS)


def enabled_streams(config: Config) -> list[type[SiteWiseStream]]:
    """Return the streams that the tap has with these settings.

    Args:
        config: Settings. What is wrong with ``extra_streams`` is ignored, see
            :func:`problems`.
    """
    given = config.get("extra_streams")
    names = given if isinstance(given, list) else ()
    groups = [
        GROUPS[name] for name in names if isinstance(name, str) and name in GROUPS
    ]
    in_groups = {stream for group in groups for stream in group}
    extra = [s for s in EXTRA_STREAMS if s in in_groups or s.name in names]
    return [*STREAMS, *extra]


def windowed_streams(config: Config) -> list[type[SiteWiseStream]]:
    """Return the streams that the tap has and that read windows of time.

    Args:
        config: Settings, see :func:`enabled_streams`.
    """
    return [s for s in enabled_streams(config) if s.entity.time_column is not None]


def problems(config: Config) -> Iterator[str]:
    """Yield a clause for each name in ``extra_streams`` that is not an extra stream.

    No clause contains a name that can be a secret.

    Args:
        config: Settings. ``extra_streams`` is a list of strings, if it is set.
    """
    known = [*GROUPS, *_NAMES]
    for name in config.get("extra_streams", ()):
        if name in {stream.name for stream in STREAMS}:
            yield f"extra_streams: the tap always has the stream {name}; remove it"
        elif name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            meant = f"did you mean {close[0]}?" if close else f"use {', '.join(known)}"
            shown = shown_name(name, known)
            yield f"extra_streams: {shown} is not an extra stream; {meant}"


def tables(config: Config) -> dict[str, Table]:
    """Return the columns and the key of each stream that the tap has, by name.

    Args:
        config: Settings, see :func:`enabled_streams`.
    """
    return {
        stream.name: Table(stream.entity.schema["properties"], stream.entity.key)
        for stream in enabled_streams(config)
    }


def disabled_maps(config: Config) -> dict[str, str]:
    """Return the stream maps of extra streams that the tap does not have.

    Args:
        config: Settings of any type.

    Returns:
        The stream of each map, by the name of the map.
    """
    maps = config.get("stream_maps")
    enabled = {stream.name for stream in enabled_streams(config)}
    sources = {
        name: given.get("__source__", name) if isinstance(given, dict) else name
        for name, given in (maps.items() if isinstance(maps, dict) else ())
    }
    return {
        name: source
        for name, source in sources.items()
        if source in _NAMES and source not in enabled
    }
