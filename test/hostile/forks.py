# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Processes that run at the same time, and that are stopped or killed at a moment of choice."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from test.cli.run import m2r2

#: What changes a folder, beside writing into files that are open.
_STEPS: Final = ('mkdir', 'open', 'rename', 'replace', 'unlink', 'rmdir')


def fork(act: Callable[[], int], log: Path) -> int:
    """Run `act` in a process of its own, which exits with what it returns; return its id."""
    sys.stdout.flush()
    if pid := os.fork():
        return pid
    code = 99
    try:
        code = act()
    except BaseException as error:
        log.write_text(f'{type(error).__name__}: {error}')
    finally:
        os._exit(code)


def command(log: Path, *arguments: object) -> Callable[[], int]:
    """Return what runs `m2r2`, with its errors in a file; 98 for one that ended in a traceback."""

    def act() -> int:
        result = m2r2(*arguments)
        log.write_text(result.err)
        return 98 if 'Traceback' in result.err else result.code

    return act


def ended(pid: int) -> int:
    """Wait for a process; return its exit code, or that of the signal, negative."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def stopped(pid: int) -> bool:
    """Wait until a process stops or ends; return whether it stopped, and can go on."""
    _, status = os.waitpid(pid, os.WUNTRACED)
    return os.WIFSTOPPED(status)


def killed_after(pid: int, seconds: float) -> int:
    """Kill a process after a while; return how it ended."""
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    return ended(pid)


def signalled(act: Callable[[], int], step: int, number: signal.Signals) -> Callable[[], int]:
    """Return what does the same, and is sent a signal before its so many-th step in a folder."""

    def wrapped() -> int:
        left = step

        def counted(name: str) -> Callable[..., Any]:
            real = getattr(os, name)

            def call(*arguments: Any, **options: Any) -> Any:
                nonlocal left
                if name != 'open' or arguments[1] & os.O_CREAT:
                    left -= 1
                    if not left:
                        os.kill(os.getpid(), number)
                return real(*arguments, **options)

            return call

        for name in _STEPS:
            setattr(os, name, counted(name))
        return act()

    return wrapped
