"""A server for what the emulator does not emulate: one body, whatever it is asked."""

from __future__ import annotations

import contextlib
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def answering(
    body: Callable[[], bytes], *, status: int = 200, asked: list[bytes] | None = None
) -> Iterator[str]:
    """Answer each request with a status and what is given at that moment.

    The bodies of the requests are added to ``asked``.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            request = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if asked is not None:
                asked.append(request)
            content = body()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - the base class has it so

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
