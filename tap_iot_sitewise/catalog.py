"""Checks and completes the catalog that the user passes."""

from __future__ import annotations

import copy
import typing as t

from jsonschema import Draft202012Validator, SchemaError
from singer_sdk.singerlib.catalog import (
    REPLICATION_FULL_TABLE,
    REPLICATION_INCREMENTAL,
    CatalogEntry,
)

from tap_iot_sitewise.errors import TapError

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Mapping

    from tap_iot_sitewise.streams.entity import Entity

    JSONObject = dict[str, t.Any]

_METHODS = (REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL)
_NEW_CATALOG = "create a new catalog with --discover"


def check_catalog(
    given: object, entities: Mapping[str, Entity | None], logger: logging.Logger
) -> JSONObject:
    """Check and complete a catalog.

    Args:
        given: The catalog as decoded from JSON.
        entities: The entity of each stream, by stream name; None if the stream is not
            enabled.
        logger: Logger for warnings.

    Returns:
        A catalog with an entry for each enabled stream. A stream without an entry
        in ``given`` is not selected. The key and the replication key of a stream are
        always selected.

    Raises:
        TapError: ``given`` is not a catalog, or asks for something that the tap cannot
            do.
    """
    streams = given.get("streams") if isinstance(given, dict) else None
    if not isinstance(streams, list):
        msg = (
            "--catalog: the file is not a Singer catalog (it has no list of streams); "
            f"{_NEW_CATALOG}"
        )
        raise TapError(msg)
    enabled = {name: entity for name, entity in entities.items() if entity is not None}
    entries: dict[str, JSONObject] = {}
    for entry in streams:
        name = entry.get("tap_stream_id") if isinstance(entry, dict) else None
        if not isinstance(name, str):
            msg = f"--catalog: an entry has no tap_stream_id; {_NEW_CATALOG}"
            raise TapError(msg)
        if name not in entities:
            logger.warning("--catalog: the tap has no stream %s; it is ignored", name)
        elif name not in enabled:
            logger.warning(
                "--catalog: the stream %s is ignored, because it is an extra stream; "
                "add it to extra_streams",
                name,
            )
        elif name in entries:
            msg = f"--catalog: {name} has two entries; remove one of them"
            raise TapError(msg)
        else:
            entries[name] = _check_entry(name, entry, enabled[name])
    for name, entity in enabled.items():
        if name not in entries:
            entry = {"tap_stream_id": name, "schema": entity.schema}
            entries[name] = _check_entry(name, entry, entity)
            _root(entries[name])["selected"] = False
    return {"streams": list(entries.values())}


def _check_entry(name: str, given: JSONObject, entity: Entity) -> JSONObject:
    entry = {**copy.deepcopy(given), "stream": name}
    entry["schema"] = _check_schema(name, given.get("schema"), entity.schema)
    if not isinstance(given.get("metadata"), list):
        # An old catalog has no metadata. The SDK then selects the stream.
        entry["metadata"] = [{"breadcrumb": [], "metadata": {"selected": True}}]
    for item in entry["metadata"]:
        if not (
            isinstance(item, dict)
            and isinstance(item.get("breadcrumb"), list)
            and all(isinstance(crumb, str) for crumb in item["breadcrumb"])
            and isinstance(item.get("metadata"), dict)
        ):
            msg = (
                f"--catalog: {name}: metadata is not a list of objects with "
                f"breadcrumb and metadata; {_NEW_CATALOG}"
            )
            raise TapError(msg)
    root = _root(entry)
    keys = entry.get("key_properties") or root.get("table-key-properties")
    if keys and not (isinstance(keys, list) and all(isinstance(k, str) for k in keys)):
        msg = (
            f"--catalog: {name}: the key is not a list of column names; remove "
            "key_properties and table-key-properties"
        )
        raise TapError(msg)
    entry["key_properties"] = keys or list(entity.key)
    _check_replication(name, entry, root, entity)
    automatic = {*entry["key_properties"], entry.get("replication_key")} - {None}
    for column in automatic:
        if column not in entry["schema"]["properties"]:
            msg = (
                f"--catalog: {name}: the key column {column} is not in the schema; "
                f"{_NEW_CATALOG}"
            )
            raise TapError(msg)
        _metadata(entry, ["properties", column])["inclusion"] = "automatic"
    try:
        Draft202012Validator.check_schema(entry["schema"])
        CatalogEntry.from_dict(entry)
    except (SchemaError, AttributeError, TypeError, ValueError) as error:
        reason = getattr(error, "message", error)
        msg = (
            f"--catalog: {name}: the schema or the metadata is not valid ({reason}); "
            f"{_NEW_CATALOG}"
        )
        raise TapError(msg) from error
    return entry


def _check_schema(name: str, given: object, own: JSONObject) -> JSONObject:
    properties = given.get("properties") if isinstance(given, dict) else None
    if not isinstance(given, dict) or not isinstance(properties, dict):
        msg = f"--catalog: {name}: the entry has no schema; {_NEW_CATALOG}"
        raise TapError(msg)
    for column, schema in properties.items():
        if column not in own["properties"]:
            msg = f"--catalog: {name}: the tap has no column {column}; {_NEW_CATALOG}"
            raise TapError(msg)
        wanted = _types(own["properties"][column])
        if isinstance(schema, dict) and "type" in schema and wanted <= _types(schema):
            continue
        msg = (
            f"--catalog: {name}: the catalog's type for {column} differs from the "
            f"tap's; set it to {' or '.join(sorted(wanted))}"
        )
        raise TapError(msg)
    return given


def _types(schema: JSONObject) -> set[str]:
    types = schema["type"]
    names = types if isinstance(types, list) else [types]
    return {name for name in names if isinstance(name, str)}


def _check_replication(
    name: str, entry: JSONObject, root: JSONObject, entity: Entity
) -> None:
    """Set the replication method; the metadata takes precedence over the entry."""
    column = entity.replication_column
    method = (
        root.get("replication-method")
        or root.get("forced-replication-method")
        or entry.get("replication_method")
        or (REPLICATION_INCREMENTAL if entity.time_column else REPLICATION_FULL_TABLE)
    )
    if method not in _METHODS:
        msg = (
            f"--catalog: {name}: the tap does not support the replication method "
            f"{method!r}; use {' or '.join(_METHODS)}"
        )
        raise TapError(msg)
    key = root.get("replication-key") or entry.get("replication_key")
    incremental = method == REPLICATION_INCREMENTAL
    if incremental and column is None:
        msg = (
            f"--catalog: {name}: the stream has no replication key; use the "
            f"replication method {REPLICATION_FULL_TABLE}"
        )
        raise TapError(msg)
    if incremental and key not in {None, column}:
        msg = f"--catalog: {name}: {key!r} cannot be the replication key; use {column}"
        raise TapError(msg)
    entry["replication_method"] = method
    entry["replication_key"] = column if incremental else None
    root.pop("replication-key", None)
    root.pop("forced-replication-method", None)


def _metadata(entry: JSONObject, breadcrumb: list[str]) -> JSONObject:
    """Return the metadata at a breadcrumb. Add it if it is missing."""
    for item in entry["metadata"]:
        if item["breadcrumb"] == breadcrumb:
            found: JSONObject = item["metadata"]
            return found
    made: JSONObject = {}
    entry["metadata"].append({"breadcrumb": breadcrumb, "metadata": made})
    return made


def _root(entry: JSONObject) -> JSONObject:
    return _metadata(entry, [])
