# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files that make viewers show labels: layouts for Foxglove, a configuration for rviz."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from m2r2_ros.bags.labels.topics import LABEL_TOPIC
from m2r2_ros.core.files import write_text
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.palette import hex_colour

#: For Lichtblick and today's Foxglove.
FOXGLOVE_FILE: Final = 'foxglove.json'
#: For the last open version of Foxglove Studio.
STUDIO_FILE: Final = 'foxglove-studio-1.48.json'
RVIZ_FILE: Final = 'm2r2.rviz'
FILES: Final = (FOXGLOVE_FILE, STUDIO_FILE, RVIZ_FILE)

#: What the visualizer publishes.
MARKERS: Final = '/visualizer/markers'
OVERLAY: Final = '/visualizer/image/compressed'
#: Where robots say what they look like.
DESCRIPTION: Final = '/robot_description'

#: Topic and type of each modality, as a bundle has them.
Topics = Mapping[str, Mapping[str, Any]]
#: Wrenches whose numbers a plot finds.
_WRENCHES: Final = ('geometry_msgs/msg/WrenchStamped', 'geometry_msgs/msg/Wrench')

#: A panel, or two tiles beside each other.
_Tile = str | dict[str, Any]


def write_viewer_files(folder: Path, labels: LabelSet, topics: Topics, frame: str) -> list[Path]:
    """Write FILES; older ones are replaced.

    Args:
        folder: Where to; created if missing.
        labels: Labels that are shown, with their colours.
        topics: The robot's topics by modality.
        frame: Frame that everything is shown in.

    Returns:
        The files.
    """
    texts = {
        FOXGLOVE_FILE: foxglove_layout(labels, topics),
        STUDIO_FILE: foxglove_layout(labels, topics, studio=True),
        RVIZ_FILE: rviz_config(topics, frame),
    }
    for name, text in texts.items():
        write_text(folder / name, text)
    return [folder / name for name in texts]


def foxglove_layout(labels: LabelSet, topics: Topics, *, studio: bool = False) -> str:
    """Return a layout: labels, scores and forces over time, images, diagnostics.

    Args:
        labels: Labels that are shown, with their colours.
        topics: The robot's topics by modality.
        studio: For Foxglove Studio 1.48, whose panels for images are of another type.
    """
    image = 'ImageViewPanel' if studio else 'Image'
    left = ['StateTransitions!labels', 'Plot!scores']
    right = [f'{image}!overlay']
    panels: dict[str, Any] = {
        'StateTransitions!labels': _state_transitions(labels),
        'Plot!scores': _plot(
            {'confidence': f'{LABEL_TOPIC}.confidence', 'boundary': f'{LABEL_TOPIC}.boundary_score'}
        ),
        f'{image}!overlay': _image(OVERLAY, studio=studio),
        'RawMessages!diagnostics': {'topicPath': '/diagnostics', 'diffEnabled': False},
    }
    for name, entry in topics.items():
        like, kind = entry.get('like') or name, entry['type']
        if like == 'wrench' and kind in _WRENCHES:
            left.append(f'Plot!{name}')
            stamped = kind.endswith('Stamped')
            panels[left[-1]] = _plot(_wrench_paths(entry), stamped=stamped)
        elif like == 'image':
            right.append(f'{image}!camera' if name == 'image' else f'{image}!{name}')
            panels[right[-1]] = _image(entry['topic'], studio=studio)
    right.append('RawMessages!diagnostics')
    # Labels need little height.
    first = _split('column', left[0], _stack(left[1:]), 20)
    layout = {
        'configById': panels,
        'globalVariables': {},
        'userNodes': {},
        'playbackConfig': {'speed': 1},
        'layout': _split('row', first, _stack(right), 65),
    }
    return json.dumps(layout, indent=2) + '\n'


