# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What each launch file starts, as a table: the same nodes with the same parameters.

The launch files stay for machines with `ros2 launch`; test/nodes/launch/test_plans.py compares both
argument by argument.
"""

from dataclasses import dataclass
from typing import Any, Final

from m2r2_ros.core.share import share_path
from m2r2_ros.nodes.launch.process import Process

#: Seconds that a slow disk gets to take what is left.
_DISK: Final = 35.0


@dataclass(frozen=True)
class SharedArguments:
    """What all nodes of ours have in common; see the launch files for each."""

    namespace: str = ''
    params_file: str = ''
    log_level: str = 'info'
    respawn: bool = False

    def node(self, name: str, **more: Any) -> Process:  # noqa: ANN401 - fields of Process
        """Return a node of ours; `more` are further fields."""
        file = self.params_file or str(share_path('config', 'nodes.yaml'))
        return Process(
            executable=name,
            name=name,
            namespace=self.namespace,
            files=(file,),
            ros_options=('--log-level', self.log_level),
            respawn=self.respawn,
            **more,
        )


@dataclass(frozen=True)
class SegmenterArguments:
    """What the segmenter is given."""

    model: str
    topics: str = ''
    device: str = 'cpu'


@dataclass(frozen=True)
class RecorderArguments:
    """Whether to record, and the folder for it."""

    record: bool = True
    bag_path: str = 'bags'


@dataclass(frozen=True)
class ViewerArguments:
    """Which viewers to start."""

    viewers: bool = True
    foxglove: bool = False
    rviz: bool = False


def live(
    shared: SharedArguments,
    model: SegmenterArguments,
    recorder: RecorderArguments,
    viewers: ViewerArguments,
    *,
    use_sim_time: bool,
) -> list[Process]:
    """Return what live.launch.xml starts."""
    found = [
        *_viewers(shared, viewers, use_sim_time=use_sim_time),
        _segmenter(shared, model, use_sim_time=use_sim_time),
    ]
    if recorder.record:
        parameters = {'use_sim_time': use_sim_time, 'path': recorder.bag_path}
        found.append(shared.node('recorder', parameters=parameters, patience=_DISK))
    return found


def replay(
    shared: SharedArguments,
    model: SegmenterArguments,
    viewers: ViewerArguments,
    *,
    bag: str,
    rate: float,
    wait: float,
    loop: bool,
) -> list[Process]:
    """Return what replay.launch.xml starts."""
    parameters = {'path': bag, 'rate': rate, 'wait_for_subscribers': wait, 'loop': loop}
    return [
        *_viewers(shared, viewers, use_sim_time=True),
        shared.node('player', parameters=parameters, essential=True),
        _segmenter(shared, model, use_sim_time=True, essential=True),
    ]


def simulated(
    shared: SharedArguments,
    model: SegmenterArguments,
    recorder: RecorderArguments,
    viewers: ViewerArguments,
    *,
    seed: int,
    cameras: bool,
    rate: float,
) -> list[Process]:
    """Return what simulated.launch.xml starts."""
    parameters = {'seed': seed, 'cameras': cameras, 'rate': rate}
    return [
        *live(shared, model, recorder, viewers, use_sim_time=True),
        shared.node('sim', parameters=parameters, essential=True),
    ]


def _segmenter(
    shared: SharedArguments,
    model: SegmenterArguments,
    *,
    use_sim_time: bool,
    essential: bool = False,
) -> Process:
    parameters = {
        'use_sim_time': use_sim_time,
        'model': model.model,
        'topics': model.topics,
        'device': model.device,
    }
    return shared.node('segmenter', parameters=parameters, essential=essential)


def _viewers(
    shared: SharedArguments, viewers: ViewerArguments, *, use_sim_time: bool
) -> list[Process]:
    """Return what viewers.launch.xml starts."""
    if not viewers.viewers:
        return []
    time = {'use_sim_time': use_sim_time}
    found = []
    if viewers.foxglove:
        here = {'address': '127.0.0.1', **time}
        found.append(Process('foxglove_bridge', package='foxglove_bridge', parameters=here))
    if viewers.rviz:
        options = ('-d', str(share_path('config', 'rviz', 'm2r2.rviz')))
        found.append(Process('rviz2', package='rviz2', parameters=time, options=options))
    return [*found, shared.node('visualizer', parameters=time)]
