# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An S3 server for tests: that of moto, with faults and slowness on demand, and a log."""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

#: What clients take their store and its credentials from.
CREDENTIALS = {
    'AWS_ACCESS_KEY_ID': 'testing',
    'AWS_SECRET_ACCESS_KEY': 'testing-secret',
    'AWS_DEFAULT_REGION': 'us-east-1',
    'AWS_EC2_METADATA_DISABLED': 'true',
    'AWS_CONFIG_FILE': '/dev/null',
    'AWS_SHARED_CREDENTIALS_FILE': '/dev/null',
}
_SLOW_DOWN = (
    b'<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>'
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came, at some second of the clock."""

    method: str
    key: str
    query: str
    range: str
    condition: str
    bytes: int
    at: float


@dataclass(slots=True)
class Fault:
    """What becomes of some requests instead of an answer.

    Attributes:
        kind: 'busy', 'cut' (half of the body, then nothing) or 'lost' (done, but not answered).
        matches: Which requests.
        times: How many of them.
    """

    kind: str
    matches: Callable[[Request], bool]
    times: int = 1


@dataclass
class StoreServer:
    """The server.

    Attributes:
        url: Its address.
        log: The requests that came.
        faults: What becomes of some.
        latency: Seconds before each answer.
    """

    url: str = ''
    log: list[Request] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    latency: float = 0.0
    _puts: threading.Lock = field(default_factory=threading.Lock)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs to know."""
        return {**CREDENTIALS, 'AWS_ENDPOINT_URL': self.url}

    def gets(self, ending: str = '') -> list[Request]:
        """Return the requests for bytes of files whose keys end so."""
        return [r for r in self.log if r.method == 'GET' and r.key.endswith(ending) and not r.query]

    def application(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        request = Request(
            environ['REQUEST_METHOD'],
            unquote(environ['PATH_INFO'].encode('latin-1').decode()),
            environ.get('QUERY_STRING', ''),
            environ.get('HTTP_RANGE', ''),
            environ.get('HTTP_IF_NONE_MATCH', '') or environ.get('HTTP_IF_MATCH', ''),
            int(environ.get('CONTENT_LENGTH') or 0),
            time.time(),
        )
        with self._lock:
            self.log.append(request)
            fault = next((f for f in self.faults if f.times and f.matches(request)), None)
            if fault:
                fault.times -= 1
        time.sleep(self.latency)
        if fault and fault.kind == 'busy':
            environ['wsgi.input'].read(request.bytes)
            start('503 Slow Down', [('Content-Type', 'application/xml')])
            return [_SLOW_DOWN]
        if request.method == 'PUT':
            with self._puts:  # moto looks and writes in two steps, where S3 does it in one
                answer = list(self._moto(environ, start))
        else:
            answer = list(self._moto(environ, start))
        if fault:
            return _cut(b''.join(answer), fault.kind, environ['werkzeug.socket'])
        return answer

    def _moto(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        return self._app(environ, start)

    def __post_init__(self) -> None:
        self._app = DomainDispatcherApplication(create_backend_app)


def _cut(body: bytes, kind: str, connection: socket.socket) -> Iterator[bytes]:
    """Yield half of a body, or nothing, and let the connection go."""
    if kind == 'cut':
        yield body[: len(body) // 2]
    connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError


class _Quiet(WSGIRequestHandler):
    """Does not print every request."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Print nothing."""

    def log_error(self, format: str, *args: Any) -> None:
        """Print nothing."""


@contextmanager
def store_server(latency: float = 0.0, port: int = 0) -> Iterator[StoreServer]:
    """Run a server on this machine."""
    server = StoreServer(latency=latency)
    http = make_server('127.0.0.1', port, server.application, True, request_handler=_Quiet)
    server.url = f'http://127.0.0.1:{http.server_port}'
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
