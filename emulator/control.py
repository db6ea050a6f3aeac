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
    from collections.abc import Callable
    from datetime import datetime

    from emulator.faults import Faults
    from emulator.plant import Plant
    from emulator.sitewise import Denials
    from emulator.stats import Stats

PREFIX = "/_emulator/"
_FAULT_MEMBERS = frozenset(
    {
        "always",
        "at_random",
        "burst",
        "clear",
        "deny",
        "deny_series",
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
        denials: What the emulator denies. They change it.
        clock: Returns the emulator's time.
    """

    def __init__(
        self,
        plant: Plant,
        faults: Faults,
        stats: Stats,
        denials: Denials,
        clock: Callable[[], datetime],
    ) -> None:
        """Keep the arguments."""
        self._plant = plant
        self._faults = faults
        self._stats = stats
        self._denials = denials
        self._clock = clock

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
            content = await request.json() if request.body_exists else {}
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

    def _do(self, method: str, path: str, content: t.Any) -> object:  # noqa: ANN401
        path, _, query = path.partition("?")
        name, *parts = map(unquote, path.split("/"))
        options = dict(parse_qsl(query))
        if name == "values":
            return self._with_values(method, "/".join(parts), content, options)
        if not isinstance(content, dict):
            msg = "The body must be a JSON object."
            raise TypeError(msg)
        match method, path:
            case "GET", "stats":
                return self._stats.as_dict()
            case "POST", "reset":
                self._stats.reset()
                self._faults.clear()
                self._denials.clear()
                return {}
            case "POST", "faults":
                set_faults(self._faults, content, self._denials)
                return {}
        if name != "plant":
            raise _NotFoundError(path)
        try:
            return self._with_plant(method, parts, content, options.get("parent"))
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

    def _with_values(
        self,
        method: str,
        series_id: str,
        content: t.Any,  # noqa: ANN401 - any JSON value
        options: dict[str, str],
    ) -> object:
        if method not in {"GET", "POST"} or not self._plant.has(
            "time_series", series_id
        ):
            raise _NotFoundError(method, "values", series_id)
        values = self._plant.values
        if method == "POST":
            added = content["values"] if isinstance(content, dict) else content
            values.add(series_id, added)
            return added
        until = int(options.get("until", self._clock().timestamp()))
        return values.between(series_id, int(options.get("after", until - 3600)), until)

    def _records(self, kind: str) -> object:
        if KINDS_BY_NAME[kind].parents:
            return self._plant.by_parent(kind)
        return self._plant.listing(kind).records


def set_faults(faults: Faults, content: dict[str, t.Any], denials: Denials) -> None:
    """Switch faults on.

    Args:
        faults: The faults to change.
        content: A JSON object with any of these members: ``clear`` (true), ``latency``
            and ``silence`` (seconds), ``quota`` (requests per second or null) with
            ``burst``, ``at_random`` (faults with their probabilities) with ``seed`` and
            ``operations``, ``fail_next`` and ``always`` (lists of objects with
            ``operation``, ``fault``, ``after``, and in ``fail_next`` ``times``),
            ``deny`` and ``deny_series`` (lists of IAM actions and of IDs of time
            series, which replace the previous lists).
        denials: What ``deny`` and ``deny_series`` replace.

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
    for member, denied in (
        ("deny", denials.actions),
        ("deny_series", denials.series),
    ):
        if member in content:
            denied.clear()
            denied.update(content[member])


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
