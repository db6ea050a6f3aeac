"""Serve HTTP on the loopback address, in a thread."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
import threading
import typing as t
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from emulator.certificates import pem

if t.TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from emulator.authorities import Authority

HOST = "127.0.0.1"
# A chain of five RSA certificates makes a header of about 8 KiB.
_LONGEST_HEADER = 65_536


@dataclass(frozen=True)
class Endpoint:
    """A port with the function that answers its requests.

    Args:
        answer: Answers a request, in the server's thread.
        port: The port; 0 for any free port.
        tls: Whether it uses TLS.
    """

    answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
    port: int
    tls: bool


class Server:
    """Serves endpoints in its own thread, from ``start`` to ``stop``.

    Args:
        endpoints: The endpoints.
        authority: The CA that issues the certificate for TLS.
    """

    def __init__(self, endpoints: Sequence[Endpoint], authority: Authority) -> None:
        """Keep the arguments."""
        self._endpoints = endpoints
        self._authority = authority
        self._thread = threading.Thread(target=self._run, name="emulator", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._bound: list[int] = []

    def port(self, number: int) -> int:
        """Return the port of an endpoint, given its place in ``endpoints``."""
        return self._bound[number] if self._bound else self._endpoints[number].port

    @property
    def ca_bundle(self) -> str:
        """Path of a PEM file with the CA for TLS. ``stop`` deletes it."""
        return str(Path(self._directory.name) / "ca-bundle.pem")

    def start(self) -> None:
        """Start to serve.

        Raises:
            OSError: A port is in use.
        """
        self._directory = tempfile.TemporaryDirectory(prefix="emulator-")
        Path(self.ca_bundle).write_bytes(pem(self._authority.certificate))
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            self.stop()
            raise self._failure

    def stop(self) -> None:
        """Close all connections, end the thread, and delete the files."""
        if self._loop is not None and self._stop is not None and self._failure is None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._directory.cleanup()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - `start` raises it
            self._failure = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        tls = self._tls_context()
        runners: list[web.ServerRunner] = []
        try:
            bound = []
            for endpoint in self._endpoints:
                server = web.Server(
                    endpoint.answer,
                    handler_cancellation=True,
                    access_log=None,
                    max_line_size=_LONGEST_HEADER,
                    max_field_size=_LONGEST_HEADER,
                )
                runner = web.ServerRunner(server, shutdown_timeout=0.01)
                runners.append(runner)
                await runner.setup()
                context = tls if endpoint.tls else None
                await web.TCPSite(
                    runner, HOST, endpoint.port, ssl_context=context, backlog=1024
                ).start()
                bound.append(int(runner.addresses[0][1]))
            self._bound = bound
            self._started.set()
            await self._stop.wait()
        finally:
            await _close(runners)

    def _tls_context(self) -> ssl.SSLContext:
        served = self._authority.server()
        file = Path(self._directory.name) / "server.pem"
        file.touch(mode=0o600)
        file.write_bytes(served.private_key + served.bundle)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(file)
        return context


async def _close(runners: list[web.ServerRunner]) -> None:
    """Stop listening, and abort the open connections."""
    open_transports = [
        connection.transport
        for runner in runners
        if runner.server is not None
        for connection in runner.server.connections
        if connection.transport is not None
    ]
    for transport in open_transports:
        # The usual way to close a TLS connection waits for the client.
        transport.abort()
    for runner in runners:
        await runner.cleanup()
    # The event loop closes the socket of an aborted transport in its next iteration, or
    # in the one after that if the connection uses TLS.
    for _ in range(3):
        await asyncio.sleep(0)
