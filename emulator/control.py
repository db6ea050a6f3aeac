"""The emulator's controls under ``/_emulator/``, for a shell or a benchmark.

docs/emulator.md describes them. They need no signature: the emulator listens on the
loopback address only, and its data is not real.
"""

from __future__ import annotations

import json
import math
import typing as t
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

from aiohttp import web

from emulator.families import KINDS_BY_NAME
from emulator.faults import ANY, Fault
from emulator.listing import now

if t.TYPE_CHECKING:
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


class _NotFoundError(Exception):
    """The control, the kind or the record does not exist."""


class Control:
    """Answers requests for the controls.

    Args:
        plant: The plant that the requests read and change.
        faults: The faults that they switch on and off.
        stats: The counters that they read and reset.
        denied_actions: The IAM actions that the emulator denies. They change this set.
    """

    def __init__(
        self, plant: Plant, faults: Faults, stats: Stats, denied_actions: set[str]
    ) -> None:
        """Keep the arguments."""
        self._plant = plant
        self._faults = faults
        self._stats = stats
        self._denied_actions = denied_actions

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answer a request.

        Args:
            request: The request, its path under ``PREFIX``.

        Returns:
            JSON: status 200 with what was read or changed, 400 if the content is
            invalid, 404 if the control, kind or record does not exist.
        """
        path = request.raw_path.removeprefix(PREFIX)
        status = HTTPStatus.OK
        try:
            content = await _content(request)
            found = self._do(request.method, path, content)
        except _NotFoundError as error:
            status = HTTPStatus.NOT_FOUND
            found = {"message": f"Not found: {' '.join(map(str, error.args))}"}
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            status = HTTPStatus.BAD_REQUEST
            found = {"message": f"{type(error).__name__}: {error}"}
        return web.Response(
            # Indented and with a line break at the end, for a person with curl.
            body=json.dumps(found, indent=2).encode() + b"\n",
            status=status,
            content_type="application/json",
        )

    def _do(self, method: str, path: str, content: dict[str, t.Any]) -> object:
        match method, path:
            case "GET", "stats":
                return self._stats.as_dict()
            case "POST", "reset":
                self._stats.reset()
                self._faults.clear()
                self._denied_actions.clear()
                return {}
            case "POST", "faults":
                set_faults(self._faults, content, self._denied_actions)
                return {}
        path, _, query = path.partition("?")
        name, *parts = map(unquote, path.split("/"))
        if name != "plant":
            raise _NotFoundError(path)
        parent = dict(parse_qsl(query)).get("parent")
        try:
            return self._with_plant(method, parts, content, parent)
        except LookupError as error:
            raise _NotFoundError(*error.args) from None

    def _with_plant(
        self,
        method: str,
        parts: list[str],
        content: dict[str, t.Any],
        parent: str | None,
    ) -> object:
        moment = now()
        match method, parts:
            case "GET", []:
                return {kind: self._records(kind) for kind in KINDS_BY_NAME}
            case "GET", [kind]:
                return self._records(kind)
            case "POST", [kind]:
                generated = self._plant.generate(kind, parent)
                dates = dict.fromkeys(KINDS_BY_NAME[kind].dates, moment)
                record = {**generated, **dates, **content}
                return self._plant.add(kind, record, parent=parent)
            case "PATCH", [kind, record_id]:
                changed = dict.fromkeys(KINDS_BY_NAME[kind].dates[-1:], moment)
                members = {**changed, **content}
                return self._plant.change(kind, record_id, **members)
            case "DELETE", [kind, record_id]:
                self._plant.delete(kind, record_id)
                return {}
        raise _NotFoundError(method, *parts)

    def _records(self, kind: str) -> object:
        if KINDS_BY_NAME[kind].parents:
            return self._plant.by_parent(kind)
        return self._plant.listing(kind).records


async def _content(request: web.BaseRequest) -> dict[str, t.Any]:
    content = await request.json() if request.body_exists else {}
    if not isinstance(content, dict):
        msg = "The body must be a JSON object."
        raise TypeError(msg)
    return content


def set_faults(
    faults: Faults, content: dict[str, t.Any], denied_actions: set[str]
) -> None:
    """Switch faults on.

    Args:
        faults: The faults to change.
        content: A JSON object with any of these members: ``clear`` (true), ``latency``
            and ``silence`` (seconds), ``quota`` (requests per second or null) with
            ``burst``, ``at_random`` (faults with their probabilities) with ``seed`` and
            ``operations``, ``fail_next`` and ``always`` (lists of objects with
            ``operation``, ``fault``, ``after``, and in ``fail_next`` ``times``),
            ``deny`` (a list of IAM actions, which replaces the previous list).
        denied_actions: The set that ``deny`` replaces.

    Raises:
        KeyError: An object in ``fail_next`` or ``always`` names no fault.
        ValueError: There is no such member or fault, or a value is out of its range.
    """
    unknown = set(content).difference(_FAULT_MEMBERS)
    if unknown:
        msg = f"unknown members: {', '.join(sorted(unknown))}"
        raise ValueError(msg)
    if content.get("clear"):
        faults.clear()
    faults.latency = _seconds(content, "latency", faults.latency)
    faults.silence_seconds = _seconds(content, "silence", faults.silence_seconds)
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


def _seconds(content: dict[str, t.Any], member: str, present: float) -> float:
    value = float(content.get(member, present))
    if not 0 <= value < math.inf:
        msg = f"{member} must be a number of seconds, 0 or more"
        raise ValueError(msg)
    return value


def _plan(faults: Faults, content: dict[str, t.Any]) -> None:
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
