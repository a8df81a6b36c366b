# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node `player`: a recording as a live robot."""

import math
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from rclpy.node import Node
from std_srvs.srv import Trigger

from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.core.errors import ConfigError, M2R2Error
from m2r2_ros.nodes.common.about import About
from m2r2_ros.nodes.common.checks import file_path
from m2r2_ros.nodes.common.diagnostics import Diagnostics
from m2r2_ros.nodes.common.faults import Faults
from m2r2_ros.nodes.common.parameters import Parameter, Parameters
from m2r2_ros.nodes.common.reports import Reports
from m2r2_ros.nodes.common.run import run
from m2r2_ros.nodes.common.selection import Selection
from m2r2_ros.nodes.common.status import OK, WARN, Status
from m2r2_ros.nodes.common.stop import Stop
from m2r2_ros.nodes.common.timeline import Timeline
from m2r2_ros.nodes.common.within import within
from m2r2_ros.nodes.player.outlets import Outlets
from m2r2_ros.nodes.player.playback import CLOCK_TOPIC, Playback
from m2r2_ros.nodes.player.schedule import cut

PARAMETERS: Final = (
    Parameter('path', '', 'Recording to play: rosbag2 folder, .mcap or .db3.', kind='file'),
    Parameter('rate', 1.0, 'Recorded seconds per second.', low=0.01, high=100.0, dynamic=True),
    Parameter('loop', False, 'Start again at the end.', dynamic=True),
    Parameter('paused', False, 'Begin paused; ~/resume continues.'),
    Parameter(
        'start_offset',
        0.0,
        'Where to begin, s after the start of the recording.',
        low=0.0,
        high=1e6,
    ),
    Parameter('duration', 0.0, 'How much to play, s; 0: all.', low=0.0, high=1e6),
    Parameter('topics', (), 'Names, or patterns of whole names, to play; empty: all.'),
    Parameter('exclude', (), 'Names, or patterns of whole names, not to play.'),
    Parameter('clock', True, 'Publish /clock, for nodes with use_sim_time.'),
    Parameter(
        'restamp',
        False,
        'Move the stamp or header that messages begin with to now, by one offset in each pass, and '
        'publish no /clock.',
    ),
    Parameter(
        'wait_for_subscribers',
        0.0,
        'Longest time to wait at the start until each topic has a subscriber, s.',
        low=0.0,
        high=3600.0,
    ),
)
ABOUT: Final = About(
    'player',
    'Plays a recording as if the robot were there.',
    PARAMETERS,
    publishes=('the topics of the recording', CLOCK_TOPIC),
    services=('~/pause', '~/resume', '~/step'),
)

#: What ~/step plays, a frame or two, nanoseconds.
_STEP: Final = 100_000_000
#: Seconds that the thread may take to end.
_ENDING: Final = 10.0
#: Lateness that is worth a warning, wall seconds.
_LATE: Final = 0.05


