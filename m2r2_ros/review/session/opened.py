# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A recording that is open in the page."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from m2r2_ros.bags.labels.clock import clock_of
from m2r2_ros.bags.labels.layers import Layer
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.sensors import Sensors
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.time import SECOND
from m2r2_ros.pages.container import Container
from m2r2_ros.pages.document import labels_of, page_json
from m2r2_ros.pages.lanes import LABELS, LAYER, TRUTH, LabelLane, lanes_of, layer_lane
from m2r2_ros.pages.overview import Overview, duration_of, stretch
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.review.media.frames import CameraFrame, Frames
from m2r2_ros.review.media.sound import Sound
from m2r2_ros.review.session.overviews import OverviewReader

#: Lanes that editing may begin with, the first that there is.
_BASES = (LAYER, TRUTH, LABELS)


class OpenRecording:
    """A recording with what can be asked of it; several threads may ask at once.

    Attributes:
        path: The recording.
        clock: When it was made.
    """

    def __init__(
        self,
        path: Path,
        labels: Sequence[Path],
        topics: Mapping[str, TopicSpec],
        offered: LabelSet | None,
        least: float = 0.0,
    ) -> None:
        """Open a recording; nothing but its index is read.

        Args:
            path: The recording.
            labels: Label bags of it.
            topics: Topics by modality; what is not given is guessed.
            offered: Labels that there are to choose from.
            least: Suggestions are at least so long, s.

        Raises:
            M2R2Error: It cannot be read.
        """
        self.path = path
        self._labels, self._topics, self._offered = labels, topics, offered
        self._least = least
        self._recording = recording = open_recording(path)
        self.clock = clock_of(recording)
        self._lanes: list[LabelLane] | None = None
        specs = Sensors(recording, topics, ('image', 'sound')).specs
        self._cameras = {name: spec for name, spec in specs.items() if spec.kind == 'image'}
        offsets = {spec.topic: spec.time_offset_ns for spec in self._cameras.values()}
        self._frames = Frames(recording.sources, offsets, recording.topics)
        heard = [spec for spec in specs.values() if spec.kind == 'sound']
        self._sound = Sound(recording, heard[0]) if heard else None
        self._overview: OverviewReader | None = None
        self._lock = Lock()

    @property
    def duration(self) -> float:
        """Length, s."""
        return duration_of(self.clock)

    @property
    def label_set(self) -> LabelSet:
        """All labels of its page."""
        return labels_of(self.lanes, self._offered)

    @property
    def lanes(self) -> list[LabelLane]:
        """What is said of it, as of the last time that it was looked at."""
        if self._lanes is None:
            self._lanes, _ = lanes_of(self._recording, self._labels, least=self._least)
        return self._lanes

    @property
    def cameras(self) -> Collection[str]:
        """Names of the cameras."""
        return self._cameras.keys()

    def page(self) -> dict[str, Any]:
        """Return the page without signals and images.

        Raises:
            M2R2Error: It cannot be read.
        """
        self._lanes, problems = lanes_of(self._recording, self._labels, least=self._least)
        page = page_json(self._recording, self.clock, self.lanes, self._offered)
        page['cameras'] = [
            {'id': name, 'topic': spec.topic, 'width': 0, 'height': 0, 'thumbs': []}
            for name, spec in self._cameras.items()
        ]
        base = self.base
        page['base'] = {'lane': base.id if base else None, 'title': base.title if base else ''}
        page['sound'] = self._sound is not None
        page['problems'] = problems
        return page

    @property
    def base(self) -> LabelLane | None:
        """The lane that editing begins with; of layers the newest, which comes first."""
        by_kind = {lane.kind: lane for lane in reversed(self.lanes)}
        return next((by_kind[kind] for kind in _BASES if kind in by_kind), None)

    def lane_of(self, layer: Layer, labels: Sequence[str]) -> dict[str, Any]:
        """Return a layer as a lane, and look at it from now on.

        Args:
            layer: The layer, which has just been saved.
            labels: What the numbers of labels in it stand for.

        Raises:
            M2R2Error: It cannot be read.
        """
        lane = layer_lane(layer)
        self._lanes = [lane, *self.lanes]
        return lane.pack(self.clock.start, {name: k for k, name in enumerate(labels)}, None)

    def range_ns(self) -> tuple[int, int]:
        """Return where segments may begin and end: the recording, and what is said of it so far."""
        segments = [s for lane in self.lanes for s in lane.segments]
        length = self.clock.end - self.clock.start
        start = min([0, *(s.start - self.clock.start for s in segments)])
        return start, max([length, *(s.end - self.clock.start for s in segments)])

    def overview(self) -> bytes:
        """Return signals, small images and what else has been read, as a container.

        Raises:
            M2R2Error: It cannot be read.
        """
        return self._reader().snapshot()

    def read_on(self) -> None:
        """Read the overview in the background.

        Raises:
            M2R2Error: A topic that was given cannot be read.
        """
        self._reader().start()

    def rest(self) -> None:
        """Stop reading in the background."""
        with self._lock:
            if self._overview is not None:
                self._overview.stop()

    def close(self) -> None:
        """Stop all that runs."""
        self.rest()
        self._frames.close()

    def stretch(self, start: float, end: float) -> bytes:
        """Return all samples of a short time, as a container.

        Raises:
            M2R2Error: It cannot be read.
        """
        return stretch(self._recording, self._topics, start, end)

    def frame(self, camera: str, seconds: float) -> tuple[CameraFrame, float] | None:
        """Return the image at or before a time, and its time, s; None where there is none.

        Raises:
            KeyError: There is no such camera.
            M2R2Error: It cannot be read.
        """
        topic = self._cameras[camera].topic
        found = self._frames.at(topic, self._ns(seconds))
        return None if found is None else (found, (found.stamp - self.clock.start) / SECOND)

    def sound(self, start: float, end: float) -> bytes | None:
        """Return sound as a WAV file; None where it is silent.

        Raises:
            M2R2Error: It cannot be read.
        """
        if self._sound is None:
            return None
        return self._sound.wav(self._ns(start), self._ns(end))

    def _probabilities(self, out: Container) -> dict[str, Any]:
        """Return the probabilities of labels, which are too many for the page itself."""
        names = self.label_set.names
        numbers = {name: k for k, name in enumerate(names)}
        found = {lane.id: lane.probabilities(self.clock.start, numbers, out) for lane in self.lanes}
        return {'probabilities': {name: own for name, own in found.items() if own}}

    def _ns(self, seconds: float) -> int:
        # A time that was shown in a float is that of its image again.
        return self.clock.start + round(seconds * SECOND)

    def _reader(self) -> OverviewReader:
        with self._lock:
            if self._overview is None:
                self._overview = OverviewReader(
                    Overview(self._recording, self._topics), self._probabilities
                )
            return self._overview
