"""Servers for what the emulator does not emulate."""

from __future__ import annotations

import contextlib
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def scripted(answer: Callable[[str, bytes], tuple[int, bytes]]) -> Iterator[str]:
    """Answer each request by a function of its target and its body.

    The function returns the status and the body of the answer.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            status, content = answer(self.path, self.rfile.read(length))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - the name that the base class looks for

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@contextlib.contextmanager
def answering(
    body: Callable[[], bytes], *, status: int = 200, asked: list[bytes] | None = None
) -> Iterator[str]:
    """Answer each request with a status and what is given at that moment.

    The bodies of the requests are added to ``asked``.
    """

    def answer(_: str, request: bytes) -> tuple[int, bytes]:
        if asked is not None:
            asked.append(request)
        return status, body()

    with scripted(answer) as url:
        yield url
