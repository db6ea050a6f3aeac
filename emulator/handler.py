"""Answer HTTP requests: call the service, and inject faults."""

from __future__ import annotations

import asyncio
import time
import typing as t
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http import HTTPStatus

from aiohttp import web

from emulator import control, errors, roles_anywhere, sigv4, sts
from emulator.faults import ERRORS, PAGE_FAULTS, Answer, Call, Fault
from emulator.operations import SERVICE
from emulator.sitewise import Denials
from emulator.wire import JsonWire, QueryWire

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from emulator.faults import Failure, Faults
    from emulator.keys import AccessKey, Keyring
    from emulator.plant import Plant
    from emulator.roles_anywhere import RolesAnywhere
    from emulator.sitewise import SiteWise
    from emulator.stats import Stats
    from emulator.sts import Sts

_HTML = b"""<html>
<head><title>502 Bad Gateway</title></head>
<body><center><h1>502 Bad Gateway</h1></center></body>
</html>
"""
_HOLD_POLL_SECONDS = 0.01


class RequestHandler:
    """Answers HTTP requests for one emulated account.

    Args:
        region: The Region of the account.
        plant: The data.
        keys: The access keys of the account.
        sitewise: Answers the operations of SiteWise.
        sessions: Answers CreateSession.
        assuming: Answers the operations of STS.
        faults: The faults to inject.
        stats: Counts the requests.
    """

    def __init__(  # noqa: PLR0913 - the parts of the emulator
        self,
        *,
        region: str,
        plant: Plant,
        keys: Keyring,
        sitewise: SiteWise,
        sessions: RolesAnywhere,
        assuming: Sts,
        faults: Faults,
        stats: Stats,
    ) -> None:
        """Keep the arguments."""
        self._region = region
        self._keys = keys
        self._sitewise = sitewise
        self._sessions = sessions
        self._assuming = assuming
        self._faults = faults
        self._stats = stats
        self.denials = Denials()
        self._control = control.Control(plant, faults, stats, self.denials, self.now)
        self.clock_offset = 0.0

    def now(self) -> datetime:
        """Return the emulator's time: ``clock_offset`` ahead of the machine's time."""
        return datetime.now(timezone.utc) + timedelta(seconds=self.clock_offset)

    async def serve_sitewise(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request for SiteWise, for STS or for the emulator's controls."""
        path, _, query = request.raw_path.partition("?")
        if path.startswith(control.PREFIX):
            return await self._control.answer(request)
        signed = await _signed_request(request, path, query)
        if (request.method, path) == ("POST", "/"):
            # No operation of SiteWise has this path.
            return await self._serve_sts(request, signed)
        found = self._sitewise.request(signed)

        def reply(page_fault: Fault | None) -> tuple[int, bytes]:
            key = self._key(signed, SERVICE)
            if found is None:
                raise errors.unknown_operation()
            now = time.time_ns() + int(self.clock_offset * 1e9)
            body = self._sitewise.answer(found, key, self.denials, now, page_fault)
            return HTTPStatus.OK, body

        name = found.operation.name if found else "Unknown"
        parameters = found.parameters if found else signed.parameters
        content = found.content if found else None
        return await self._answer(
            request, name, parameters, reply, metered=True, content=content
        )

    def _key(self, signed: sigv4.SignedRequest, service: str) -> AccessKey:
        return sigv4.verify(
            signed, self._keys, region=self._region, service=service, now=self.now()
        )

    async def _serve_sts(
        self, request: web.BaseRequest, signed: sigv4.SignedRequest
    ) -> web.StreamResponse:
        """Answer a request for STS. Its parameters are in the body."""
        wire = QueryWire()
        parameters = sts.parameters(signed.body)
        given = dict(parameters)

        def reply(_: Fault | None) -> tuple[int, bytes]:
            try:
                key = self._key(signed, sts.SERVICE)
            except errors.ApiError as error:
                raise wire.translate(error) from None
            operation, result = self._assuming.answer(
                given, key, secure=signed.secure, denied=self.denials.actions
            )
            return HTTPStatus.OK, wire.success(operation, result)

        action = given.get("Action", "")
        name = action if action in sts.OPERATIONS else "Unknown"
        return await self._answer(
            request,
            name,
            parameters,
            reply,
            metered=False,
            wire=wire,
            query=signed.body.decode(errors="replace"),
        )

    async def serve_roles_anywhere(
        self, request: web.BaseRequest
    ) -> web.StreamResponse:
        """Answer a request for IAM Roles Anywhere."""
        path, _, query = request.raw_path.partition("?")
        signed = await _signed_request(request, path, query)
        known = (request.method, path) == ("POST", roles_anywhere.PATH)

        def reply(_: Fault | None) -> tuple[int, bytes]:
            if not known:
                raise errors.unknown_operation()
            return HTTPStatus.CREATED, self._sessions.create_session(signed, self.now())

        name = roles_anywhere.OPERATION if known else "Unknown"
        return await self._answer(
            request, name, signed.parameters, reply, metered=False
        )

    async def _answer(  # noqa: PLR0913 - what differs between the services
        self,
        request: web.BaseRequest,
        operation: str,
        parameters: list[tuple[str, str]],
        reply: Callable[[Fault | None], tuple[int, bytes]],
        *,
        metered: bool,
        content: object = None,
        wire: JsonWire | None = None,
        query: str | None = None,
    ) -> web.StreamResponse:
        wire = wire or JsonWire()
        if query is None:
            query = request.raw_path.partition("?")[2]
        number = self._stats.begin(operation, query)
        outcome: str | None = "ClientDisconnected"
        try:
            if self._faults.latency:
                await asyncio.sleep(self._faults.latency)
            while self._faults.hold():  # noqa: ASYNC110 - another thread ends it
                await asyncio.sleep(_HOLD_POLL_SECONDS)
            call = Call(operation, tuple(parameters), number, content)
            fault = self._faults.fault_for(call, metered=metered)
            response, outcome = await self._respond(request, fault, reply, wire)
            return response
        finally:
            self._stats.end(operation, outcome)

    async def _respond(
        self,
        request: web.BaseRequest,
        fault: Failure | None,
        reply: Callable[[Fault | None], tuple[int, bytes]],
        wire: JsonWire,
    ) -> tuple[web.StreamResponse, str | None]:
        """Return the response, and its error for the statistics, None for success."""
        if fault in {Fault.DROP, Fault.SILENCE}:
            if fault is Fault.SILENCE:
                await asyncio.sleep(self._faults.silence_seconds)
            if request.transport is not None:
                request.transport.abort()
            return web.Response(), str(fault.value)
        if fault is Fault.BAD_GATEWAY:
            page = web.Response(body=_HTML, status=502, content_type="text/html")
            return page, fault.value
        if isinstance(fault, Answer):
            headers = {**self._headers(wire), "Content-Type": fault.content_type}
            answer = web.Response(body=fault.body, status=fault.status, headers=headers)
            return answer, str(fault.status)
        try:
            if isinstance(fault, errors.ApiError):
                raise fault
            if fault in ERRORS:
                error = wire.translate(ERRORS[fault]())
                raise error
            # The fault applies only to requests that AWS does not refuse.
            status, body = reply(fault if fault in PAGE_FAULTS else None)
        except errors.ApiError as error:
            body, headers = wire.error(error)
            refusal = self._response(error.status, body, wire)
            refusal.headers.update(headers)
            return refusal, error.code
        outcome = None if fault is None else fault.value
        response = self._response(status, _with_fault(body, fault), wire)
        if fault is Fault.DROP_IN_BODY:
            return await self._drop_in_body(request, response, body), outcome
        return response, outcome

    async def _drop_in_body(
        self, request: web.BaseRequest, intended: web.Response, body: bytes
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=intended.status, headers=intended.headers)
        response.content_length = len(body)
        if request.transport is None or request.transport.is_closing():
            # The client was faster. aiohttp ends such a response without a traceback.
            return response
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        if request.transport is not None:
            request.transport.close()
        return response

    def _headers(self, wire: JsonWire) -> dict[str, str]:
        headers = {"x-amzn-RequestId": wire.request_id}
        if self.clock_offset:
            headers["Date"] = format_datetime(self.now(), usegmt=True)
        return headers

    def _response(self, status: int, body: bytes, wire: JsonWire) -> web.Response:
        return web.Response(
            body=body,
            status=status,
            headers=self._headers(wire),
            content_type=wire.content_type,
        )


def _with_fault(body: bytes, fault: Fault | None) -> bytes:
    if fault is Fault.NOT_JSON:
        return b"upstream connect error or disconnect/reset before headers"
    if fault is Fault.EMPTY_OBJECT:
        return b"{}"
    if fault is Fault.CUT_SHORT:
        return body[: len(body) * 2 // 3]
    return body


async def _signed_request(
    request: web.BaseRequest, path: str, query: str
) -> sigv4.SignedRequest:
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    body = await request.read() if request.body_exists else b""
    return sigv4.SignedRequest(
        request.method, path, query, headers, body, request.secure
    )
