"""Making up a plant: names of many scripts, and every state that AWS can report.

The first entities of each kind go through all states and error codes in turn, so
that a small plant has them all; further ones are mostly `ACTIVE`, as in a real one.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
_ASSET_MODEL_ERRORS: tuple[dict[str, Any], ...] = (
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
_PORTAL_ERRORS: tuple[dict[str, Any], ...] = (
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


def entity_id(source: random.Random) -> str:
    """A version 4 UUID as SiteWise gives them out: lower case, with hyphens."""
    digits = f"{source.getrandbits(128):032x}"
    fourth = "89ab"[int(digits[16], 16) % 4] + digits[17:20]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{fourth}-{digits[20:]}"


def _dates(source: random.Random, index: int) -> tuple[float, float]:
    """Creation and last update in epoch seconds: milliseconds, microseconds, whole."""
    places = (3, 6, 0, 3)[index % 4]
    created = round(_FIRST_DATE + source.random() * _SPAN, places)
    updated = round(created + source.random() * _SPAN * (index % 5 > 0), places)
    return float(created), float(updated)


def _name(source: random.Random, index: int) -> str:
    machine = _MACHINES[index % len(_MACHINES)]
    if index < len(_MACHINES):
        return machine
    return f"{machine} {_PLACES[source.getrandbits(16) % len(_PLACES)]} {index + 1}"


def _state(source: random.Random, states: tuple[str, ...], index: int) -> str:
    if index < _SHOWN:
        return states[index % len(states)]
    if source.random() < _ACTIVE_SHARE:
        return "ACTIVE"
    return states[source.getrandbits(16) % len(states)]


def _status(
    state: str, errors: tuple[dict[str, Any], ...], index: int
) -> dict[str, Any]:
    if state != "FAILED":
        return {"state": state}
    return {
        "state": state,
        "error": dict(errors[index // len(ASSET_MODEL_STATES) % len(errors)]),
    }


def _source(*parts: object) -> random.Random:
    # The plant has to be the same on every machine, not hard to guess.
    return random.Random("/".join(map(str, parts)))  # noqa: S311


class Maker:
    """Makes the entities of one made-up account, one after the other.

    Each kind has a random source of its own, so that the first ten asset models are
    the same in a plant of ten and in one of a thousand.

    Args:
        seed: the same seed makes the same entities.
        region: goes into the ARNs.
        account: the twelve digits that go into the ARNs.
    """

    def __init__(self, seed: int, region: str, account: str) -> None:
        """Set up the account."""
        self._seed = seed
        self._region = region
        self._account = account
        self._partition = partition(region)

    def asset_models(self) -> Iterator[dict[str, Any]]:
        """Asset models without end, in wire form."""
        return self._endless(self._asset_model, "asset-models")

    def portals(self) -> Iterator[dict[str, Any]]:
        """Portals without end, in wire form."""
        return self._endless(self._portal, "portals")

    def projects(self, portal_id: str) -> Iterator[dict[str, Any]]:
        """One portal's projects without end, in wire form."""
        return self._endless(self._project, "projects", portal_id)

    def _endless(
        self,
        make: Callable[[random.Random, int], dict[str, Any]],
        *parts: str,
    ) -> Iterator[dict[str, Any]]:
        source = _source(self._seed, *parts)
        index = 0
        while True:
            yield make(source, index)
            index += 1

    def _asset_model(self, source: random.Random, index: int) -> dict[str, Any]:
        model_id = entity_id(source)
        created, updated = _dates(source, index)
        model: dict[str, Any] = {
            "id": model_id,
            "arn": f"arn:{self._partition}:iotsitewise:{self._region}:{self._account}"
            f":asset-model/{model_id}",
            "name": _name(source, index),
        }
        if index % 3 == 1:
            model["externalId"] = f"line-{index}:model_{index % 7}"
        kind = ASSET_MODEL_TYPES[index % len(ASSET_MODEL_TYPES)]
        if kind is not None:
            model["assetModelType"] = kind
        # The service model requires a description, so that one that was never given
        # comes as an empty string.
        model["description"] = _DESCRIPTIONS[index % len(_DESCRIPTIONS)] or ""
        model["creationDate"] = created
        model["lastUpdateDate"] = updated
        state = _state(source, ASSET_MODEL_STATES, index)
        model["status"] = _status(state, _ASSET_MODEL_ERRORS, index)
        if index % 5 != 3:  # noqa: PLR2004 - one in five has none, whichever
            model["version"] = str(1 + index % 12)
        return model

    def _portal(self, source: random.Random, index: int) -> dict[str, Any]:
        portal_id = entity_id(source)
        created, updated = _dates(source, index)
        portal: dict[str, Any] = {"id": portal_id, "name": _name(source, index)}
        _describe(portal, index)
        portal["startUrl"] = f"https://p-{portal_id[:8]}.app.iotsitewise.aws"
        if index % 7 != 4:  # noqa: PLR2004 - one in seven has none, whichever
            portal["creationDate"] = created
            portal["lastUpdateDate"] = updated
        if index % 4 != 3:  # noqa: PLR2004 - one in four has none, whichever
            portal["roleArn"] = (
                f"arn:{self._partition}:iam::{self._account}"
                f":role/service-role/SiteWiseMonitor+{index % 3}@plant"
            )
        state = _state(source, PORTAL_STATES, index)
        portal["status"] = _status(state, _PORTAL_ERRORS, index)
        kind = PORTAL_TYPES[index % len(PORTAL_TYPES)]
        if kind is not None:
            portal["portalType"] = kind
        return portal

    def _project(self, source: random.Random, index: int) -> dict[str, Any]:
        created, updated = _dates(source, index)
        project: dict[str, Any] = {
            "id": entity_id(source),
            "name": _name(source, index),
        }
        _describe(project, index)
        if index % 6 != 5:  # noqa: PLR2004 - one in six has none, whichever
            project["creationDate"] = created
            project["lastUpdateDate"] = updated
        return project


def _describe(record: dict[str, Any], index: int) -> None:
    description = _DESCRIPTIONS[index % len(_DESCRIPTIONS)]
    if description is not None:
        record["description"] = description


def partition(region: str) -> str:
    """The partition of a Region: the second part of its ARNs."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
