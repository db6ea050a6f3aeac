"""A thread that serves HTTP on the loopback address."""

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
# A certificate chain of five RSA certificates takes some 8 KiB of one header.
_LONGEST_HEADER = 65_536


@dataclass(frozen=True)
class Door:
    """One port and what answers there.

    Attributes:
        answer: Answers a request, in the serving thread.
        port: The port; 0 for any free one.
        tls: Whether it is served over TLS.
    """

    answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
    port: int
    tls: bool


class Serving:
    """Serves doors from a thread of its own, between ``start`` and ``stop``.

    Args:
        doors: What is served.
        authority: Issues the certificate of the TLS doors.
    """

    def __init__(self, doors: Sequence[Door], authority: Authority) -> None:
        """Serve nothing yet."""
        self._doors = doors
        self._authority = authority
        self._thread = threading.Thread(target=self._run, name="emulator", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._bound: list[int] = []

    def port(self, number: int) -> int:
        """Return the port of a door, by its place among the doors."""
        return self._bound[number] if self._bound else self._doors[number].port

    @property
    def ca_bundle(self) -> str:
        """Path of a PEM file with the TLS doors' authority. Gone after ``stop``."""
        return str(Path(self._directory.name) / "ca-bundle.pem")

    def start(self) -> None:
        """Serve.

        Raises:
            OSError: A port is taken.
        """
        self._directory = tempfile.TemporaryDirectory(prefix="emulator-")
        Path(self.ca_bundle).write_bytes(pem(self._authority.certificate))
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            self.stop()
            raise self._failure

    def stop(self) -> None:
        """Stop at once. The thread and the files are gone afterwards."""
        if self._loop is not None and self._stop is not None and self._failure is None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._directory.cleanup()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits
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
            for door in self._doors:
                server = web.Server(
                    door.answer,
                    handler_cancellation=True,
                    access_log=None,
                    max_line_size=_LONGEST_HEADER,
                    max_field_size=_LONGEST_HEADER,
                )
                runner = web.ServerRunner(server, shutdown_timeout=0.01)
                runners.append(runner)
                await runner.setup()
                context = tls if door.tls else None
                await web.TCPSite(
                    runner, HOST, door.port, ssl_context=context, backlog=1024
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
        # A TLS connection that is closed politely waits for the client to agree.
        transport.abort()
    for runner in runners:
        await runner.cleanup()
    # An aborted transport closes its socket in the loop's next round, and a TLS one
    # in the round after.
    for _ in range(3):
        await asyncio.sleep(0)