def rviz_config(topics: Topics, frame: str) -> str:
    """Return a configuration: the robot, markers, the image with the label, the pose."""
    displays = [
        _display('Grid', 'Grid'),
        _display('TF', 'TF', enabled=False),
        _robot_model(),
        _display('MarkerArray', 'Labels', MARKERS),
        _display('Image', 'Picture', OVERLAY),
    ]
    pose = topics.get('pose', {})
    if pose.get('type') == 'geometry_msgs/msg/PoseStamped':
        shape = {'Shape': 'Axes', 'Axes Length': 0.1, 'Axes Radius': 0.01}
        displays.append(_display('Pose', 'End effector', pose['topic']) | shape)
    manager = {
        'Class': '',
        'Displays': displays,
        'Enabled': True,
        'Global Options': {'Background Color': '48; 48; 48', 'Fixed Frame': frame},
        'Name': 'root',
        'Tools': [
            {'Class': f'rviz_default_plugins/{name}'}
            for name in ('Interact', 'MoveCamera', 'Select', 'FocusCamera', 'Measure')
        ],
        # From the robot's right, so that time on the timeline runs to the right.
        'Views': {
            'Current': {
                'Class': 'rviz_default_plugins/Orbit',
                'Distance': 3.0,
                'Focal Point': {'X': 0.2, 'Y': 0.0, 'Z': 0.4},
                'Pitch': 0.2,
                'Yaw': 4.71,
            },
            'Saved': None,
        },
    }
    panels = [{'Class': f'rviz_common/{name}', 'Name': name} for name in ('Displays', 'Time')]
    config = {
        'Panels': panels,
        'Visualization Manager': manager,
        'Window Geometry': {'Width': 1400, 'Height': 900},
    }
    return yaml.safe_dump(config, sort_keys=False)


def _state_transitions(labels: LabelSet) -> dict[str, Any]:
    states = [
        {'value': name, 'label': name, 'color': hex_colour(colour)}
        for name, colour in zip(labels.names, labels.colours, strict=True)
    ]
    path = {
        'value': f'{LABEL_TOPIC}.label',
        'label': 'label',
        'enabled': True,
        'timestampMethod': 'headerStamp',
        'customStates': {'type': 'discrete', 'states': states},
    }
    return {'paths': [path], 'isSynced': True}


def _plot(paths: Mapping[str, str], *, stamped: bool = True) -> dict[str, Any]:
    # Without a header there is no stamp to draw a point at.
    method = 'headerStamp' if stamped else 'receiveTime'
    return {
        'paths': [
            {'value': path, 'label': label, 'enabled': True, 'timestampMethod': method}
            for label, path in paths.items()
        ],
        'showLegend': True,
        'isSynced': True,
        'xAxisVal': 'timestamp',
        'legendDisplay': 'left',
        'sidebarDimension': 120,
    }


def _wrench_paths(wrench: Mapping[str, Any]) -> dict[str, str]:
    body = f'{wrench["topic"]}.wrench' if wrench['type'].endswith('Stamped') else wrench['topic']
    axes = [(vector, axis) for vector in ('force', 'torque') for axis in 'xyz']
    return {f'{vector} {axis}': f'{body}.{vector}.{axis}' for vector, axis in axes}


def _image(topic: str, *, studio: bool) -> dict[str, Any]:
    return {'cameraTopic': topic} if studio else {'imageMode': {'imageTopic': topic}}


def _stack(panels: Sequence[str]) -> _Tile:
    """Return panels one below the other, of one height."""
    if len(panels) == 1:
        return panels[0]
    return _split('column', panels[0], _stack(panels[1:]), round(100 / len(panels), 1))


def _split(direction: str, first: _Tile, second: _Tile, percentage: float) -> _Tile:
    return {
        'direction': direction,
        'first': first,
        'second': second,
        'splitPercentage': percentage,
    }


def _display(kind: str, name: str, topic: str = '', *, enabled: bool = True) -> dict[str, Any]:
    display: dict[str, Any] = {
        'Class': f'rviz_default_plugins/{kind}',
        'Name': name,
        'Enabled': enabled,
        'Value': enabled,
    }
    if topic:
        display['Topic'] = {
            'Value': topic,
            'Depth': 5,
            'History Policy': 'Keep Last',
            'Reliability Policy': 'Reliable',
            'Durability Policy': 'Volatile',
        }
    return display


def _robot_model() -> dict[str, Any]:
    """Return what draws the robot as its description says, where there is one."""
    display = _display('RobotModel', 'Robot', DESCRIPTION)
    topic = display.pop('Topic') | {'Durability Policy': 'Transient Local'}
    return display | {'Description Source': 'Topic', 'Description Topic': topic}
