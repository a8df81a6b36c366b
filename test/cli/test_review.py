# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 review`."""

import getpass
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from m2r2_ros.cli import review
from test.cli.run import done, m2r2
from test.review.served import Client

COMMAND = (sys.executable, '-m', 'm2r2_ros.cli.main', 'review')


@contextmanager
def running(*arguments: object) -> Iterator[tuple[subprocess.Popen[str], Client]]:
    command = [*COMMAND, *map(str, arguments), '--no-browser', '--port', '0']
    pipes = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as server:  # type: ignore[call-overload]
        try:
            yield server, Client(server.stdout.readline().strip())
        finally:
            server.kill()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_the_url_is_all_that_is_printed_and_a_signal_ends_it(robots: Path, number: int) -> None:
    with running(robots) as (server, client):
        folder = client.ok('api/folder').json
        assert [entry['name'] for entry in folder['recordings']] == ['first', 'second']
        assert folder['annotator'] == getpass.getuser()
        assert client.ok('').body.startswith(b'<!doctype html>')
        server.send_signal(number)
        code = server.wait(10)
        assert code == (0 if number == signal.SIGINT else -number)
        assert server.stdout is not None
        assert server.stderr is not None
        assert server.stdout.read() == ''
        told = server.stderr.read()
    assert 'Traceback' not in told
    assert told.count('\n') == 1


def test_options_reach_the_page(robots: Path, tmp_path: Path) -> None:
    topics = tmp_path / 'topics.yaml'
    topics.write_text('wrench: null\n')
    labels = tmp_path / 'labels.yaml'
    labels.write_text('labels: {move: [reach], hold: [grip]}\n')
    given = ('--annotator', 'Ada', '--topics', topics, '--label-set', labels)
    with running(robots, *given) as (_, client):
        folder = client.ok('api/folder').json
    assert folder['annotator'] == 'Ada'
    found = [(label['name'], label['parent']) for label in folder['labels']]
    assert found == [('reach', 'move'), ('grip', 'hold')]


def test_a_port_in_use_is_told(robots: Path) -> None:
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = taken.getsockname()[1]
        error = m2r2('review', robots, '--no-browser', '--port', port).error
    assert f'port {port} is in use' in error
    assert '--port' in error


def test_a_host_that_is_none_is_told(robots: Path) -> None:
    for host in ('no.such.host.invalid', '203.0.113.7', 'a' * 100):
        error = m2r2('review', robots, '--no-browser', '--host', host, '--port', 0).error
        assert host in error


def test_without_the_extra_the_way_out_is_told(
    robots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review, 'find_spec', lambda name: None)
    error = m2r2('review', robots).error
    assert "pip install 'm2r2_ros[review]'" in error


def test_a_folder_without_recordings_is_told(tmp_path: Path) -> None:
    assert 'holds no recording' in m2r2('review', tmp_path, '--no-browser').error
    assert 'does not exist' in m2r2('review', tmp_path / 'none', '--no-browser').error


def test_help_has_an_example() -> None:
    assert 'For example: m2r2 review recordings --labels out' in done('review', '--help').out
