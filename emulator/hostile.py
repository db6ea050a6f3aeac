"""A plant that is hard to carry: for tests.

Names and descriptions have many scripts, quotes and line breaks, optional members are
missing, and some dates are in the future. The first entities of each kind go through
all states and error codes in turn, so that a small plant has them all; further ones are
mostly ``ACTIVE``.
"""

from __future__ import annotations

import itertools
import typing as t

if t.TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Mapping

    from emulator.maker import Make, Record, Source

# FAILED comes third so that a handful of portals is enough to have a failed one.
ASSET_MODEL_STATES = (
    "ACTIVE",
    "CREATING",
    "FAILED",
    "UPDATING",
    "PROPAGATING",
    "DELETING",
)
PORTAL_STATES = ("ACTIVE", "PENDING", "FAILED", "CREATING", "UPDATING", "DELETING")
ASSET_MODEL_TYPES = ("ASSET_MODEL", "COMPONENT_MODEL", "INTERFACE", None)
PORTAL_TYPES = ("SITEWISE_PORTAL_V1", "SITEWISE_PORTAL_V2", None)

_INCOMPATIBLE_PLACE = {
    "code": "INCOMPATIBLE_COMPUTE_LOCATION",
    "message": "The metric's compute location is not that of the property it reads.",
}
_INCOMPATIBLE_FORWARDING = {
    "code": "INCOMPATIBLE_FORWARDING_CONFIGURATION",
    "message": 'Forwarding is "DISABLED" for a measurement,\nsee «Edge».',
}
_ASSET_MODEL_ERRORS: tuple[Record, ...] = (
    {
        "code": "VALIDATION_ERROR",
        "message": "The model's metrics cannot be computed where they are asked to be.",
        "details": [_INCOMPATIBLE_PLACE, _INCOMPATIBLE_FORWARDING],
    },
    {"code": "INTERNAL_FAILURE", "message": "An internal error has occurred."},
    {"code": "VALIDATION_ERROR", "message": "", "details": []},
    {
        "code": "VALIDATION_ERROR",
        "message": "Formel ungültig: `avg(x)/0`",
        "details": [_INCOMPATIBLE_FORWARDING],
    },
)
_PORTAL_ERRORS: tuple[Record, ...] = (
    {
        "code": "LIMIT_EXCEEDED",
        "message": "Number of portals per Region exceeded: 100.",
    },
    {"code": "VALIDATION_ERROR", "message": 'The role cannot be assumed by "monitor".'},
    {"code": "INTERNAL_FAILURE", "message": "An internal error has occurred."},
    {"code": "INTERNAL_FAILURE"},
)
# In these first entities each state comes in its turn, each FAILED with another error.
_SHOWN = len(ASSET_MODEL_STATES) * len(_ASSET_MODEL_ERRORS)
_ACTIVE_SHARE = 0.9

_MACHINES = (
    "Wind turbine",
    'Pump, "booster"',
    "Kühlturm",
    "Förderband; Halle 3",
    "风力发电机",
    "ポンプ・ステーション",
    "Котёл-утилизатор",
    "محطة الضخ",
    "पंप स्टेशन",
    "압축기",
    "Øst-kompressor",
    "Line 4\nPackaging",
    "🏭 Furnace 🔥",
    "Cœur d'usine",
    "Tab\there",
    "O'Brien's mixer",
    "100% \\ backslash",
    "<b>Robot</b> & cell",
    "Επεξεργασία νερού",
    "เครื่องจักร",
)
_PLACES = (
    "Zürich",
    "São Paulo",
    "北京",
    "大阪",
    "Łódź",
    "Reykjavík",
    "القاهرة",
    "Тверь",
    "Cork",
    "Îlot 7",
)
_DESCRIPTIONS = (
    "Measures speed, torque and temperature.",
    "",
    None,
    'Says "yes", means "no"; costs 3,50 €',
    "First line\nsecond line\r\nthird line",
    "Prüfstand für Getriebe, Übersetzung ½ — „eins“",
    "工場の二階にあります。",
    "👷\u200d♀️ checked it 🧯",
    "null",
    " leading and trailing blanks ",
)
_FIRST_DATE = 1_546_300_800  # 2019-01-01T00:00:00Z, the year SiteWise was announced
_SPAN = 5 * 365 * 86_400


