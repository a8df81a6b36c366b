# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The passes of a replay: every message when it is due, and the clock in between."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import count
from typing import Final

from rclpy.node import Node
from rclpy.time import Time
from rosgraph_msgs.msg import Clock

from m2r2_ros.core.messages import MessageBlock, in_order
from m2r2_ros.nodes.common.timeline import Timeline
from m2r2_ros.nodes.player.outlets import Outlets, restamped
from m2r2_ros.nodes.player.schedule import Interval
from m2r2_ros.replay.ahead import one_ahead

CLOCK_TOPIC: Final = '/clock'
#: How often the clock is published, in wall time and in recorded time, nanoseconds.
_TICK: Final = 10_000_000
#: Delay, wall seconds, at which the schedule itself is postponed.
_SLIP: Final = 0.5
#: Wall seconds that subscribers have to confirm what was sent.
_CONFIRM: Final = 5.0


class Playback:
    """Plays an interval of a recording, repeatedly if asked to.

    Attributes:
        state: What it does.
        now: What the clock says, nanoseconds.
        passes: Passes begun.
        published: Messages published.
        put_off: Wall seconds by which the schedule was put off, since publishing did not keep up.
        lags: How late the newest messages were published, wall seconds; the reader empties it.
    """

    def __init__(
        self,
        node: Node,
        interval: Interval,
        outlets: Outlets,
        timeline: Timeline,
        *,
        clock: bool,
        restamp: bool,
    ) -> None:
        """Get ready.

        Args:
            node: Has the clock that stamps are moved to, and publishes /clock.
            interval: What to play.
            outlets: Where to.
            timeline: Says when.
            clock: Whether to publish /clock.
            restamp: Whether stamps are moved, as if a pass were recorded while it is played.
        """
        self._node, self._interval, self._outlets = node, interval, outlets
        self._timeline, self._restamp = timeline, restamp
        self._clock = node.create_publisher(Clock, CLOCK_TOPIC, 10) if clock else None
        self._closing = threading.Event()
        self.now, self._offset = interval.begin, 0
        self._ticked = self._ticked_at = 0
        self.state, self.passes, self.published, self.put_off = 'waiting', 0, 0, 0.0
        self.lags: deque[float] = deque(maxlen=100_000)

    def stop(self) -> None:
        """Let `run` return; to be called in another thread."""
        self._closing.set()

    def run(self, patience: float, again: Callable[[], bool]) -> None:
        """Play.

        Args:
            patience: Longest time to wait until each topic has a subscriber, seconds.
            again: FieldSelection after each pass whether there is another.

        Raises:
            BagError: The recording is corrupt.
        """
        self._wait_for_subscribers(patience)
        for begins, blocks in one_ahead(self._parts(again)):
            if begins:
                if self.passes and not (self._reach(self._end) and again()):
                    break
                self._begin()
            if not self._play(blocks):
                break
        self._confirm()

    def _wait_for_subscribers(self, patience: float) -> None:
        if not patience:
            return
        self.state = 'waiting for subscribers'
        deadline = time.monotonic() + patience
        while (unheard := self._outlets.unheard()) and not self._closing.is_set():
            if time.monotonic() > deadline:
                names = ', '.join(unheard)
                self._node.get_logger().warning(f'{names} has no subscriber; playing anyway')
                return
            self._tick()
            self._closing.wait(_TICK / 1e9)

    def _parts(self, again: Callable[[], bool]) -> Iterator[tuple[bool, list[MessageBlock]]]:
        """Yield the parts of pass after pass, each with whether a pass begins with it.

        Where there is likely to be another pass, what it begins with is read while the one before
        it is played, so that there is no pause in between.
        """
        for number in count():
            begins = True
            if number and not again():  # which may change
                yield True, []
                begins = False
            for blocks in self._interval.batches(list(self._outlets), self._outlets.latched):
                yield begins, blocks
                begins = False
            if begins:
                yield True, []

    def _play(self, blocks: list[MessageBlock]) -> bool:
        """Play a part of a pass; False where it is to stop."""
        outlets = self._outlets
        for due, topic, message in in_order(blocks):
            if due > self.now and not self._reach(due):
                return False
            raw = message.tobytes()
            if self._restamp and topic in outlets.stamped:
                raw = restamped(raw, self._offset)
            self.published += outlets.publish(topic, raw)
            self.lags.append(self._timeline.behind(due))
        return not self._closing.is_set()

    @property
    def _end(self) -> int:
        """When a pass ends, nanoseconds; one of a single message takes some time too."""
        return max(self._interval.end, self._interval.begin + _TICK)

    def _begin(self) -> None:
        """Start a pass, once its first messages are in memory."""
        self.state = 'playing'
        self.passes += 1
        self._offset = self._node.get_clock().now().nanoseconds - self._interval.begin
        self.now = self._ticked = 0
        self._timeline.jump(self._interval.begin)

    def _reach(self, due: int) -> bool:
        """Let time go by until `due` (ns); False where it is to stop."""
        while not self._closing.is_set():
            if (behind := self._timeline.behind(due)) > _SLIP:
                self.put_off += behind
                self._timeline.jump(due)
            # In steps: a replay that is behind must neither run ahead with its clock nor ignore
            # services.
            self.now = min(self._timeline.position(), due + _TICK)
            self._tick()
            if due <= self.now:
                return True
            self._timeline.sleep(due)
        return False

    def _tick(self) -> None:
        """Publish the clock where it is time to."""
        wall = time.monotonic_ns()
        if abs(self.now - self._ticked) < _TICK and wall - self._ticked_at < _TICK:
            return
        self._ticked, self._ticked_at = self.now, wall
        if self._clock:
            self._clock.publish(Clock(clock=Time(nanoseconds=self.now).to_msg()))

    def _confirm(self) -> None:
        """Wait until reliable subscribers have had everything."""
        deadline = time.monotonic() + _CONFIRM
        while (names := self._outlets.unconfirmed()) and not self._closing.is_set():
            if time.monotonic() > deadline:
                text = f'not all was received on {", ".join(names)}: a subscriber is too slow'
                self._node.get_logger().warning(text)
                return
            self._closing.wait(_TICK / 1e9)
