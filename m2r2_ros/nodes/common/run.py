# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node as a process: signals, spinning, and a clean end with the right exit code."""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, Final, NoReturn, Protocol

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args

from m2r2_ros.core.errors import ConfigError, M2R2Error
from m2r2_ros.nodes.common.about import About
from m2r2_ros.nodes.common.executor import Executor
from m2r2_ros.nodes.common.faults import Faults, sendable
from m2r2_ros.nodes.common.stop import Stop

#: Ctrl-C, `kill` and launch, and a terminal that was closed.
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Seconds until the executor goes on after an error of its own.
_PAUSE: Final = 0.05


class Runnable(Protocol):
    """What a node needs in addition to being an rclpy Node.

    Attributes:
        faults: Where exceptions of its callbacks are noted.
    """

    faults: Faults

    def start(self) -> None:
        """Begin to work; an M2R2Error ends the process with exit code 2."""

    def close(self) -> None:
        """Stop all threads and complete what is written; called once, when nothing spins."""


class Spinner:
    """Runs a node's callbacks in a thread."""

    def __init__(self, node: Node, faults: Faults) -> None:
        """Begin to spin; what callbacks raise is noted."""
        self._executor = Executor(node.context, faults)
        self._executor.add_node(node)
        self._faults = faults
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._spin, name='spin')
        self._thread.start()

    def stop(self) -> None:
        """Return once no callback runs any more."""
        self._stopping.set()
        self._executor.shutdown()
        self._thread.join()
        self._executor.join()

    def _spin(self) -> None:
        while not self._stopping.is_set():
            try:
                self._executor.spin()
            except ExternalShutdownException:
                return
            except Exception as error:
                self._faults.note('executor', error)
                self._stopping.wait(_PAUSE)


def run(make: Callable[[Stop], Any], about: About) -> NoReturn:
    """Run a node until it is done or the process is told to end.

    Exit code 0 after SIGINT, SIGTERM, SIGHUP and where the node is done, 2 where the user has to
    correct something, 1 after an error of ours.

    Args:
        make: Makes the node, which is an rclpy Node and a Runnable.
        about: What --help shows, and what arguments are compared with.
    """
    if {'-h', '--help'} & {*sys.argv[1:]}:
        print(about.help())
        sys.exit(0)
    stop = Stop()
    for number in _SIGNALS:
        signal.signal(number, lambda *_: stop.set_by_signal())
    try:
        rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:
        sys.exit(_tell(ConfigError(f'arguments: {error}; --help shows what there is')))
    try:
        about.check(sys.argv[1:], remove_ros_args(sys.argv)[1:])
    except ConfigError as error:
        sys.exit(_tell(error))
    code = _live(make, stop)
    rclpy.try_shutdown()
    sys.stdout.flush()
    # Threads of libraries may outlive the interpreter, and abort the process on its way out.
    os._exit(code)


def _live(make: Callable[[Stop], Any], stop: Stop) -> int:
    """Make a node, run it and close it; return the exit code."""
    node = None
    try:
        node = make(stop)
        node.start()
        spinner = Spinner(node, node.faults)
        stop.wait()
        spinner.stop()
    except Exception as error:
        if not stop.is_set():  # it could not start
            stop.set(_tell(error))
    try:
        if node is not None:
            node.close()
            node.destroy_node()
    except Exception as error:
        return stop.exit_code or _tell(error)
    return stop.exit_code


def _tell(error: Exception) -> int:
    """Say why the process ends; return its exit code."""
    expected = isinstance(error, M2R2Error)
    text = str(error) if expected else ''.join(traceback.format_exception(error))
    print(f'error: {sendable(text)}', file=sys.stderr, flush=True)
    return 2 if expected else 1