def _dates(dice: random.Random, index: int) -> tuple[float, float]:
    """Creation and last update in epoch seconds: milliseconds, microseconds, whole."""
    places = (3, 6, 0, 3)[index % 4]
    created = round(_FIRST_DATE + dice.random() * _SPAN, places)
    updated = round(created + dice.random() * _SPAN * (index % 5 > 0), places)
    return float(created), float(updated)


def _name(dice: random.Random, index: int) -> str:
    machine = _MACHINES[index % len(_MACHINES)]
    if index < len(_MACHINES):
        return machine
    return f"{machine} {_PLACES[dice.getrandbits(16) % len(_PLACES)]} {index + 1}"


def _state(dice: random.Random, states: tuple[str, ...], index: int) -> str:
    if index < _SHOWN:
        return states[index % len(states)]
    if dice.random() < _ACTIVE_SHARE:
        return "ACTIVE"
    return states[dice.getrandbits(16) % len(states)]


def _status(state: str, errors: tuple[Record, ...], index: int) -> Record:
    if state != "FAILED":
        return {"state": state}
    return {
        "state": state,
        "error": dict(errors[index // len(ASSET_MODEL_STATES) % len(errors)]),
    }


def _asset_model(source: Source, index: int) -> Record:
    model_id = source.entity_id()
    created, updated = _dates(source.dice, index)
    model: Record = {
        "id": model_id,
        "arn": source.account.arn("iotsitewise", f"asset-model/{model_id}"),
        "name": _name(source.dice, index),
    }
    if index % 3 == 1:
        model["externalId"] = f"line-{index}:model_{index % 7}"
    model_type = ASSET_MODEL_TYPES[index % len(ASSET_MODEL_TYPES)]
    if model_type is not None:
        model["assetModelType"] = model_type
    # The service model requires a description, so that one that was never given comes
    # as an empty string.
    model["description"] = _DESCRIPTIONS[index % len(_DESCRIPTIONS)] or ""
    model["creationDate"] = created
    model["lastUpdateDate"] = updated
    state = _state(source.dice, ASSET_MODEL_STATES, index)
    model["status"] = _status(state, _ASSET_MODEL_ERRORS, index)
    if index % 5 != 3:  # noqa: PLR2004 - one in five has none, whichever
        model["version"] = str(1 + index % 12)
    return model


def _portal(source: Source, index: int) -> Record:
    portal_id = source.entity_id()
    created, updated = _dates(source.dice, index)
    portal: Record = {"id": portal_id, "name": _name(source.dice, index)}
    _describe(portal, index)
    portal["startUrl"] = f"https://p-{portal_id[:8]}.app.iotsitewise.aws"
    if index % 7 != 4:  # noqa: PLR2004 - one in seven has none, whichever
        portal["creationDate"] = created
        portal["lastUpdateDate"] = updated
    if index % 4 != 3:  # noqa: PLR2004 - one in four has none, whichever
        role = f"role/service-role/SiteWiseMonitor+{index % 3}@plant"
        portal["roleArn"] = source.account.arn("iam", role)
    state = _state(source.dice, PORTAL_STATES, index)
    portal["status"] = _status(state, _PORTAL_ERRORS, index)
    portal_type = PORTAL_TYPES[index % len(PORTAL_TYPES)]
    if portal_type is not None:
        portal["portalType"] = portal_type
    return portal


def _project(source: Source, index: int) -> Record:
    created, updated = _dates(source.dice, index)
    project: Record = {
        "id": source.entity_id(),
        "name": _name(source.dice, index),
    }
    _describe(project, index)
    if index % 6 != 5:  # noqa: PLR2004 - one in six has none, whichever
        project["creationDate"] = created
        project["lastUpdateDate"] = updated
    return project


def _describe(record: Record, index: int) -> None:
    description = _DESCRIPTIONS[index % len(_DESCRIPTIONS)]
    if description is not None:
        record["description"] = description


def _each(make: Callable[[Source, int], Record]) -> Make:
    def records(source: Source, _: Record | None) -> Iterator[Record]:
        return (make(source, index) for index in itertools.count())

    return records


RECORDS: Mapping[str, Make] = {
    "asset_models": _each(_asset_model),
    "portals": _each(_portal),
    "projects": _each(_project),
}
"""What makes each kind of record."""
