"""Stream maps: refused where they cannot do what they are meant to do.

The SDK 0.54 ignores a map of a stream or a column that does not exist: a mask with a
wrong name is never applied, and what it should hide is sent.
"""

from __future__ import annotations

import typing as t

from tap_iot_sitewise.singer.expressions import Expressions
from tap_iot_sitewise.singer.map_definition import MapDefinition, Table

__all__ = ["Table", "misspelled", "problems", "unselected"]

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Settings = Mapping[str, t.Any]


def problems(
    settings: Settings, tables: Mapping[str, Table], *, package: str
) -> Iterator[str]:
    """Find what is wrong with the stream maps.

    Args:
        settings: The settings ``stream_maps``, ``stream_map_config``, ``faker_config``
            and ``flattening_separator`` among them.
        tables: Every stream of the tap, with all of its columns.
        package: The tap's package, whose extra ``faker`` brings that library.

    Yields:
        A clause for each problem, which begins with the name of the setting.
    """
    maps = settings.get("stream_maps")
    if not isinstance(maps, dict) or not maps:
        return
    expressions, problem = _expressions(settings, package)
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
    *,
    package: str,
) -> Iterator[str]:
    """Find the expressions that use columns which the catalog does not select.

    Args:
        settings: As for :func:`problems`, without any.
        tables: Every stream of the tap, with all of its columns.
        selected: The streams that are selected, with the selected columns.
        package: As for :func:`problems`.

    Yields:
        A clause for each problem, which begins with the name of the setting.
    """
    maps: Mapping[str, t.Any] = settings.get("stream_maps") or {}
    if not maps:
        return
    expressions, _ = _expressions(settings, package)
    for name, definition in maps.items():
        if expressions is None or not isinstance(definition, dict):
            continue
        a_map = MapDefinition(name, definition, expressions)
        for stream in a_map.applies_to(selected):
            columns = selected[stream].columns
            left_out = frozenset(tables[stream].columns.keys() - columns.keys())
            for clause in a_map.expression_problems(columns, left_out):
                yield f"stream_maps: {clause}"


def misspelled(
    settings: Settings, tables: Mapping[str, Table], *, package: str
) -> Iterator[str]:
    """Find columns that may be meant to replace others, by their names.

    Args:
        settings: As for :func:`problems`, without any.
        tables: As for :func:`problems`.
        package: As for :func:`problems`.

    Yields:
        A clause for each, which begins with the name of the setting.
    """
    maps: Mapping[str, t.Any] = settings.get("stream_maps") or {}
    expressions, _ = _expressions(settings, package)
    for name, definition in maps.items():
        if expressions is not None:
            for clause in MapDefinition(name, definition, expressions).misspelled(
                tables
            ):
                yield f"stream_maps: {clause}"


def _expressions(settings: Settings, package: str) -> tuple[Expressions | None, str]:
    of_maps, of_faker = settings.get("stream_map_config"), settings.get("faker_config")
    try:
        known = Expressions(
            of_maps if isinstance(of_maps, dict) else {},
            of_faker if isinstance(of_faker, dict) else {},
            separator=str(settings.get("flattening_separator", "__")),
            package=package,
        )
    except Exception as error:  # noqa: BLE001 - whatever the package faker raises
        return None, f"faker_config: {error}"
    return known, ""
