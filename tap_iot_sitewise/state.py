"""The state that comes in: checked, and put right."""

from __future__ import annotations

import datetime as dt
import typing as t

from tap_iot_sitewise.dates import parse_moment, rfc3339
from tap_iot_sitewise.errors import TapError

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Mapping

    from tap_iot_sitewise.streams.entity import Entity

    JSONObject = dict[str, t.Any]


def check_state(
    given: object, entities: Mapping[str, Entity], logger: logging.Logger
) -> JSONObject:
    """Return a state that is safe to go on from.

    Args:
        given: The state as decoded from JSON; null and {} are no state.
        entities: What the streams of the tap hold, by their names.
        logger: For what is worth a warning.

    Returns:
        A state with the bookmarks of this tap's streams and nothing else, each as
        RFC 3339 in UTC. What an interrupted run noted of its progress is dropped: the
        bookmark before it holds.

    Raises:
        TapError: It is no state, or a bookmark is no date or lies in the future.
    """
    if given is None or given == {}:
        return {}
    bookmarks = given.get("bookmarks", {}) if isinstance(given, dict) else None
    if not isinstance(bookmarks, dict):
        msg = "--state: no Singer state, its bookmarks are not an object"
        raise TapError(msg)
    kept: JSONObject = {}
    for name, bookmark in bookmarks.items():
        if name not in entities:
            logger.warning("--state: %s is no stream of this tap, left out", name)
            continue
        if bookmark is not None and not isinstance(bookmark, dict):
            msg = f"--state: the bookmark of {name} is not an object"
            raise TapError(msg)
        column = entities[name].change_column
        if not bookmark or column is None or bookmark.get("replication_key") != column:
            continue
        value = bookmark.get("replication_key_value")
        if value is not None:
            kept[name] = {
                "replication_key": column,
                "replication_key_value": _check_bookmark(name, value),
            }
    return {"bookmarks": kept} if kept else {}


def _check_bookmark(name: str, value: object) -> str:
    try:
        moment = parse_moment(value)
    except ValueError:
        msg = f"--state: the bookmark of {name} is not a date and time"
        raise TapError(msg) from None
    if moment > dt.datetime.now(dt.timezone.utc):
        msg = (
            f"--state: the bookmark of {name} lies in the future ({moment}), no change "
            "would be sent until then; remove it to read everything again"
        )
        raise TapError(msg)
    return rfc3339(moment)
