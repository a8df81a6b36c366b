# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Only the page may ask, with the token, and for nothing but what is reviewed."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from m2r2_ros.review import guard
from test.replay.recordings import SECOND, START
from test.review.recordings import CAMERA, film, write_session
from test.review.served import LAYER, Client, served

SAVE = 'api/recordings/0/layers'


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('guarded')
    write_session(folder / 'one', film(CAMERA, [START, START + 3 * SECOND]))
    (folder / 'secret.txt').write_text('secret')
    return folder


@pytest.fixture(scope='module')
def client(folder: Path) -> Iterator[Client]:
    with served(folder) as client:
        yield client


def test_nothing_is_answered_without_the_token(client: Client) -> None:
    token = client.base.strip('/')
    assert len(token) >= 32
    for path in (
        '/', '/api/folder', '/web/page.css', f'/{token[:-1]}/', f'/{token}x/api/folder',
        f'/{token[:-1]}?/', '//', f'//{token}/', '/%00/', '/%ff/', '/%ED%B3%BF/',
    ):  # fmt: skip
        answer = client.raw('GET', path)
        assert answer.status == 404, path
        assert b'one' not in answer.body
    assert client.raw('POST', f'/x/{SAVE}', b'{}').status == 404
    assert client.ok('api/folder').json['recordings'][0]['name'] == 'one'


def test_tokens_differ() -> None:
    assert len({guard.new_token() for _ in range(50)}) == 50


def test_the_address_without_a_slash_leads_to_the_page(client: Client) -> None:
    answer = client.raw('GET', client.base.rstrip('/'))
    assert (answer.status, answer.headers['location']) == (307, client.base)


@pytest.mark.parametrize(
    'host', ['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:80', '10.0.0.1',
             '0.0.0.0', '[::2]', '[', 'a@127.0.0.1:1@evil.example', ' ', '2130706433']
)  # fmt: skip
def test_other_names_of_the_machine_are_refused(client: Client, host: str) -> None:
    for path in (client.base, client.base + 'api/folder'):
        answer = client.raw('GET', path, headers={'Host': host})
        assert answer.status in {400, 421}
        assert b'<script' not in answer.body


def test_hosts_are_one(client: Client) -> None:
    with socket.create_connection(client.host.split(':')) as plain:  # type: ignore[arg-type]
        lines = f'GET {client.base} HTTP/1.1\r\nHost: {client.host}\r\nHost: evil.example\r\n\r\n'
        plain.sendall(lines.encode())
        assert b' 200 ' not in plain.recv(200)
    with socket.create_connection(client.host.split(':')) as plain:  # type: ignore[arg-type]
        plain.sendall(f'GET {client.base} HTTP/1.0\r\n\r\n'.encode())
        assert b' 200 ' not in plain.recv(200)


def test_loopback_has_several_names(client: Client) -> None:
    port = client.host.rpartition(':')[2]
    for host in (f'localhost:{port}', f'LOCALHOST:{port}', f'[::1]:{port}', 'localhost.'):
        assert client.get('api/folder', {'Host': host}).status == 200


@pytest.mark.parametrize(
    'headers',
    [
        {'Origin': 'http://evil.example'},
        {'Origin': 'null'},
        {'Origin': 'https://127.0.0.1'},
        {'Sec-Fetch-Site': 'cross-site'},
        {'Sec-Fetch-Site': 'same-site'},
    ],
)
def test_other_pages_may_not_ask(client: Client, headers: dict[str, str]) -> None:
    assert client.get('api/folder', headers).status == 403
    assert client.post(SAVE, LAYER, headers).status == 403
    assert not client.ok('api/folder').json['counts']['done']


def test_a_link_may_open_the_page_alone(client: Client) -> None:
    link = {'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate'}
    assert client.get('', link).status == 200
    assert client.get('api/folder', link).status == 403
    assert client.post('', LAYER, {**link, 'Origin': ''}).status == 403


@pytest.mark.parametrize(
    ('headers', 'status'),
    [
        ({'Origin': ''}, 403),
        ({'Content-Type': 'text/plain'}, 415),
        ({'Content-Type': ''}, 415),
        ({'Content-Type': 'application/x-www-form-urlencoded'}, 415),
        ({'Content-Length': '999999999999'}, 413),
    ],
)
def test_only_json_of_the_page_is_taken(
    client: Client, headers: dict[str, str], status: int
) -> None:
    assert client.post(SAVE, b'{}', headers).status == status


