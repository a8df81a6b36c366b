# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The work of the segmenter node: from raw messages to published labels, cycle by cycle."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.core.labels import UNKNOWN, FrameLabel, Segment
from m2r2_ros.core.time import to_ns
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.nodes.common.received import Received
from m2r2_ros.nodes.segmenter.health import Durations
from m2r2_ros.nodes.segmenter.live_windows import LiveWindows
from m2r2_ros.segmenters.model import Model
from m2r2_ros.segmenters.segments import SegmentBuilder
from m2r2_ros.segmenters.tally import LabelTally
from m2r2_ros.windows.fit import InputFit

STAGES: Final = ('window', 'label', 'publish')
#: Seconds in which waiting windows must be labelled, together with those that come meanwhile.
CATCH_UP: Final = 1.0
#: Cycles over which the usual cost of a window is taken: hiccups do not count.
_CYCLES: Final = 20


class Labelling:
    """Labels what is received and publishes it.

    Where the segmenter cannot keep up, the newest windows win: of those that wait, as many are
    labelled as it can manage within CATCH_UP, and the older ones are skipped and counted. One
    that is no faster than frames come labels only the newest.

    Attributes:
        model: What labels.
        failed: Steps that raised, whose messages are lost; counted by the caller.
        durations: Seconds of each of STAGES in a cycle that gave labels.
        latencies: Seconds from frame stamp to publication, of each label.
        labels: How many labels were published.
        refused: How many were not, since a number of theirs is NaN or infinite.
        last: The newest label.
        tally: Of the labels since it was last replaced.
        fit: Whether the inputs fit the training set.
        queue: The most messages that were taken in one step, until it is set to 0.
        slowest: The longest latency, s, until it is set to 0.
        fastest: The shortest, negative where stamps are ahead of the clock, until it is set to 0.
    """

    def __init__(
        self, model: Model, windows: LiveWindows, writer: LabelWriter, now: Callable[[], int]
    ) -> None:
        """Begin; publishes the label set.

        Args:
            model: The segmenter, warm, and its windows.
            windows: Where windows come from.
            writer: Where labels go.
            now: The ROS time, nanoseconds.
        """
        self._writer, self._now = writer, now
        self.durations = {stage: Durations() for stage in STAGES}
        self.latencies = Durations()
        self.labels = self.refused = self.queue = self.failed = self._skipped = 0
        self.slowest = self.fastest = 0.0
        self.last: FrameLabel | None = None
        self.tally = LabelTally()
        self._restart = False
        self._use(model, windows)

    @property
    def counters(self) -> Counter[str]:
        """Windows, masks, drops, skips and failures by name."""
        own = Counter({
            'windows.skipped': self._skipped,
            'steps.failed': self.failed,
            'labels.non_finite': self.refused,
        })  # fmt: skip
        return self.windows.driver.counters + self.model.segmenter.counters + own

    @property
    def period(self) -> float:
        """Frame period, s."""
        return 1 / self.model.windows.frame_rate

    def step(self, received: Mapping[str, Sequence[Received]], sim_time: int | None = None) -> None:
        """Take messages by topic; see LiveWindows.push."""
        began = time.perf_counter()
        self.queue = max(self.queue, sum(map(len, received.values())))
        windows = self.windows.push(received, sim_time)
        if len(windows):
            self._label(self._newest(windows), began)

    def swap(self, model: Model, windows: LiveWindows) -> None:
        """Go on with another model; the open segment closes.

        Raises:
            Exception: The other one failed, and the present one goes on.
        """
        self._close()
        self._use(model, windows)

    def finish(self) -> None:
        """Label what waits, and close the open segment."""
        windows = self.windows.driver.flush()
        if len(windows):
            self._label(windows, time.perf_counter())
        self._close()

    def _use(self, model: Model, windows: LiveWindows) -> None:
        builder = SegmentBuilder(to_ns(model.windows.max_gap))
        self._writer.write_label_set(
            model.segmenter.labels, model.id, self._now(), model.modalities
        )
        model.segmenter.counters.clear()
        self.model, self.windows, self._builder = model, windows, builder
        self.fit = InputFit(model.expectations)
        self._costs = Durations(_CYCLES)
        self.latencies.clear()

    def _close(self) -> None:
        self._publish(self.model.segmenter.finish())
        self._write_segments(self._builder.finish())

    def _newest(self, windows: FrameWindows) -> FrameWindows:
        """Skip the windows that there is no time for."""
        skip = max(0, len(windows) - self._affordable(len(windows)))
        if not skip:
            return windows
        self._skipped += skip
        kept = windows[skip:]
        restarts = kept.restarts.copy()
        restarts[0] |= windows.restarts[: skip + 1].any()
        return replace(kept, restarts=restarts)

    def _affordable(self, waiting: int) -> int:
        """Return how many windows can be labelled in time."""
        cost = self._costs.median
        if not cost:
            return waiting
        return max(1, int(CATCH_UP * (1 / cost - 1 / self.period)))

    def _label(self, windows: FrameWindows, began: float) -> None:
        cut = time.perf_counter()
        if self._restart:
            self._restart = False
            windows = replace(windows, restarts=windows.restarts | (np.arange(len(windows)) == 0))
        self.fit.add(windows)
        labels = self.model.segmenter.extend(windows)
        labelled = time.perf_counter()
        self._publish(labels)
        done = time.perf_counter()
        for stage, seconds in zip(
            STAGES, (cut - began, labelled - cut, done - labelled), strict=True
        ):
            self.durations[stage].note(seconds)
        self._costs.note((done - cut) / len(windows))

    def _publish(self, labels: list[FrameLabel]) -> None:
        finite = [label for label in labels if label.is_finite]
        if len(finite) < len(labels):
            # What the network remembers may be NaN too, and stay so.
            self.refused += len(labels) - len(finite)
            self._restart = True
        for label in finite:
            now = self._now()
            latency = (now - label.stamp) * 1e-9
            self._writer.write_label(label, self.model.id, latency, now)
            self.latencies.note(latency)
            self.slowest = max(self.slowest, latency)
            self.fastest = min(self.fastest, latency)
            self.last = label
            self.tally.add(label)
        self.labels += len(finite)
        self._write_segments(self._builder.add(finite))

    def _write_segments(self, closed: list[tuple[int, Segment]]) -> None:
        for index, segment in closed:
            label_id = (
                UNKNOWN if segment.reason else self.model.segmenter.labels.id_of(segment.label)
            )
            self._writer.write_segment(segment, label_id, index, self.model.id)
