# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node `recorder`: records topics as they are, raw, into rosbag2 folders with MCAP."""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from std_srvs.srv import Trigger

from m2r2_ros.bags.mcap.leftovers import leftovers
from m2r2_ros.core.errors import BagError
from m2r2_ros.nodes.common.about import About
from m2r2_ros.nodes.common.diagnostics import Diagnostics
from m2r2_ros.nodes.common.faults import Faults
from m2r2_ros.nodes.common.parameters import Parameter, Parameters
from m2r2_ros.nodes.common.run import run
from m2r2_ros.nodes.common.stop import Stop
from m2r2_ros.nodes.recorder.inlets import Inlets
from m2r2_ros.nodes.recorder.session import RecordingSession, check_name
from m2r2_ros.nodes.recorder.status import Intake, statuses
from m2r2_ros.nodes.recorder.wanted import Wanted

PARAMETERS: Final = (
    Parameter('path', 'bags', 'Folder that bags are made in.'),
    Parameter(
        'name', 'recording', 'Name of the next bag; date and time are appended.', dynamic=True
    ),
    Parameter(
        'topics', (),
        'Names, or patterns of whole names, to record; empty: all but hidden ones, /rosout and '
        '/parameter_events.',
    ),
    Parameter(
        'exclude', ('.*/visualizer/.*',),
        'Names, or patterns of whole names, not to record. What the visualizer draws can be drawn '
        'again, and is not drawn for the recorder alone.',
    ),
    Parameter('record', True, 'Begin to record on start; otherwise ~/start does.'),
    Parameter('max_size_mb', 0, 'Size after which a new file begins, MB; 0: never.', 0, 1_000_000),
    Parameter(
        'max_duration', 0.0, 'Time after which a new file begins, s; 0: never.', 0.0, 1_000_000.0
    ),
    Parameter(
        'flush_interval', 1.0, 'Most that a crash can lose of a recording, s.',
        0.01, 3600.0,
    ),
    Parameter('fsync', False, 'Wait for the disk at every flush, against power cuts.'),
    Parameter(
        'min_free_mb', 500, 'Disk space at which recording ends, MB; 0: no limit.',
        0, 1_000_000_000, dynamic=True,
    ),
    Parameter(
        'snapshot_seconds', 0.0, 'Newest messages kept in memory for ~/snapshot, s; 0: none.',
        0.0, 3600.0,
    ),
    Parameter(
        'snapshot_size_mb', 256, 'Memory that messages for ~/snapshot may take, MB.', 1, 1_000_000
    ),
)  # fmt: skip
ABOUT: Final = About(
    'recorder',
    'Records topics, labels too, into rosbag2 folders.',
    PARAMETERS,
    subscribes=('everything that topics and exclude select',),
    services=('~/start', '~/stop', '~/snapshot'),
)

#: Seconds between two looks at the graph and the disk.
LOOK: Final = 0.2
#: Seconds between two takings; the middleware keeps, and dates, what comes in between.
DRAIN: Final = 0.01


