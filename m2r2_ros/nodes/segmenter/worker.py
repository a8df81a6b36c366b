# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one thread that takes messages, labels them and publishes."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout  # Python 3.10 has two
from contextlib import contextmanager
from typing import Final

from rclpy.node import Node

from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.nodes.common.faults import Faults
from m2r2_ros.nodes.common.publishing import PublisherSink
from m2r2_ros.nodes.common.received import Received
from m2r2_ros.nodes.common.status import ERROR, WARN, Status
from m2r2_ros.nodes.segmenter.labelling import Labelling
from m2r2_ros.nodes.segmenter.live_windows import LiveWindows
from m2r2_ros.nodes.segmenter.status import LiveStatus, unserved
from m2r2_ros.nodes.segmenter.streams import Streams
from m2r2_ros.segmenters.model import Model

#: Seconds between two looks for messages while a frame is due, and the longest wait before.
_SHORT: Final = 0.001
_LONG: Final = 0.1
#: Seconds that a due window's messages are held back for those that it waits for, and between two
#: looks where nothing comes any more.
_PATIENCE: Final = 0.02
#: Seconds that messages are held back where the next frame is far away.
_HELD: Final = 0.2
#: Seconds from a step to the next one, should it have come too early.
_AGAIN: Final = 0.003
#: Nanoseconds by which what a window waits for may come earlier than ever of late.
_EARLY: Final = 1_000_000
#: Seconds without a sign of life after which the thread counts as stuck.
_STUCK: Final = 5.0
#: Seconds in which the last labels are made.
_ENDING: Final = 10.0
_STATUS_PERIOD: Final = 1.0


