# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels for viewers: markers, an image with the label, messages that other software knows."""

from collections.abc import Sequence
from typing import Any, Final

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage
from visualization_msgs.msg import MarkerArray

from m2r2_ros.bags.labels.topics import LABEL, LABEL_SET, SEGMENT
from m2r2_ros.core.errors import ConfigError, MessageError
from m2r2_ros.core.samples import ImageSamples, VectorSamples
from m2r2_ros.nodes.common.about import About
from m2r2_ros.nodes.common.diagnostics import Diagnostics
from m2r2_ros.nodes.common.faults import Faults
from m2r2_ros.nodes.common.graph import readable_topics
from m2r2_ros.nodes.common.intake import Inlet
from m2r2_ros.nodes.common.labels import read_label
from m2r2_ros.nodes.common.parameters import Parameter, Parameters
from m2r2_ros.nodes.common.reports import Reports
from m2r2_ros.nodes.common.run import run
from m2r2_ros.nodes.common.status import OK, STALE, WARN, Status
from m2r2_ros.nodes.common.stop import Stop
from m2r2_ros.nodes.visualizer.history import LabelHistory, View, silent
from m2r2_ros.nodes.visualizer.latest import LatestSample, Taken
from m2r2_ros.nodes.visualizer.markers import Board, MarkerBoard, Place
from m2r2_ros.nodes.visualizer.overlay import draw_overlay, encode_jpeg
from m2r2_ros.nodes.visualizer.republish import Classifications, Events
from m2r2_ros.nodes.visualizer.topics import choose_topics

PARAMETERS: Final = (
    Parameter(
        'pose', '', "Topic of the end effector's pose; '' finds it.", dynamic=True, kind='topic'
    ),
    Parameter(
        'image', '', "Topic of the camera for the overlay; '' finds it.", dynamic=True, kind='topic'
    ),
    Parameter('rate', 10.0, 'Most markers and images per second.', 0.5, 60.0),
    Parameter('timeout', 1.0, 'How long the last label is shown, s.', 0.1, 60.0, dynamic=True),
    Parameter('timeline', 30.0, 'Length of the timeline, s.', 1.0, 600.0, dynamic=True),
    Parameter('frame', 'base', 'Frame of the markers where there is no pose.', dynamic=True),
    Parameter('text_height', 0.06, 'Height of the label, m.', 0.001, 10.0, dynamic=True),
    Parameter('timeline_x', 0.0, 'Centre of the timeline, x, m.', -100.0, 100.0, dynamic=True),
    Parameter('timeline_y', 0.6, 'Centre of the timeline, y, m.', -100.0, 100.0, dynamic=True),
    Parameter('timeline_z', 0.7, 'Centre of the timeline, z, m.', -100.0, 100.0, dynamic=True),
    Parameter('timeline_yaw', 0.0, 'Rotation about the z axis, rad.', -7.0, 7.0, dynamic=True),
    Parameter('timeline_width', 1.2, 'Width of the timeline, m.', 0.001, 100.0, dynamic=True),
    Parameter('timeline_height', 0.08, 'Height of its bars, m.', 0.001, 100.0, dynamic=True),
    Parameter('vision_msgs', True, 'Publish vision_msgs too, where they are installed.'),
    Parameter('foxglove_events', True, 'Publish foxglove_msgs/Event too, where it is installed.'),
)

#: Topics of labels and their types.
_TOPICS: Final = {'action_label': LABEL, 'action_segment': SEGMENT, 'label_set': LABEL_SET}
ABOUT: Final = About(
    'visualizer',
    'Draws labels: markers, images, messages that viewers know.',
    PARAMETERS,
    publishes=('~/markers', '~/image/compressed', '~/classification', '~/label_info', '~/event'),
    subscribes=(*_TOPICS, 'a pose', 'an image'),
)
#: Seconds between looks at the graph.
_LOOK: Final = 1.0


