# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A review that is served in this process, and a client that sends what a browser would, or not."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from m2r2_ros.core.labels import LabelSet
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.review.app import ReviewApp, ReviewOptions
from m2r2_ros.review.finding import find_reviewed
from m2r2_ros.review.folder import ReviewFolder
from m2r2_ros.review.server import ReviewServer


class Answer(NamedTuple):
    """What the server answered; names of headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        assert self.headers['content-type'] == 'application/json'
        return json.loads(self.body)

    @property
    def error(self) -> str:
        assert self.status >= 400
        assert set(self.json) == {'error'}
        return str(self.json['error'])


class Client:
    """Asks the server at a URL."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.base = parts.netloc, parts.path
        self.origin = f'http://{self.host}'
        self.log: list[str] = []

    def raw(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> Answer:
        """Send a request; a header '' is left out."""
        sent = {'Host': self.host, **headers}
        name, _, port = self.host.partition(':')
        connection = HTTPConnection(name, int(port), timeout=30)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        if body is not None and 'Transfer-Encoding' not in sent:
            sent = {'Content-Length': str(len(body)), **sent}
        for name, value in sent.items():
            if value:
                connection.putheader(name, value)
        connection.endheaders(body)
        found = connection.getresponse()
        answer = Answer(found.status, {k.lower(): v for k, v in found.getheaders()}, found.read())
        connection.close()
        return answer

    def get(self, path: str, headers: Mapping[str, str] = {}) -> Answer:
        """Ask for something below the token."""
        return self.raw('GET', self.base + path, None, headers)

    def ok(self, path: str) -> Answer:
        """Ask for something that is there."""
        answer = self.get(path)
        assert answer.status == 200, answer
        return answer

    def post(self, path: str, content: Any, headers: Mapping[str, str] = {}) -> Answer:
        """Send JSON, or bytes, as the page does."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        usual = {
            'Origin': self.origin,
            'Content-Type': 'application/json',
            'Sec-Fetch-Site': 'same-origin',
        }
        return self.raw('POST', self.base + path, body, {**usual, **headers})

    def save(self, number: int = 0, **changes: Any) -> Answer:
        """Save a layer."""
        return self.post(f'api/recordings/{number}/layers', {**LAYER, **changes})


#: A layer that can be saved.
LAYER: dict[str, Any] = {
    'annotator': 'Ada',
    'labels': [{'name': 'reach', 'parent': 'move'}, {'name': 'push', 'parent': ''}],
    'segments': [
        [0, 1_000_000_000, 0, 0.9, True],
        [1_000_000_000, 2_000_000_000, 1, 0.4, False],
        [2_000_000_000, 2_500_000_000, -1, None, False],
    ],
    'from': '',
    'done': True,
    'edits': 3,
    'seconds': 12.5,
}


@contextmanager
def served(
    *folders: Path,
    labels: Sequence[Path] = (),
    offered: LabelSet | None = None,
    topics: Mapping[str, TopicSpec] | None = None,
    host: str = '127.0.0.1',
) -> Iterator[Client]:
    """Serve a review."""
    log: list[str] = []
    reviewed = find_reviewed(folders, labels, log.append)
    folder = ReviewFolder(reviewed, folders[0].name, offered)
    app = ReviewApp(folder, ReviewOptions('Someone', topics or {}, offered, log.append))
    server = ReviewServer(app, host, 0)
    folder.look()
    thread = Thread(target=server.run)
    thread.start()
    client = Client(server.url)
    client.log = log
    try:
        yield client
    finally:
        server.stop()
        thread.join(10)
        assert not thread.is_alive()
