# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node `segmenter`: labels what a robot is doing, live."""

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn

from rclpy.clock import Clock
from rclpy.clock_type import ClockType

from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.model.devices import CPU, DEVICES
from m2r2_ros.nodes.common.about import About
from m2r2_ros.nodes.common.checks import file_path
from m2r2_ros.nodes.common.diagnostics import Diagnostics
from m2r2_ros.nodes.common.graph import readable_topics
from m2r2_ros.nodes.common.managed import AUTOSTART, LIFECYCLE, ManagedNode
from m2r2_ros.nodes.common.parameters import Parameter
from m2r2_ros.nodes.common.run import run
from m2r2_ros.nodes.common.status import ERROR, Status
from m2r2_ros.nodes.common.stop import Stop
from m2r2_ros.nodes.common.within import within
from m2r2_ros.nodes.segmenter.loading import load_model
from m2r2_ros.nodes.segmenter.streams import Streams
from m2r2_ros.nodes.segmenter.worker import Worker
from m2r2_ros.readers.topic_map import load_topics
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.segmenters.model import Model
from m2r2_ros.srv import LoadModel

if TYPE_CHECKING:
    from m2r2_ros.segmenters.decoding import Decoding

PARAMETERS: Final = (
    Parameter('model', '', 'Folder of the bundle, as m2r2 train writes it.', kind='file'),
    Parameter(
        'topics', '', 'YAML file with the topic of each modality; those it leaves out are found.',
        kind='file',
    ),
    Parameter('device', CPU, 'Where the network runs.', choices=tuple(DEVICES)),
    Parameter('threads', 1, 'CPU cores for the network.', 1, 256),
    Parameter(
        'min_confidence', -1.0, "Hold rule: probability a new label must reach; -1 is the model's.",
        -1.0, 1.0, dynamic=True,
    ),
    Parameter(
        'min_duration', -1.0,
        "Hold rule: seconds a new label must be the likeliest; -1 is the model's.",
        -1.0, 3600.0, dynamic=True,
    ),
    Parameter('lag', -1, "Later frames that a label waits for; -1 is the model's.", -1, 10_000),
    Parameter(
        'discovery_time', 2.0, 'Seconds to wait for the topics of the model before guessing.',
        0.0, 60.0,
    ),
)  # fmt: skip
ABOUT: Final = About(
    'segmenter',
    'Labels what the robot is doing, frame by frame.',
    (AUTOSTART, *PARAMETERS),
    publishes=('action_label', 'action_segment', 'label_set', '~/transition_event'),
    subscribes=('a topic for each modality of the model',),
    services=('~/load_model', *LIFECYCLE),
)
#: Seconds between two looks at the graph.
LOOK: Final = 0.25
#: Seconds that a model may take to be loaded.
LOADING: Final = 120.0
#: Parameters of the hold rule; negative ones leave it to the bundle.
HOLD: Final = ('min_confidence', 'min_duration')


class SegmenterNode(ManagedNode):
    """Subscribes to the sensors, publishes action_label, action_segment and label_set."""

    def __init__(self, stop: Stop, *, arguments: Sequence[str] = ()) -> None:
        """Declare parameters; nothing is loaded before it is configured."""
        super().__init__('segmenter', PARAMETERS, stop, arguments=arguments, on_change=self._change)
        self._model: Model | None = None
        self._worker: Worker | None = None
        self._counters: Counter[str] = Counter()
        # Transitions are made in a thread of their own.
        self._lock = threading.Lock()
        self._diagnostics = Diagnostics(self, self._statuses, self.faults)
        self.create_service(LoadModel, '~/load_model', self._load, callback_group=self.apart)

    @property
    def counters(self) -> Counter[str]:
        """Windows, masks, drops and skips since the node was activated, by name."""
        worker = self._worker
        return self._counters if worker is None else worker.counters

    @property
    def samples(self) -> int:
        """Messages with a sample since the node was activated."""
        return self._worker.samples if self._worker else 0

    @property
    def decoding(self) -> 'Decoding':
        """The rules by which labels change at present; only once the node is configured."""
        assert self._model is not None
        return self._model.segmenter.decoding

    def configure(self) -> None:
        """Load the model."""
        p = self.parameters
        given: Mapping[str, TopicSpec] = {}
        if p['topics']:
            path = file_path(p['topics'], 'topics')
            given = within(LOADING, self.stop, 'reading the topics', lambda: load_topics(path))
        model = self._read_model(p['model'])
        self._streams = Streams(self, given, model)
        self._model = model

    def activate(self) -> None:
        """Look for topics, and label once there are some."""
        assert self._model is not None
        self._began = time.monotonic()
        self._worker = Worker(self, self._model, self._streams, self.faults)
        self._timer = self.create_timer(
            LOOK, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
        with self.faults.caught('discovery'):  # the timer tries again
            self._look()

    def deactivate(self) -> None:
        """Close the open segment and stop listening; the model stays."""
        with self._lock:
            worker, self._worker = self._worker, None
        assert worker is not None
        self.destroy_timer(self._timer)
        worker.stop()
        self._counters = worker.counters
        self._streams.close()

    def cleanup(self) -> None:
        """Let go of the model."""
        self._model = None

    def _read_model(self, path: str) -> Model:
        p = self.parameters
        given = {k: p[k] for k in ('device', 'threads', 'lag')}
        model = within(LOADING, self.stop, 'loading the model', lambda: load_model(path, **given))
        self._set_hold(model, {})
        names = ', '.join(model.modalities)
        self.get_logger().info(f'model {model.id} from {path}, looks at {names}')
        return model

    def _look(self) -> None:
        """Follow the graph; begin to label once the topics are there or were waited for."""
        with self._lock:
            if self._worker is None:
                return
            waited = time.monotonic() - self._began > self.parameters['discovery_time']
            self._streams.look(readable_topics(self, self._streams.named), guess=waited)
            if self._streams.complete or (waited and self._streams.inlets):
                self._worker.begin()

    def _load(self, request: Any, response: Any) -> Any:  # noqa: ANN401 - generated classes
        """Answer ~/load_model; where it fails, the present model stays."""
        if self._model is None:
            msg = 'the node is not configured: set parameter model and configure it'
            raise M2R2Error(msg)
        response.model_id = self._model.id
        model = self._read_model(request.path)
        self._set_hold(model, {})  # which may have been changed meanwhile
        if self._worker is not None:
            self._worker.swap(model)
        with self._lock:
            self._model = model
            self._streams.want(model)
        response.model_id = model.id
        response.message = f'labels: {", ".join(model.segmenter.labels.names)}'
        response.success = True
        return response

    def _change(self, changed: Mapping[str, Any]) -> None:
        """Take up a new hold rule."""
        if self._model is not None and changed.keys() & {*HOLD}:
            self._set_hold(self._model, changed)

    def _set_hold(self, model: Model, changed: Mapping[str, Any]) -> None:
        asked = {k: changed.get(k, self.parameters[k]) for k in HOLD}
        model.segmenter.set_hold(**{k: value for k, value in asked.items() if value >= 0})

    def _statuses(self) -> list[Status]:
        worker = self._worker
        if self.state != 'active' or worker is None:
            return [Status('labels', ERROR, f'{self.state}: nothing is labelled')]
        return worker.statuses()


def main() -> NoReturn:
    """Run the node."""
    run(SegmenterNode, ABOUT)


if __name__ == '__main__':
    main()
