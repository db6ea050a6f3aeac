"""The emulator's own doors under `/_emulator/`, for a shell or a benchmark.

`GET stats`, `GET plant`; `POST reset`, `POST faults`, `POST plant`. No signature is
asked for: the emulator listens on the loopback address and holds nothing real.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from emulator.faults import ANY, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from emulator.faults import Faults
    from emulator.plant import Plant
    from emulator.stats import Stats

PREFIX = "/_emulator/"
_FAULT_MEMBERS = frozenset(
    {
        "always",
        "at_random",
        "burst",
        "clear",
        "deny",
        "fail_next",
        "latency",
        "operations",
        "quota",
        "seed",
        "silence",
    }
)


def dump(content: object) -> bytes:
    """JSON as bytes."""
    return json.dumps(content).encode()


def _reply(content: object, status: int = HTTPStatus.OK) -> web.Response:
    return web.Response(
        body=dump(content), status=status, content_type="application/json"
    )


async def answer(
    request: web.BaseRequest,
    *,
    plant: Plant,
    faults: Faults,
    stats: Stats,
    denied_actions: set[str],
) -> web.Response:
    """Answer a request for one of the doors.

    Args:
        request: the request, its path under `PREFIX`.
        plant: may be changed.
        faults: may be set.
        stats: may be read and reset.
        denied_actions: IAM actions that nobody may do; may be changed.
    """
    door = request.path.removeprefix(PREFIX)
    try:
        if request.method == "GET":
            return _read(door, plant, stats)
        content = await request.json() if request.body_exists else {}
        if door == "reset":
            stats.reset()
            faults.clear()
            denied_actions.clear()
        elif door == "faults":
            set_faults(faults, content, denied_actions)
        elif door == "plant":
            _change_plant(plant, content)
        else:
            return _reply({"message": f"No such door: {door}"}, HTTPStatus.NOT_FOUND)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return _reply(
            {"message": f"{type(error).__name__}: {error}"}, HTTPStatus.BAD_REQUEST
        )
    return _reply({})


def _read(door: str, plant: Plant, stats: Stats) -> web.Response:
    if door == "stats":
        return _reply(stats.as_dict())
    if door == "plant":
        return _reply(
            {
                "assetModels": plant.asset_models,
                "portals": plant.portals,
                "projects": plant.projects,
            },
        )
    return _reply({"message": f"No such door: {door}"}, HTTPStatus.NOT_FOUND)


def set_faults(
    faults: Faults, content: dict[str, Any], denied_actions: set[str]
) -> None:
    """Switch faults on from JSON.

    Args:
        faults: where they are switched on.
        content: any of `clear` (true), `latency` and `silence` (seconds), `quota`
            (requests a second or null) with `burst`, `at_random` (fault names and
            shares) with `seed` and `operations`, `fail_next` and `always` (lists of
            `operation`, `fault`, `after`, and `times` for the former), `deny` (a list
            of IAM actions, which replaces what was denied).
        denied_actions: where `deny` goes.

    Raises:
        KeyError: a member that is none of these, or one that lacks.
        ValueError: a fault that there is not.
    """
    unknown = set(content).difference(_FAULT_MEMBERS)
    if unknown:
        raise KeyError(*sorted(unknown))
    if content.get("clear"):
        faults.clear()
    faults.latency = float(content.get("latency", faults.latency))
    faults.silence_seconds = float(content.get("silence", faults.silence_seconds))
    if "quota" in content:
        faults.set_quota(content["quota"], content.get("burst"))
    if "at_random" in content:
        faults.at_random(
            {Fault(name): float(share) for name, share in content["at_random"].items()},
            seed=content.get("seed", 0),
            operations=content.get("operations"),
        )
    _plan(faults, content)
    if "deny" in content:
        denied_actions.clear()
        denied_actions.update(content["deny"])


def _plan(faults: Faults, content: dict[str, Any]) -> None:
    for plan in content.get("fail_next", ()):
        faults.fail_next(
            plan.get("operation", ANY),
            Fault(plan["fault"]),
            times=plan.get("times", 1),
            after=plan.get("after", 0),
        )
    for plan in content.get("always", ()):
        faults.always(
            plan.get("operation", ANY),
            Fault(plan["fault"]),
            after=plan.get("after", 0),
        )


def _change_plant(plant: Plant, content: dict[str, Any]) -> None:
    deeds: dict[str, Callable[[str], object]] = {
        "delete_asset_model": plant.delete_asset_model,
        "delete_portal": plant.delete_portal,
        "delete_project": plant.delete_project,
        "touch_asset_model": plant.touch_asset_model,
        "touch_portal": plant.touch_portal,
        "touch_project": plant.touch_project,
    }
    for name, entity_id in content.items():
        deeds[name](entity_id)