def test_bodies_have_a_bound(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    big = b' ' * (guard.MOST_BODY + 1)
    assert client.post(SAVE, b'', {'Content-Length': str(len(big))}).status == 413
    chunked = b'%x\r\n%s\r\n0\r\n\r\n' % (len(big), big)
    answer = client.post(SAVE, chunked, {'Transfer-Encoding': 'chunked'})
    assert answer.status == 413
    assert 'at most' in answer.error


@pytest.mark.parametrize('method', ['PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'NONE'])
def test_other_methods_are_refused(client: Client, method: str) -> None:
    assert client.raw(method, client.base, headers={'Origin': client.origin}).status == 405
    assert client.get(SAVE).status == 405
    assert client.post('api/folder', {}).status == 405


@pytest.mark.parametrize(
    'path',
    [
        '../secret.txt', 'web/../../secret.txt', 'web/..%2f..%2fsecret.txt', 'web/%2e%2e/app.py',
        'web//etc/passwd', 'web/', 'web', 'web/shell.py', 'web/page.css/', 'web/%00', 'secret.txt',
        'api/recordings/../folder', 'api/recordings/-1', 'api/recordings/1', 'api/recordings/0x0',
        'api/recordings/%D9%A0', 'api/recordings/one', 'api/recordings/..%2f..%2fsecret.txt',
        f'api/recordings/{"9" * 5000}', 'api/recordings/0/', 'api/recordings/0/secret.txt',
        'api/recordings/0/frame?camera=..%2f..%2fsecret.txt&t=1',
    ],
)  # fmt: skip
def test_no_path_leads_to_a_file(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status == 404
    assert b'secret' not in answer.body.replace(b'secret.txt', b'')


def test_every_answer_has_the_headers(client: Client) -> None:
    answers = [
        client.get(''), client.get('api/folder'), client.get('web/page.css'), client.get('none'),
        client.get('api/recordings/0'), client.raw('GET', '/'), client.post(SAVE, b'?'),
        client.raw('GET', '/', headers={'Host': 'evil.example'}), client.get('api/recordings/9'),
    ]  # fmt: skip
    for answer in answers:
        assert answer.headers['x-content-type-options'] == 'nosniff'
        assert answer.headers['referrer-policy'] == 'no-referrer'
        assert answer.headers['cache-control'] == 'no-store'
        assert "frame-ancestors 'none'" in answer.headers['content-security-policy']
        assert 'server' not in answer.headers
        assert 'access-control-allow-origin' not in answer.headers


def test_the_page_lets_no_other_script_run(client: Client) -> None:
    nonces = set()
    for _ in range(2):
        answer = client.ok('')
        (nonce,) = re.findall(r"'nonce-([^']+)'", answer.headers['content-security-policy'])
        scripts = re.findall(rb'<script[^>]*>', answer.body)
        assert scripts
        assert all(f'nonce="{nonce}"'.encode() in script for script in scripts)
        assert "script-src 'self' 'nonce-" in answer.headers['content-security-policy']
        nonces.add(nonce)
    assert len(nonces) == 2


def test_the_modules_are_served_as_scripts(client: Client) -> None:
    style = client.ok('web/page.css')
    assert style.headers['content-type'].startswith('text/css')
    script = client.ok('web/container.js')
    assert script.headers['content-type'].startswith('text/javascript')


@pytest.mark.parametrize('path', ['frame?camera=image&t=nan', 'frame?camera=image&t=1e999',
                                  'frame?camera=image', 'frame?camera=image&t=x',
                                  'sound?start=0&end=31', 'sound?start=1&end=1',
                                  'stretch?start=0&end=21', 'stretch?start=-1&end=1',
                                  'stretch?start=2&end=1', 'stretch'])  # fmt: skip
def test_times_that_are_none_are_refused(client: Client, path: str) -> None:
    answer = client.get(f'api/recordings/0/{path}')
    assert answer.status == 400
    assert answer.error