class Worker:
    """Labels from `begin` to `stop`.

    The middleware keeps what comes while the network is busy, so that one thread is enough and no
    queue lies in between.
    """

    def __init__(self, node: Node, model: Model, streams: Streams, faults: Faults) -> None:
        """Make publishers; the thread begins with `begin`."""
        self._node, self._streams = node, streams
        self._faults = faults
        self._model = model
        self._sink = PublisherSink(node)
        self._writer = LabelWriter(self._sink)
        self._status = LiveStatus()
        self._warned: set[tuple[str, str]] = set()
        self._statuses: list[Status] = []
        self._seen = self._told = time.monotonic()
        self._held: dict[str, list[Received]] = {}
        self._awaited: dict[str, int] = {}
        self._stepped = self._due = 0.0
        self._asked: tuple[Model, Future[None]] | None = None
        self._stopping = threading.Event()
        self._labelling: Labelling | None = None
        self._thread = threading.Thread(target=self._run, name='labelling', daemon=True)

    def begin(self) -> None:
        """Begin to label, unless it has begun."""
        if self._thread.ident is None:
            self._seen = time.monotonic()
            self._thread.start()

    def swap(self, model: Model) -> None:
        """Go on with another model from the next frame on; returns once it is in.

        Raises:
            M2R2Error: It was not taken up.
        """
        if self._thread.ident is None:
            self._model = model
            return
        asked: Future[None] = Future()
        self._asked = model, asked
        try:
            asked.result(_STUCK)
        except FutureTimeout as error:
            # It is taken up either for certain or not at all.
            if not asked.cancel():
                asked.result()
                return
            msg = f'labelling did not take up the model within {_STUCK:g} s: see /diagnostics'
            raise M2R2Error(msg) from error

    def stop(self) -> None:
        """Label what is complete, close the open segment and take the topics down."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(_ENDING)
        with self._faults.caught('the end of labelling'):
            if self._thread.is_alive():
                msg = f'labelling has not come to an end within {_ENDING:g} s and is left behind'
                raise M2R2Error(msg)
            self._sink.close()

    @property
    def counters(self) -> Counter[str]:
        """Windows, masks, drops, skips and lost messages by name."""
        lost = {f'{m}.lost': inlet.lost for m, inlet in self._streams.serving.items()}
        return Counter(lost) + (self._labelling.counters if self._labelling else Counter())

    @property
    def samples(self) -> int:
        """Messages with a sample."""
        health = self._labelling.windows.health if self._labelling else {}
        return sum(stream.count for stream in health.values())

    def statuses(self) -> list[Status]:
        """Return the newest state."""
        if not self._statuses:
            return [Status('labels', WARN, 'waiting for topics'), *unserved(self._streams)]
        silent = time.monotonic() - self._seen
        if silent > _STUCK:
            message = f'labelling has made no progress for {silent:.0f} s'
            return [Status('labels', ERROR, message), *self._statuses[1:]]
        return self._statuses

    def _run(self) -> None:
        while self._labelling is None and not self._stopping.wait(_LONG):
            with self._faults.caught('labelling'):
                self._labelling = self._begin()
        labelling = self._labelling
        if labelling is None:
            return
        while not self._stopping.is_set():
            with self._counted(labelling):
                self._cycle(labelling)
            self._stopping.wait(self._pause(labelling))
        with self._counted(labelling):
            self._take(labelling)
            self._step(labelling)
        with self._counted(labelling):
            labelling.finish()

    def _begin(self) -> Labelling:
        return Labelling(self._model, self._windows(self._model), self._writer, self._now)

    @contextmanager
    def _counted(self, labelling: Labelling) -> Iterator[None]:
        """Note what a step raises, whose messages are lost."""
        try:
            yield
        except Exception as error:
            labelling.failed += 1
            self._faults.note('labelling', error)

    def _cycle(self, labelling: Labelling) -> None:
        began = time.monotonic()
        asked, self._asked = self._asked, None
        if asked is not None:
            self._swap(labelling, *asked)
        if self._worth_a_step(began):
            self._take(labelling)
            if any(self._held.values()):
                self._step(labelling)
        if began - self._told > _STATUS_PERIOD:
            self._told = began
            self._statuses = self._status.collect(labelling, self._streams, self._now())
            self._warn(labelling)
        self._seen = began

    def _warn(self, labelling: Labelling) -> None:
        """Log what does not fit the training set, and what has failed, once for each model."""
        for failing in labelling.model.segmenter.warnings:
            if (labelling.model.id, failing) not in self._warned:
                self._warned.add((labelling.model.id, failing))
                self._node.get_logger().error(failing)
        for warning in labelling.fit.warnings():
            # Figures go on changing; what is before them names the problem.
            problem = labelling.model.id, warning.partition(' is ')[0]
            if problem not in self._warned:
                self._warned.add(problem)
                self._node.get_logger().warning(f'does not fit the model: {warning}')

    def _swap(self, labelling: Labelling, model: Model, asked: 'Future[None]') -> None:
        """Take another model up, unless it was waited for too long."""
        if not asked.set_running_or_notify_cancel():
            return
        try:
            labelling.swap(model, self._windows_for(labelling, model))
        except Exception as error:  # raised where it is waited for
            asked.set_exception(error)
        else:
            asked.set_result(None)

    def _take(self, labelling: Labelling) -> None:
        for topic, received in self._streams.take().items():
            self._held.setdefault(topic, []).extend(received)
        # Only now: what has come is read then, even of a topic that appeared just before.
        labelling.windows.follow(self._streams.sources)

    def _step(self, labelling: Labelling) -> None:
        self._stepped = time.monotonic()
        now = time.time_ns()
        held, self._held = self._held, {}
        self._awaited = {}  # until it is known again, should the step fail
        labelling.step(held, self._sim_time())
        self._awaited = labelling.windows.awaited()
        until = max(self._awaited.values(), default=now) - now
        self._due = self._stepped + (until - _EARLY) * 1e-9

    def _worth_a_step(self, now: float) -> bool:
        """Return whether what has come may complete a window, or was held for long enough.

        A step has its price, however few the messages are, and so has a look at a topic: before
        the window is due there is none, and then only at those that it waits for.
        """
        if now < self._due:
            return now - self._stepped > _HELD
        if now - self._stepped < _AGAIN:
            return False
        if not self._awaited or now - max(self._due, self._stepped) > _PATIENCE:
            return now - self._stepped > _PATIENCE
        for topic, received in self._streams.take(self._awaited).items():
            self._held.setdefault(topic, []).extend(received)
            if received and received[-1].time > self._awaited[topic] - _EARLY:
                del self._awaited[topic]
        return not self._awaited

    def _pause(self, labelling: Labelling) -> float:
        """Return how long to wait: until the next window is about due, in short steps after."""
        now = time.monotonic()
        if labelling.windows.driver.assembler.clock is None:
            return _LONG
        if now < self._due:
            return min(max(self._due - now, _SHORT), _LONG)
        silent = not self._awaited or now - max(self._due, self._stepped) > _LONG
        return _PATIENCE if silent else _SHORT

    def _windows(self, model: Model) -> LiveWindows:
        return LiveWindows(model.windows, model.modalities, self._streams.given)

    def _windows_for(self, labelling: Labelling, model: Model) -> LiveWindows:
        """Keep the windows where another model wants the same."""
        old = labelling.model
        if (old.windows, old.modalities) == (model.windows, model.modalities):
            return labelling.windows
        return self._windows(model)

    def _now(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)

    def _sim_time(self) -> int | None:
        return self._now() if self._node.get_clock().ros_time_is_active else None
