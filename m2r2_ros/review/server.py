# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The server: for whoever has the address that it prints, until it is told to end."""

import errno
import socket
import sys
from contextlib import suppress
from typing import Final

import uvicorn

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.review.app import ReviewApp
from m2r2_ros.review.guard import Guard, is_wildcard, new_token

#: Seconds for which one thread keeps the others waiting; an answer passes through several, and must
#: not wait long for what is read in the background.
_TURN: Final = 0.0005
#: Seconds for which answers that are under way are waited for at the end.
_PATIENCE: Final = 2


class ReviewServer:
    """Serves a review on one address.

    Attributes:
        url: What a browser opens; it holds the token.
    """

    def __init__(self, app: ReviewApp, host: str, port: int) -> None:
        """Take the address; whoever asks waits until the server runs.

        Args:
            app: What answers.
            host: Name or address to listen on.
            port: Port; 0 takes any that is free.

        Raises:
            ConfigError: The address cannot be listened on.
        """
        self._app = app
        self._socket = _listen(host, port)
        token = new_token()
        name = socket.gethostname() if is_wildcard(host) else host
        shown = f'[{name}]' if ':' in name else name
        self.url = f'http://{shown}:{self._socket.getsockname()[1]}/{token}/'
        config = uvicorn.Config(
            Guard(app.asgi, token, host),
            http='h11',
            ws='none',
            lifespan='off',
            log_level='error',
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_PATIENCE,
        )
        self._server = uvicorn.Server(config)

    def run(self) -> None:
        """Answer until Ctrl-C, or until `stop`."""
        turn = sys.getswitchinterval()
        sys.setswitchinterval(_TURN)
        try:
            with suppress(KeyboardInterrupt):
                self._server.run([self._socket])
        finally:
            sys.setswitchinterval(turn)
            self._app.close()
            self._socket.close()

    def stop(self) -> None:
        """End, from another thread."""
        self._server.should_exit = True


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        ConfigError: The name is not known, or the port is in use.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        msg = f'--host {host}: is no name or address of this machine: {error}'
        raise ConfigError(msg) from error
    found = socket.socket(family, kind, protocol)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(128)
    except OSError as error:
        found.close()
        if error.errno == errno.EADDRINUSE:
            msg = f'port {port} is in use: give another one with --port, or 0 for any'
        else:
            msg = f'{host}, port {port} cannot be listened on: {error.strerror}'
        raise ConfigError(msg) from error
    return found