class PlayerNode(Node):
    """Publishes the messages of a recording when they are due, as the bytes that were recorded."""

    def __init__(self, stop: Stop, *, arguments: Sequence[str] = ()) -> None:
        """Declare parameters and services.

        Raises:
            ConfigError: A parameter was given with the wrong type or out of range.
        """
        super().__init__('player', cli_args=list(arguments))
        self.stop, self.faults = stop, Faults(self.get_logger())
        self.parameters = Parameters(self, PARAMETERS, on_change=self._change)
        self._timeline = Timeline(self.parameters['rate'], paused=self.parameters['paused'])
        self._thread = threading.Thread(target=self._work, name='play', daemon=True)
        for name, answer in (
            ('pause', self._pause),
            ('resume', self._resume),
            ('step', self._step),
        ):
            self.create_service(Trigger, f'~/{name}', answer)

    def start(self) -> None:
        """Open the recording and begin to play.

        Raises:
            BagError: It cannot be opened.
            ConfigError: Nothing of it can be played.
        """
        given = self.parameters
        if not given['path']:
            msg = 'path: no recording given; expected a rosbag2 folder, an .mcap or a .db3'
            raise ConfigError(msg)
        path = file_path(given['path'], 'path')
        # However long that takes: there is no one yet who waits for an answer.
        recording = within(math.inf, self.stop, 'opening', lambda: open_recording(path))
        self._interval = cut(recording, given['start_offset'], given['duration'])
        if recording.truncated:
            self.get_logger().warning(f'{recording.path} is cut off; playing what there is')
        clock = given['clock'] and not given['restamp']
        self._outlets = self._open_outlets(recording, clock=clock)
        self._playback = Playback(
            self,
            self._interval,
            self._outlets,
            self._timeline,
            clock=clock,
            restamp=given['restamp'],
        )
        Diagnostics(self, self._diagnose, self.faults)
        Reports(self, self._introduction(), self._progress, self.faults)
        self._thread.start()

    def close(self) -> None:
        """Stop playing."""
        if self._thread.is_alive():
            self._playback.stop()
            self._thread.join(_ENDING)  # it may wait for a disk

    def _open_outlets(self, recording: Recording, *, clock: bool) -> Outlets:
        """Make the publishers; say what is left out."""
        selection = Selection(self.parameters['topics'], self.parameters['exclude'])
        wanted = [
            topic
            for name, topic in recording.topics.items()
            if name in selection and not (clock and name == CLOCK_TOPIC)
        ]
        readable = set(recording.readable)
        outlets = Outlets(self, [topic for topic in wanted if topic.name in readable], self.faults)
        for topic in wanted:
            if topic.name not in readable:
                outlets.skipped[topic.name] = 'its messages are not CDR, or of two types'
        for name, reason in outlets.skipped.items():
            self.get_logger().warning(f'{name} is not played: {reason}')
        if not len(outlets):
            msg = (
                f'{recording.path}: none of its topics is played, see topics, exclude and the '
                f'warnings above; it has {", ".join(sorted(recording.topics)) or "none"}'
            )
            raise ConfigError(msg)
        return outlets

    def _change(self, changed: Mapping[str, Any]) -> None:
        if 'rate' in changed:
            self._timeline.set_rate(changed['rate'])

    def _pause(self, _: Any, response: Any) -> Any:  # noqa: ANN401 - generated
        self._timeline.pause()
        return self._answer(response)

    def _resume(self, _: Any, response: Any) -> Any:  # noqa: ANN401 - generated
        self._timeline.resume()
        return self._answer(response)

    def _step(self, _: Any, response: Any) -> Any:  # noqa: ANN401 - generated
        """Play the next 100 ms, which is a frame or two, immediately."""
        response.success = self._timeline.step(_STEP)
        if response.success:
            return self._answer(response)
        response.message = 'steps are made while it is paused: call ~/pause first'
        return response

    def _answer(self, response: Any) -> Any:  # noqa: ANN401 - generated
        state = 'paused' if self._timeline.paused else 'playing'
        response.success, response.message = True, f'{state} at {self._seconds():.3f} s'
        return response

    def _seconds(self) -> float:
        """Return the position after the start of the recording, s."""
        at = max(self._timeline.position(), self._interval.begin)
        return (min(at, self._interval.end) - self._interval.recording.start) / 1e9

    def _introduction(self) -> str:
        """Return what is played, in a line."""
        given, played = self.parameters, self._interval
        begin, end = (t - played.recording.start for t in (played.begin, played.end))
        namespace = self.get_namespace().rstrip('/')
        options = [
            f'{len(self._outlets)} topics',
            f'{begin / 1e9:.1f} to {end / 1e9:.1f} s',
            f'rate {self._timeline.rate:g}',
            *(['looping'] if given['loop'] else []),
            *(['restamped'] if given['restamp'] else []),
            *(['paused'] if given['paused'] else []),
            *([f'in namespace {namespace}'] if namespace else []),
        ]
        return f'plays {played.recording.path}: {", ".join(options)}'

    def _progress(self) -> str:
        """Return how far it is, in a line."""
        played, done = self._interval, self._playback
        first = (played.begin - played.recording.start) / 1e9
        length = (played.end - played.begin) / 1e9
        share = (self._seconds() - first) / length if length else 1.0
        state = 'paused' if self._timeline.paused else done.state
        return (
            f'{state} at {self._seconds():.1f} s, {100 * share:.0f} %'
            f'{f" of pass {done.passes}" if done.passes > 1 else ""}; '
            f'{done.published} messages published'
        )

    def _work(self) -> None:
        """Play, in a thread."""
        given = self.parameters
        try:
            self._playback.run(given['wait_for_subscribers'], lambda: bool(given['loop']))
            self.stop.set()
        except Exception as error:
            self.faults.note('playing', error)
            self.stop.set(2 if isinstance(error, M2R2Error) else 1)

    def _diagnose(self) -> list[Status]:
        played, done, skipped = self._interval, self._playback, self._outlets.skipped
        lags = [done.lags.popleft() for _ in range(len(done.lags))]
        late = float(np.quantile(lags, 0.99)) if lags else 0.0
        level, message = OK, 'paused' if self._timeline.paused else done.state
        if late > _LATE:
            level, message = WARN, f'{late * 1e3:.0f} ms behind its schedule (99 %)'
        values = {
            'recording': str(played.recording.path),
            'position (s)': f'{self._seconds():.3f}',
            'end (s)': f'{(played.end - played.recording.start) / 1e9:.3f}',
            'rate': f'{self._timeline.rate:g}',
            'pass': str(done.passes),
            'messages published': str(done.published),
            'lag p99 (ms)': f'{late * 1e3:.2f}',
            'lag max (ms)': f'{max(lags, default=0.0) * 1e3:.2f}',
            'put off (s)': f'{done.put_off:.3f}',
            'truncated': str(played.recording.truncated),
        }
        text = 'some are not played' if skipped else f'{len(self._outlets)} topics'
        refused = {
            topic: f'{count} labels refused: NaN, infinite or unreadable'
            for topic, count in self._outlets.refused.items()
        }
        if refused:
            text = 'labels are refused: NaN, infinite or unreadable'
        return [
            Status('playback', level, message, values),
            Status('topics', WARN if skipped or refused else OK, text, {**skipped, **refused}),
        ]


def main() -> None:
    """Run the node."""
    run(PlayerNode, ABOUT)


if __name__ == '__main__':
    main()
