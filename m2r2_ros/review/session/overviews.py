# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The overview of a recording while a thread reads it."""

from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Any

from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.pages.container import Container
from m2r2_ros.pages.overview import Overview


class OverviewReader:
    """Reads a recording from its beginning in a thread, which can be stopped and go on."""

    def __init__(
        self, overview: Overview, more: Callable[[Container], dict[str, Any]] = lambda out: {}
    ) -> None:
        """Read nothing yet.

        Args:
            overview: What is read.
            more: Returns what else is shown with it, whose arrays the container takes.
        """
        self._overview: Overview | None = overview
        self._more = more
        self._steps = overview.read()
        self._lock = Lock()
        self._stopped = Event()
        self._thread: Thread | None = None
        self._packed: tuple[float, bytes] | None = None
        self._problem: M2R2Error | OSError | None = None

    def start(self) -> None:
        """Read on, unless all has been read."""
        with self._lock:
            idle = self._thread is None or not self._thread.is_alive() or self._stopped.is_set()
            if self._overview is None or not idle:
                return
            self._stopped = Event()
            self._thread = Thread(target=self._run, args=(self._stopped,), daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop reading, soon."""
        self._stopped.set()

    def snapshot(self) -> bytes:
        """Return what has been read until now, as a container.

        Raises:
            M2R2Error: The recording cannot be read.
        """
        with self._lock:
            if self._problem is not None:
                raise self._problem
            if self._overview is not None:
                progress = self._overview.progress
                if self._packed is None or self._packed[0] != progress:
                    self._packed = (progress, self._pack(self._overview))
            assert self._packed is not None
            return self._packed[1]

    def _pack(self, overview: Overview) -> bytes:
        out = Container()
        return out.pack(overview.pack(out) | self._more(out))

    def _run(self, stopped: Event) -> None:
        while not stopped.is_set():
            with self._lock:
                if self._overview is None or self._problem is not None:
                    return
                try:
                    if next(self._steps, None) is None:
                        # What is shown stays; what it was made of can go.
                        self._packed = (1.0, self._pack(self._overview))
                        self._overview = None
                except (M2R2Error, OSError) as error:
                    self._problem = error