class VisualizerNode(Node):
    """Shows labels in rviz, Foxglove and others.

    Subscribes to action_label, action_segment and label_set, and, only while the results
    have subscribers, to a pose and a camera. Publishes ~/markers, ~/image/compressed, and, where
    their packages are installed, ~/classification, ~/label_info and ~/event.
    """

    def __init__(self, stop: Stop, *, arguments: Sequence[str] = ()) -> None:
        """Make the node.

        Raises:
            ConfigError: A parameter is wrong.
        """
        super().__init__('visualizer', cli_args=list(arguments))
        self.stop, self.faults = stop, Faults(self.get_logger())
        self._given = Parameters(self, PARAMETERS)
        self._history, self._board = LabelHistory(), MarkerBoard()
        self._sources = {'pose': LatestSample(self), 'image': LatestSample(self)}
        self._inlets: dict[str, Inlet] = {}
        self._received = dict.fromkeys(_TOPICS, 0)
        self._arrived: int | None = None
        self._model_id = ''
        self._tip: Place | None = None
        self._cleared = True
        self.drawn = self._shown = self._undecodable = 0
        self._absent: dict[str, str] = {}
        self._classifications: Classifications | None = None
        self._events: Events | None = None

    def start(self) -> None:
        """Subscribe and begin to publish; see run.Runnable."""
        for name, type_name in _TOPICS.items():
            self._inlets[name] = Inlet(self, self.resolve_topic_name(name), type_name)
        self._markers = self.create_publisher(MarkerArray, '~/markers', 1)
        self._images = self.create_publisher(CompressedImage, '~/image/compressed', 1)
        self._classifications = self._optional('vision_msgs', Classifications)
        self._events = self._optional('foxglove_events', Events)
        Diagnostics(self, self._statuses, self.faults)
        # What is shown must go on, and go away, also while the ROS clock stands still.
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0 / self._given['rate'], self._tick, clock=clock)
        self.create_timer(_LOOK, self._look, clock=clock)
        Reports(self, self._introduction(), self._progress, self.faults)
        self._look()

    def close(self) -> None:
        """Unsubscribe; see run.Runnable."""
        for source in self._sources.values():
            source.close()
        for inlet in self._inlets.values():
            inlet.close()

    def _optional(self, parameter: str, kind: Any) -> Any:  # noqa: ANN401 - a class of republish
        if not self._given[parameter]:
            return None
        try:
            return kind(self)
        except ConfigError as error:
            self._absent[parameter] = str(error)
            self.get_logger().info(f'{parameter} is left out: {error}')
            return None

    def _introduction(self) -> str:
        """Return what is drawn, in a line."""
        looked_for = {m: self._given[m] or f'the {m} that it finds' for m in self._sources}
        return (
            f'draws the labels of {self._inlets["action_label"].topic} as '
            f'{self._markers.topic_name} at {looked_for["pose"]}, and on {looked_for["image"]} as '
            f'{self._images.topic_name}, while someone looks'
        )

    def _progress(self) -> str:
        """Return what has been drawn, in a line."""
        used = [
            f'{modality} from {source.spec.topic}' if source.spec else f'no {modality}'
            for modality, source in self._sources.items()
        ]
        return (
            f'{self._received["action_label"]} labels received, {self._shown} markers and '
            f'{self.drawn} images drawn; {", ".join(used)}'
        )

    def _look(self) -> None:
        """Follow the graph."""
        for inlet in self._inlets.values():
            inlet.refresh()
        given = {
            modality: self.resolve_topic_name(name) if (name := self._given[modality]) else ''
            for modality in self._sources
        }
        own = {self._images.topic_name}
        available = readable_topics(self, given.values())
        chosen = choose_topics(available, given, self.get_namespace(), own)
        for modality, source in self._sources.items():
            source.use(chosen.get(modality))

    def _tick(self) -> None:
        """Take what has come, and show it."""
        self._take_labels()
        view = self._history.view(self._given['timeline'])
        alive = self._age() <= self._given['timeout']
        with self.faults.caught('markers'):
            self._show_markers(view, alive=alive)
        with self.faults.caught('image'):
            image = self._sources['image'].take(wanted=self._images.get_subscription_count() > 0)
            if image:
                self._show_image(image, view if alive else silent(view))

    def _take_labels(self) -> None:
        for topic in ('label_set', 'action_label', 'action_segment'):
            for received in self._inlets[topic].take():
                self._received[topic] += 1
                with self.faults.caught(f'topic {self._inlets[topic].topic}'):
                    message = read_label(_TOPICS[topic], received.raw)
                    getattr(self, f'_on_{topic}')(message)

    def _on_label_set(self, message: Any) -> None:  # noqa: ANN401 - generated
        self._history.set_colours(message.names, [(c.r, c.g, c.b) for c in message.colours])
        if self._classifications:
            self._classifications.label_set(message)

    def _on_action_label(self, message: Any) -> None:  # noqa: ANN401 - generated
        stamp = message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec
        gap = self._given['timeout']
        segment, confidence = message.segment_index, message.confidence
        self._history.note(stamp, message.label, segment, confidence, gap)
        self._model_id = message.model_id
        self._arrived = self.get_clock().now().nanoseconds
        if self._classifications:
            self._classifications.label(message)

    def _on_action_segment(self, message: Any) -> None:  # noqa: ANN401 - generated
        if self._events:
            self._events.segment(message)

    def _age(self) -> float:
        """Return the seconds since the newest label came; inf before the first."""
        if self._arrived is None:
            return float('inf')
        age = (self.get_clock().now().nanoseconds - self._arrived) * 1e-9
        # A clock that went back says nothing of what came before.
        return age if age >= 0 else float('inf')

    def _show_markers(self, view: View, *, alive: bool) -> None:
        wanted = self._markers.get_subscription_count() > 0
        pose = self._sources['pose'].take(wanted=wanted)
        if pose and isinstance(pose.samples, VectorSamples):
            x, y, z = pose.samples.values[-1, :3].tolist()
            self._tip = Place(pose.frame_id, (x, y, z))
        if alive and wanted:
            tip = self._tip or Place(self._given['frame'], (0.0, 0.0, 0.0))
            lifetime = self._given['timeout'] + 2.0 / self._given['rate']
            height = self._given['text_height']
            array = self._board.show(view, tip, self._place_board(tip.frame), height, lifetime)
            self._markers.publish(array)
            self._shown += 1
        elif not self._cleared:
            self._markers.publish(self._board.clear())
        self._cleared = not (alive and wanted)

    def _place_board(self, frame: str) -> Board:
        names = ('timeline_x', 'timeline_y', 'timeline_z')
        x, y, z = (self._given[name] for name in names)
        yaw, width, height = (
            self._given[f'timeline_{name}'] for name in ('yaw', 'width', 'height')
        )
        return Board(Place(frame, (x, y, z)), yaw, width, height)

    def _show_image(self, taken: Taken, view: View) -> None:
        assert isinstance(taken.samples, ImageSamples)
        try:
            pixels = taken.samples.frames[-1].decode()
        except MessageError:
            self._undecodable += 1
            return
        message = CompressedImage(format='jpeg', data=encode_jpeg(draw_overlay(pixels, view)))
        stamp = int(taken.samples.stamps[-1])
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 1_000_000_000)
        message.header.frame_id = taken.frame_id
        self._images.publish(message)
        self.drawn += 1

    def _statuses(self) -> list[Status]:
        return [self._label_status(), *map(self._source_status, self._sources), self._republished()]

    def _label_status(self) -> Status:
        age = self._age()
        values = {
            **{f'{topic}_received': str(count) for topic, count in self._received.items()},
            **{f'{topic}_lost': str(inlet.lost) for topic, inlet in self._inlets.items()},
            'age': f'{age:.3f} s',
            'model_id': self._model_id,
            'clock_went_back': str(self._history.resets),
        }
        topic = self._inlets['action_label'].topic
        if age > self._given['timeout']:
            return Status('labels', STALE, f'no labels on {topic}', values)
        if not self._received['label_set']:
            topic = self._inlets['label_set'].topic
            return Status('labels', WARN, f'nothing on {topic}: labels have no colours', values)
        return Status('labels', OK, f'labels come on {topic}', values)

    def _source_status(self, modality: str) -> Status:
        source, publisher = self._sources[modality], self._images
        if modality == 'pose':
            publisher = self._markers
        topic = source.spec.topic if source.spec else ''
        values = {
            'topic': topic,
            'viewers': str(publisher.get_subscription_count()),
            'lost': str(source.lost),
            **{name: str(count) for name, count in source.counters.items()},
        }
        if modality == 'image':
            values |= {'drawn': str(self.drawn), 'undecodable': str(self._undecodable)}
        if source.problem:
            return Status(modality, WARN, source.problem, values)
        return Status(modality, OK, f'from {topic}' if topic else 'no topic for it', values)

    def _republished(self) -> Status:
        on = {'vision_msgs': self._classifications, 'foxglove_events': self._events}
        values = {
            name: 'published' if publisher else self._absent.get(name, 'off')
            for name, publisher in on.items()
        }
        message = ', '.join(name for name, publisher in on.items() if publisher) or 'nothing'
        return Status('republished', OK, message, values)


def main() -> None:
    """Run the node."""
    run(VisualizerNode, ABOUT)


if __name__ == '__main__':
    main()