class RecorderNode(Node):
    """Records; starts, stops and takes snapshots on request."""

    def __init__(self, stop: Stop, *, arguments: Sequence[str] = ()) -> None:
        """Declare parameters and make the services.

        Raises:
            ConfigError: A parameter is wrong.
        """
        super().__init__('recorder', cli_args=list(arguments))
        self.stop, self.faults = stop, Faults(self.get_logger())
        self.parameters = Parameters(self, PARAMETERS, on_change=_check)
        p = self.parameters
        _check({'name': p['name']})
        self._session = RecordingSession(self, p)
        wanted = Wanted(self.resolve_topic_name, p['topics'], p['exclude'])
        self._inlets = Inlets(self, wanted, self._session.add)
        self._intake = Intake()
        # Bag and inlets belong to the thread that holds the lock: the writer, or a callback.
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._writer = threading.Thread(target=self._write, name='write')
        self._finisher: threading.Thread | None = None
        services = {'start': self.begin, 'stop': self.end, 'snapshot': self.snapshot}
        for name, act in services.items():
            self.create_service(Trigger, f'~/{name}', _answering(act))

    def start(self) -> None:
        """Begin to record, or to keep messages for snapshots; finish what a kill has left.

        Raises:
            BagError: No bag can be made.
        """
        partials = leftovers(self._session.folder)
        if self.parameters['record']:
            self.begin()
        self._finisher = threading.Thread(
            target=self._session.finish_leftovers, args=(partials,), name='finish'
        )
        self._finisher.start()
        self._writer.start()
        self._look()
        # The ROS clock may stand still.
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self.create_timer(LOOK, self._look, clock=clock)
        self._diagnostics = Diagnostics(
            self, lambda: statuses(self._session, self._inlets, self._intake), self.faults
        )

    def close(self) -> None:
        """Take what has come and complete the bag."""
        self._closing.set()
        if self._writer.ident is not None:
            self._writer.join()
        if self._finisher is not None:
            self._finisher.join()
        if self._session.bag is not None:
            try:
                self.end()
            except BagError as error:
                self.get_logger().error(str(error))
        self._inlets.close()

    def begin(self) -> Path:
        """Begin to record; returns the bag.

        Raises:
            BagError: There is one already, or it cannot be made.
        """
        with self._lock:
            self._follow()
            now = self.get_clock().now().nanoseconds
            path = self._session.begin(self._inlets.open.values(), now)
            self._follow()
        self.get_logger().info(f'recording {path}')
        return path

    def end(self) -> Path:
        """Complete the bag; returns it.

        Raises:
            BagError: Nothing is being recorded, or the disk is full.
        """
        with self._lock:
            self._take()
            bag = self._session.detach()
            if not self._session.needed:
                self._drop_waiting()
            self._follow()
        try:
            bag.close()
        except BagError as error:
            self._session.fault = str(error)
            raise
        self.get_logger().info(f'recorded {bag.path}: {sum(bag.counts.values())} messages')
        return bag.path

    def snapshot(self) -> Path:
        """Write the newest messages to a bag of their own; returns it.

        Raises:
            BagError: They are not kept, or the disk is full.
        """
        ring = self._session.ring
        if ring is None:
            msg = 'no messages are kept: set parameter snapshot_seconds'
            raise BagError(msg)
        with self._lock:
            self._take()
            entries, inlets = ring.entries(), list(self._inlets.open.values())
        if not entries:
            msg = 'nothing has come yet that could be kept; see the diagnostics of the topics'
            raise BagError(msg)
        path = self._session.save(entries, inlets)
        self.get_logger().info(f'snapshot {path}: {len(entries)} messages')
        return path

    def _look(self) -> None:
        with self._lock:
            self._session.check()
            self._follow()

    def _follow(self) -> None:
        """Subscribe to what there is, as long as it is needed.

        Where it is needed again, latched topics are received again, as for an earlier bag.
        """
        if self._session.needed:
            self._inlets.look()
        else:
            self._inlets.close()

    def _write(self) -> None:
        while not self._closing.wait(DRAIN):
            try:
                with self._lock:
                    self._take()
            except Exception as error:
                self.faults.note('writing, where messages were lost,', error)

    def _take(self) -> None:
        """Take what has come and write it, with the time at which it came."""
        clock = self.get_clock()
        now = clock.now().nanoseconds if clock.ros_time_is_active else None
        self._intake.waiting = now == 0
        if now == 0:
            return
        entries = self._inlets.take()
        if now is not None:
            entries = [(now, topic, raw) for _, topic, raw in entries]
        self._intake.queue = max(self._intake.queue, len(entries))
        self._session.write(entries)

    def _drop_waiting(self) -> None:
        """Report messages that have no time because /clock never came."""
        if self._intake.waiting and (undated := len(self._inlets.take())):
            self._intake.undated += undated
            self.get_logger().error(
                f'{undated} messages came before /clock and are not in the bag: '
                'run what publishes /clock, or record without use_sim_time'
            )


def _answering(act: Callable[[], Path]) -> Callable[[Any, Any], Any]:
    """Return a service callback that does something and names the bag."""

    def answer(request: Any, response: Any) -> Any:  # noqa: ANN401 - generated classes
        response.message = str(act())
        response.success = True
        return response

    return answer


def _check(changed: Mapping[str, Any]) -> None:
    """Refuse a name that cannot be that of a bag."""
    if 'name' in changed:
        check_name(changed['name'])


def main() -> NoReturn:
    """Run the node."""
    run(RecorderNode, ABOUT)


if __name__ == '__main__':
    main()
