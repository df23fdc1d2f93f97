"""A web server on loopback that answers as it is told: what real servers do only on bad days."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """``promised`` is the Content-Length, where it is to differ from the body's.

    With ``hang_up`` the connection ends without any answer.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    promised: int | None = None
    hang_up: bool = False


Script = Callable[[Request], Answer]


@contextmanager
def web_server(script: Script, *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Gives ``127.0.0.1:port`` of a server that answers every request by ``script``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = script(Request(self.command, self.path, dict(self.headers.items()), body))
            if answer.hang_up:
                self.close_connection = True
                return
            promised = len(answer.body) if answer.promised is None else answer.promised
            self.send_response_only(answer.status)
            for name, value in {"Content-Length": str(promised), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)
            self.close_connection |= promised != len(answer.body)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - http.server's names
        do_PROPFIND = do_MKCOL = do_MOVE = _answer  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # clients that refuse our certificate hang up; that is what is tested

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
