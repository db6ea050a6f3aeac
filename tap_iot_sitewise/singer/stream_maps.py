"""Checks the setting ``stream_maps``.

The SDK 0.54 ignores a map for a stream or a column that does not exist. If the name of
a mask is misspelled, the tap would send the values that the mask should hide.
"""

from __future__ import annotations

import typing as t

from tap_iot_sitewise.singer.expressions import Expressions
from tap_iot_sitewise.singer.map_definition import MapDefinition, Table

__all__ = ["Table", "misspelled", "problems", "unselected"]

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Settings = Mapping[str, t.Any]


def problems(settings: Settings, tables: Mapping[str, Table]) -> Iterator[str]:
    """Find what is wrong with the stream maps.

    Args:
        settings: The settings ``stream_maps``, ``stream_map_config``, ``faker_config``
            and ``flattening_separator`` among them.
        tables: All streams of the tap, with all columns.

    Yields:
        A clause for each problem. It begins with the name of the setting.
    """
    maps = settings.get("stream_maps")
    if not isinstance(maps, dict) or not maps:
        return
    expressions, problem = _expressions(settings)
    if expressions is None:
        yield problem
        return
    for name, definition in maps.items():
        for clause in MapDefinition(str(name), definition, expressions).problems(
            tables
        ):
            yield f"stream_maps: {clause}"


def unselected(
    settings: Settings,
    tables: Mapping[str, Table],
    selected: Mapping[str, Table],
) -> Iterator[str]:
    """Find expressions that use columns that the catalog does not select.

    Args:
        settings: As for :func:`problems`, without problems.
        tables: All streams of the tap, with all columns.
        selected: The selected streams, with the selected columns.

    Yields:
        A clause for each problem. It begins with the name of the setting.
    """
    maps: Mapping[str, t.Any] = settings.get("stream_maps") or {}
    if not maps:
        return
    expressions, _ = _expressions(settings)
    for name, definition in maps.items():
        if expressions is None or not isinstance(definition, dict):
            continue
        a_map = MapDefinition(name, definition, expressions)
        for stream in a_map.applies_to(selected):
            columns = selected[stream].columns
            left_out = frozenset(tables[stream].columns.keys() - columns.keys())
            for clause in a_map.expression_problems(columns, left_out):
                yield f"stream_maps: {clause}"


def misspelled(settings: Settings, tables: Mapping[str, Table]) -> Iterator[str]:
    """Find new columns that were probably meant to replace others.

    Args:
        settings: As for :func:`problems`, without problems.
        tables: As for :func:`problems`.

    Yields:
        A clause for each column. It begins with the name of the setting.
    """
    maps: Mapping[str, t.Any] = settings.get("stream_maps") or {}
    expressions, _ = _expressions(settings)
    for name, definition in maps.items():
        if expressions is not None:
            for clause in MapDefinition(name, definition, expressions).misspelled(
                tables
            ):
                yield f"stream_maps: {clause}"


def _expressions(settings: Settings) -> tuple[Expressions | None, str]:
    of_maps, of_faker = settings.get("stream_map_config"), settings.get("faker_config")
    try:
        known = Expressions(
            of_maps if isinstance(of_maps, dict) else {},
            of_faker if isinstance(of_faker, dict) else {},
            separator=str(settings.get("flattening_separator", "__")),
        )
    except Exception as error:  # noqa: BLE001 - faker raises errors of any type
        return None, f"faker_config: {error}; correct its locale or seed"
    return known, ""
