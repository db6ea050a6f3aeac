"""Checks and normalizes the state that the user passes."""

from __future__ import annotations

import datetime as dt
import typing as t

from tap_iot_sitewise.dates import parse_moment, rfc3339
from tap_iot_sitewise.errors import TapError

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Mapping

    from tap_iot_sitewise.streams.entity import Entity
    from tap_iot_sitewise.streams.shard import Shard

    JSONObject = dict[str, t.Any]

SHARD = "shard"
"""Member of a state with the shard that it belongs to. Only shards write it."""

_REMOVE = "remove the bookmark to read everything again"


def check_state(
    given: object, entities: Mapping[str, Entity | None], logger: logging.Logger
) -> JSONObject:
    """Check and normalize a state.

    Args:
        given: The state as decoded from JSON; null and {} mean that there is none.
        entities: The entity of each stream, by stream name; None if the stream is not
            enabled.
        logger: Logger for warnings.

    Returns:
        A state with nothing but the bookmarks of this tap's streams, in RFC 3339 and
        UTC. The progress markers of an interrupted run are dropped: its last complete
        bookmark stays valid. The bookmark of a stream that is not enabled is kept as it
        is, for a later run.

    Raises:
        TapError: ``given`` is not a state, or a bookmark is not a date and time, or is
            in the future.
    """
    if given is None or given == {}:
        return {}
    bookmarks = given.get("bookmarks", {}) if isinstance(given, dict) else None
    if not isinstance(bookmarks, dict):
        msg = (
            "--state: the file is not a Singer state (bookmarks is not an object); run "
            "without --state to read everything"
        )
        raise TapError(msg)
    kept: JSONObject = {}
    for name, bookmark in bookmarks.items():
        if name not in entities:
            logger.warning(
                "--state: the tap has no stream %s; its bookmark is ignored", name
            )
            continue
        if bookmark is not None and not isinstance(bookmark, dict):
            msg = f"--state: the bookmark of {name} is not an object; {_REMOVE}"
            raise TapError(msg)
        entity = entities[name]
        if entity is None:
            kept[name] = bookmark or {}
            continue
        column = entity.replication_column
        if not bookmark or column is None or bookmark.get("replication_key") != column:
            continue
        value = bookmark.get("replication_key_value")
        if value is not None:
            kept[name] = {
                "replication_key": column,
                "replication_key_value": _check_bookmark(name, value),
            }
    return {"bookmarks": kept} if kept else {}


def check_shard(given: object, shard: Shard) -> None:
    """Check that a state is not that of another shard.

    The bookmarks of a shard say nothing about the records of the other shards: a run
    that used them would leave out records.

    Args:
        given: The state as decoded from JSON. A state without a shard is from a run
            that sent all records.
        shard: The shard of this run.

    Raises:
        TapError: The state is that of another shard.
    """
    owner = given.get(SHARD) if isinstance(given, dict) else None
    if owner in (None, str(shard)):
        return
    own = f"shard {shard}" if shard.count > 1 else "not divided into shards"
    # Without line breaks: the state can contain anything.
    named = repr(str(owner)[:20])[1:-1]
    msg = (
        f"--state: the state belongs to shard {named}, but this run is {own}; give "
        "each shard its own state, for example with meltano run --state-id-suffix"
    )
    raise TapError(msg)


def _check_bookmark(name: str, value: object) -> str:
    try:
        moment = parse_moment(value)
    except ValueError:
        msg = f"--state: the bookmark of {name} is not a date and time; {_REMOVE}"
        raise TapError(msg) from None
    if moment > dt.datetime.now(dt.timezone.utc):
        msg = (
            f"--state: the bookmark of {name} is in the future ({moment}), and no "
            f"change would be sent until then; {_REMOVE}"
        )
        raise TapError(msg)
    return rfc3339(moment)
