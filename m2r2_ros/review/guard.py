# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who may ask: only whoever has the token, from the page itself, under a name of this machine.

A page of someone else, open in the same browser, can send requests to this machine, and can have
its own name point here. Neither knows the token; Host and Origin are looked at besides.
"""

import hmac
import ipaddress
import secrets
import socket
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from m2r2_ros.review.answers import error_answer

#: Bytes of the body of a request.
MOST_BODY: Final = 32 << 20

_LOOPBACK: Final = frozenset({'localhost', '127.0.0.1', '::1'})
_SAFE: Final = frozenset({'GET', 'HEAD'})
#: What every answer has; a shell has a policy of its own.
_HEADERS: Final = {
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cache-Control': 'no-store',
}


def new_token() -> str:
    """Return a token that nobody can guess."""
    return secrets.token_urlsafe(24)


class Guard:
    """Lets through what may be asked, and hands it on with the token taken off its path."""

    def __init__(self, app: ASGIApp, token: str, host: str) -> None:
        """Guard an application.

        Args:
            app: The application.
            token: First segment of every path.
            host: Name or address that is listened on.
        """
        self._app, self._token = app, token.encode()
        self._names = {*_LOOPBACK, host.lower().strip('[]')}
        # Whoever listens on all addresses is asked by each of them.
        self._any_address = is_wildcard(host)
        if self._any_address:
            self._names |= {socket.gethostname().lower(), socket.getfqdn().lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope['type'] == 'websocket':
            await send({'type': 'websocket.close', 'code': 1008})
            return
        if scope['type'] != 'http':
            return

        async def send_guarded(message: Message) -> None:
            if message['type'] == 'http.response.start':
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer, rest = self._refusal(scope)
        if answer is not None:
            await answer(scope, receive, send_guarded)
            return
        inner = {**scope, 'path': rest, 'raw_path': rest.encode(), 'root_path': ''}
        await self._app(inner, receive, send_guarded)

    def _refusal(self, scope: Scope) -> tuple[ASGIApp | None, str]:
        """Return the answer to what is not let through, or None and the path without the token."""
        headers = Headers(scope=scope)
        hosts = headers.getlist('host')
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            return error_answer(421, 'this server does not go by that name'), ''
        # Whether the token is right is told only where the name is.
        given, slash, rest = str(scope['path']).removeprefix('/').partition('/')
        if not hmac.compare_digest(given.encode('utf-8', 'replace'), self._token):
            return PlainTextResponse('not found\n', 404), ''
        method = scope['method']
        if method not in {*_SAFE, 'POST'}:
            return error_answer(405, f'{method} is not answered here'), ''
        if not _is_same_origin(headers, scope, is_shell=not rest):
            return error_answer(403, 'only the page itself may ask'), ''
        if not slash:
            return RedirectResponse(f'/{given}/', 307), ''
        if method == 'POST' and (problem := _body_problem(headers)):
            return problem, ''
        return None, '/' + rest

    def _is_ours(self, host: str) -> bool:
        try:
            name = (urlsplit(f'//{host}').hostname or '').rstrip('.')
        except ValueError:
            return False
        return name in self._names or (self._any_address and _is_address(name))


def _is_same_origin(headers: Headers, scope: Scope, *, is_shell: bool) -> bool:
    """Return whether a request comes from the page, or opens it."""
    origins = headers.getlist('origin')
    if origins and origins != [f'{scope["scheme"]}://{headers["host"]}']:
        return False
    if scope['method'] == 'POST' and not origins:
        return False
    site = headers.get('sec-fetch-site', 'same-origin')
    # A link in another page, such as a terminal in the browser, may open it.
    opens = headers.get('sec-fetch-mode') == 'navigate' and scope['method'] in _SAFE and is_shell
    return site in {'same-origin', 'none'} or opens


def _body_problem(headers: Headers) -> ASGIApp | None:
    kind = headers.get('content-type', '').partition(';')[0].strip().lower()
    if kind != 'application/json':
        return error_answer(415, 'expected application/json')
    length = headers.get('content-length', '0')
    if not length.isdecimal() or len(length) > len(str(MOST_BODY)) or int(length) > MOST_BODY:
        return error_answer(413, f'at most {MOST_BODY} bytes are taken')
    return None


def is_wildcard(host: str) -> bool:
    """Return whether a host stands for all addresses of the machine."""
    return _is_address(host) and ipaddress.ip_address(host.strip('[]')).is_unspecified


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip('[]'))
    except ValueError:
        return False
    return True
