"""What the tap ought to send for a plant, worked out apart from the tap's own code."""

from __future__ import annotations

import re
import typing as t
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from emulator.plant import Plant

Record = dict[str, t.Any]

COLUMNS = {
    "asset_models": [
        "asset_model_id",
        "arn",
        "name",
        "description",
        "asset_model_type",
        "external_id",
        "asset_model_version",
        "creation_date",
        "last_update_date",
        "status",
    ],
    "portals": [
        "portal_id",
        "name",
        "description",
        "start_url",
        "role_arn",
        "portal_type",
        "creation_date",
        "last_update_date",
        "status",
    ],
    "projects": [
        "project_id",
        "portal_id",
        "name",
        "description",
        "creation_date",
        "last_update_date",
    ],
}
_RENAMED = {
    "asset_models": {"asset_model_id": "id", "asset_model_version": "version"},
    "portals": {"portal_id": "id"},
    "projects": {"project_id": "id"},
}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def rfc3339(seconds: float) -> str:
    # Decimal, as a product of doubles is rounded once more than the number itself.
    exact = Decimal(seconds).quantize(Decimal("0.000001"), ROUND_HALF_EVEN)
    moment = _EPOCH + timedelta(microseconds=int(exact * 1_000_000))
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")


def _status(stream: str, wire: Mapping[str, t.Any] | None) -> Record | None:
    if wire is None:
        return None
    error = wire.get("error")
    if error is not None:
        members = ["code", "message"]
        if stream == "asset_models":
            members.append("details")
        error = {member: error.get(member) for member in members}
    return {"state": wire.get("state"), "error": error}


def record(stream: str, wire: Mapping[str, t.Any], portal_id: str = "") -> Record:
    """Return the record of one entity given in its wire form."""
    expected: Record = {}
    for column in COLUMNS[stream]:
        camel = re.sub(r"_(.)", lambda match: match[1].upper(), column)
        value = wire.get(_RENAMED[stream].get(column, camel))
        if column == "status":
            value = _status(stream, value)
        elif column.endswith("_date") and value is not None:
            value = rfc3339(value)
        elif stream == "projects" and column == "portal_id":
            value = portal_id
        expected[column] = value
    return expected


def records(plant: Plant) -> dict[str, list[Record]]:
    """Return the records of every stream, in the order of the plant."""
    return {
        "asset_models": [record("asset_models", wire) for wire in plant.asset_models],
        "portals": [record("portals", wire) for wire in plant.portals],
        "projects": [
            record("projects", wire, portal["id"])
            for portal in plant.portals
            for wire in plant.projects[portal["id"]]
        ],
    }
