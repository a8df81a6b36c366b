# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A command `m2r2` for scripts that starts at once: it forks a process that has torch already.

Each command still runs in a process of its own, with the arguments, folder, variables and streams
that it was called with; only the imports, some seconds for each, are done once.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CLIENT = """#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    request = json.dumps([sys.argv, os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [len(request).to_bytes(4, 'big')], [0, 1, 2])
    server.sendall(request)
    sys.exit(server.recv(1)[0])
"""


@contextmanager
def command_server(folder: Path) -> Iterator[Path]:
    """Start a server; yields the folder that holds `m2r2`, to be put in front of PATH."""
    address = folder / 'socket'
    client = folder / 'm2r2'
    client.write_text(CLIENT.format(python=sys.executable, address=str(address)))
    client.chmod(0o755)
    command = [sys.executable, '-m', 'test.command_server', str(address)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == b'ready\n'
            yield folder
        finally:
            server.terminate()


def serve(address: str) -> None:
    """Fork a process for each command."""
    import torch  # noqa: F401 - what every command would import by itself
    from transformers import ASTModel  # noqa: F401

    import m2r2_ros.training.pretraining.pretrain
    import m2r2_ros.training.train  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        print('ready', flush=True)
        while True:
            client, _ = listener.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os._exit(answer(client))
            client.close()


def answer(client: socket.socket) -> int:
    """Run the command that a client asks for, and send it the exit code."""
    length, streams, _, _ = socket.recv_fds(client, 4, 3)
    request = b''
    while len(request) < int.from_bytes(length, 'big'):
        request += client.recv(1 << 16)
    sys.argv, folder, environment = json.loads(request)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    client.sendall(bytes([run()]))
    return 0


def run() -> int:
    """Run `m2r2` as its entry point does; return the exit code."""
    from m2r2_ros.cli.main import main

    code: Any = 0
    try:
        main()
    except SystemExit as end:
        code = end.code or 0
    sys.stdout.flush()
    sys.stderr.flush()
    return int(code)


if __name__ == '__main__':
    serve(sys.argv[1])
