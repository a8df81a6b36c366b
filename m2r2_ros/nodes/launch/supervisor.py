# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs processes together: one output, one end, one exit code."""

import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

from m2r2_ros.core.text import printable
from m2r2_ros.nodes.launch.process import Process

#: What ends all: Ctrl-C, `kill` and systemd, and a terminal that was closed.
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: In which order nodes end: what sends first, and last what records, so that nothing is missed.
_ENDING: Final = ('sim', 'player', 'segmenter', 'visualizer', 'recorder')
#: Seconds that what was killed, and what it wrote, is waited for; and until a process is started
#: again.
_KILL: Final = 5.0
_RESPAWN: Final = 2.0
#: Longest piece of a line that is shown at once, bytes.
_LINE: Final = 65_536
#: What nodes find in their environment, unless it says otherwise: a format of the log without the
#: name, which is in front of each line already; and no imports from the folder that they start in.
_ENVIRONMENT: Final = {
    'RCUTILS_CONSOLE_OUTPUT_FORMAT': '[{severity}] {message}',
    'PYTHONSAFEPATH': '1',
}


@dataclass(frozen=True, slots=True)
class _Event:
    """Something that happened: a signal, a process that ended, or one that is due again."""

    kind: Literal['signal', 'ended', 'due']
    process: Process | None = None
    code: int = 0


class Supervisor:
    """Starts processes, shows what they write, and ends them in order."""

    def __init__(self, processes: Sequence[Process], show: Callable[[str], None]) -> None:
        """Look for all executables; nothing is started yet.

        Args:
            processes: What to run; each has its own executable.
            show: Takes each line, with the name of who wrote it in front; called in any thread,
                and must not raise: nodes are to end well in a terminal that was closed too.

        Raises:
            ConfigError: A package is not installed.
        """
        self._commands = {process.executable: process.command for process in processes}
        self._processes = list(processes)
        self._show = show
        self._width = max(map(len, self._commands))
        self._events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._watchers: list[threading.Thread] = []
        self._code = 0

    def run(self) -> int:
        """Run all until one ends that the others need, or a signal comes; return the exit code.

        To be called in the main thread. It is 0 after a signal and where an essential process is
        done, otherwise that of the first process that failed; 128 + n where signal n killed it.
        """
        with self._signals():
            try:
                for process in self._processes:
                    self._start(process)
                while not self._is_over(self._events.get()):
                    pass
            finally:
                self._end()
        return self._code

    @contextmanager
    def _signals(self) -> Iterator[None]:
        before = {
            number: signal.signal(number, lambda *_: self._events.put(_Event('signal')))
            for number in _SIGNALS
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start(self, process: Process) -> None:
        environment = {**_ENVIRONMENT, **os.environ}
        child = subprocess.Popen(
            self._commands[process.executable],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,  # Ctrl-C is ours alone: the order of the end depends on it
        )
        self._children[process.executable] = child
        watcher = threading.Thread(target=self._watch, args=(process, child), daemon=True)
        self._watchers.append(watcher)
        watcher.start()

    def _watch(self, process: Process, child: 'subprocess.Popen[bytes]') -> None:
        """Show what a process writes until it ends, in a thread."""
        stream = child.stdout
        assert stream is not None
        with stream:
            while line := stream.readline(_LINE):
                self._say(process.executable, line.decode(errors='replace').rstrip('\n'))
        code = child.wait()
        self._events.put(_Event('ended', process, 128 - code if code < 0 else code))

    def _say(self, name: str, text: str) -> None:
        self._show(f'{name:<{self._width}} | {printable(text)}')

    def _is_over(self, event: _Event) -> bool:
        """Take an event; return whether the others are to end."""
        process = event.process
        if process is None:
            self._say('m2r2', 'ending all nodes; once more kills those that are left')
            return True
        name = process.executable
        if event.kind == 'due':
            self._start(process)
            return False
        del self._children[name]
        how = f'ended with exit code {event.code}' if event.code else 'ended'
        if process.respawn:
            self._say('m2r2', f'{name} {how}; it is started again in {_RESPAWN:g} s')
            timer = threading.Timer(_RESPAWN, self._events.put, [_Event('due', process)])
            timer.daemon = True
            timer.start()
            return False
        over = process.ours and bool(process.essential or event.code)
        self._say('m2r2', f'{name} {how}{"; ending the others" if over else ""}')
        if over:
            self._code = event.code
        return over

    def _end(self) -> None:
        """End what runs, one after another."""
        for name in sorted(self._children, key=_rank):
            self._end_one(next(p for p in self._processes if p.executable == name))
        for watcher in self._watchers:
            watcher.join(_KILL)  # a viewer may have left a process of its own that has the pipe

    def _end_one(self, process: Process) -> None:
        # Not SIGINT: it is an exception in a Python that is still starting, which ends with 1.
        for number, patience in ((signal.SIGTERM, process.patience), (signal.SIGKILL, _KILL)):
            if child := self._children.get(process.executable):
                if number == signal.SIGKILL:
                    self._say('m2r2', f'{process.executable} does not end and is killed')
                child.send_signal(number)
                self._wait_for(process.executable, patience)

    def _wait_for(self, name: str, patience: float) -> None:
        """Wait until a process has ended, or `patience` seconds; note what else happens."""
        deadline = time.monotonic() + patience
        while name in self._children:
            try:
                event = self._events.get(timeout=max(deadline - time.monotonic(), 0.0))
            except queue.Empty:
                return
            if event.kind == 'signal':
                for child in self._children.values():
                    child.kill()
            elif event.kind == 'ended' and event.process is not None:
                self._note_end(event.process, event.code)

    def _note_end(self, process: Process, code: int) -> None:
        del self._children[process.executable]
        # One that was still being loaded may not know yet how to end.
        if code and code != 128 + signal.SIGTERM:
            self._say('m2r2', f'{process.executable} ended with exit code {code}')
            self._code = self._code or (code if process.ours else 0)


def _rank(name: str) -> int:
    return _ENDING.index(name) if name in _ENDING else -1
