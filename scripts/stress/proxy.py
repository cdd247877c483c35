"""A proxy in front of a server, which now and then answers itself."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlparse

__all__ = ["Answer", "Proxy"]

PAGE = b"<html><body>Please wait, we are improving our service.</body></html>"
#: Headers of one hop only.
HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "host")


class Answer(NamedTuple):
    """What the proxy says instead of the server."""

    status: int
    body: bytes = PAGE


#: Takes the method, the path and the number of the request; ``None`` lets it through.
Fault = Callable[[str, str, int], Answer | None]


class Proxy:
    """A proxy on a free port, as a context manager.

    Parameters
    ----------
    upstream
        Address of the server.
    fault
        Decides what the proxy answers itself; may be changed at any time.
    """

    def __init__(self, upstream: str, fault: Fault) -> None:
        self.fault, self.answered, self._count = fault, 0, 0
        self._lock = threading.Lock()
        host = urlparse(upstream).netloc
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _handle(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                answer = proxy._decide(self.command, self.path)
                if answer is not None:
                    self._answer(answer.status, [("content-type", "text/html")], answer.body)
                    return
                connection = http.client.HTTPConnection(host, timeout=60)
                headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
                connection.request(self.command, self.path, body or None, headers)
                got = connection.getresponse()
                kept = [(k, v) for k, v in got.getheaders() if k.lower() not in HOP]
                self._answer(got.status, kept, got.read())
                connection.close()

            def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
                self.send_response(status)
                for key, value in headers:
                    self.send_header(key, value)
                if status in (301, 302, 307, 308):
                    self.send_header("location", self.path)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815  # its names

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.uri = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def _decide(self, method: str, path: str) -> Answer | None:
        with self._lock:
            self._count += 1
            answer = self.fault(method, path, self._count)
            self.answered += answer is not None
        return answer

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
