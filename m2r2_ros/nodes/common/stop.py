# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a node ends its process, and how the process ends its threads."""

import _thread
import threading


class Stop:
    """Set once, by a signal or by the node itself; says with which exit code to end."""

    def __init__(self) -> None:
        """Make one that is not set."""
        self._event = threading.Event()
        self.exit_code = 0

    def set(self, exit_code: int = 0) -> None:
        """End the process, unless it is ending already."""
        if not self._event.is_set():
            self.exit_code = exit_code
        self._event.set()

    def set_by_signal(self) -> None:
        """End the process; for signal handlers, which may interrupt one that begins to wait."""
        # The interrupted one may have the lock that `set` needs. Starting a Thread takes locks too.
        _thread.start_new_thread(self.set, ())

    def is_set(self) -> bool:
        """Return whether the process is to end."""
        return self._event.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, or `timeout` seconds; returns whether it is set."""
        return self._event.wait(timeout)
