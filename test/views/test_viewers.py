# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files for viewers: what they show, and that those that are shipped are up to date."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.palette import hex_colour
from m2r2_ros.core.share import share_path
from m2r2_ros.readers.definitions import typestore
from m2r2_ros.views.viewers import (
    FOXGLOVE_FILE,
    MARKERS,
    OVERLAY,
    RVIZ_FILE,
    STUDIO_FILE,
    foxglove_layout,
    rviz_config,
    write_viewer_files,
)

LABELS = LabelSet.of(['reach', 'größer'])
TOPICS = {
    'image': {'topic': '/camera', 'type': 'sensor_msgs/msg/Image'},
    'wrench': {'topic': '/ft', 'type': 'geometry_msgs/msg/WrenchStamped'},
    'pose': {'topic': '/tcp', 'type': 'geometry_msgs/msg/PoseStamped'},
}
TYPES = {'/action_label': 'm2r2_ros/msg/ActionLabel', '/ft': TOPICS['wrench']['type']}


def tiles(layout: Any) -> Iterator[str]:
    """Walk the panels of a layout's tree."""
    if isinstance(layout, str):
        yield layout
    else:
        assert layout['direction'] in ('row', 'column')
        assert 0 < layout['splitPercentage'] < 100
        yield from tiles(layout['first'])
        yield from tiles(layout['second'])


def field_exists(path: str) -> bool:
    """Return whether a message path leads to a field of the topic's type."""
    topic, *fields = path.split('.')
    kind = TYPES[topic]
    for name in fields:
        (found,) = [f for f in typestore().fielddefs[kind][1] if f[0] == name]
        kind = str(found[1][1])
    return True


def test_every_panel_has_its_place_and_every_path_its_field() -> None:
    layout = json.loads(foxglove_layout(LABELS, TOPICS))
    assert sorted(tiles(layout['layout'])) == sorted(layout['configById'])
    paths = [p for c in layout['configById'].values() for p in c.get('paths', [])]
    assert {p['value'] for p in paths} == {
        '/action_label.label',
        '/action_label.confidence',
        '/action_label.boundary_score',
        *(f'/ft.wrench.{v}.{a}' for v in ('force', 'torque') for a in 'xyz'),
    }
    assert all(field_exists(p['value']) for p in paths)
    images = {c['imageMode']['imageTopic'] for k, c in layout['configById'].items() if 'Im' in k}
    assert images == {OVERLAY, '/camera'}


def test_labels_have_the_colours_of_the_label_set() -> None:
    layout = json.loads(foxglove_layout(LABELS, TOPICS))
    (path,) = layout['configById']['StateTransitions!labels']['paths']
    states = path['customStates']['states']
    assert [s['value'] for s in states] == list(LABELS.names)
    assert [s['color'] for s in states] == [hex_colour(colour) for colour in LABELS.colours]


def test_each_version_has_the_image_panels_that_it_knows() -> None:
    """Type and options of the panels, as the sources of Lichtblick 1.28 and Studio 1.48 have them.

    Studio has an Image panel too, which was an experiment and draws nothing without calibration.
    """
    new = json.loads(foxglove_layout(LABELS, TOPICS))
    old = json.loads(foxglove_layout(LABELS, TOPICS, studio=True))
    assert sorted(tiles(old['layout'])) == sorted(old['configById'])
    images = {k: c for k, c in old['configById'].items() if k.startswith('ImageViewPanel!')}
    assert [c['cameraTopic'] for c in images.values()] == [OVERLAY, '/camera']
    kinds = {k.partition('!')[0] for k in new['configById']}
    assert kinds == {'StateTransitions', 'Plot', 'Image', 'RawMessages'}
    renamed = {k.replace('ImageViewPanel', 'Image'): c for k, c in old['configById'].items()}
    changed = {k for k, c in new['configById'].items() if renamed[k] != c}
    assert renamed.keys() == new['configById'].keys()
    assert changed == {'Image!overlay', 'Image!camera'}


def test_messages_without_a_header_are_drawn_when_they_came() -> None:
    plain = {'wrench': {'topic': '/ft', 'type': 'geometry_msgs/msg/Wrench'}}
    for topics, method in ((plain, 'receiveTime'), (TOPICS, 'headerStamp')):
        paths = json.loads(foxglove_layout(LABELS, topics))['configById']['Plot!wrench']['paths']
        assert {p['timestampMethod'] for p in paths} == {method}


def test_topics_that_a_model_has_not_are_left_out() -> None:
    layout = json.loads(foxglove_layout(LABELS, {}))
    assert sorted(tiles(layout['layout'])) == sorted(layout['configById'])
    assert not [k for k in layout['configById'] if 'wrench' in k or 'camera' in k]
    plain = {'wrench': {'topic': '/ft', 'type': 'geometry_msgs/msg/Wrench'}}
    assert '"/ft.force.x"' in foxglove_layout(LABELS, plain)
    assert 'Axes' not in rviz_config({}, 'base')
    transform = {'pose': {'topic': '/tcp', 'type': 'geometry_msgs/msg/TransformStamped'}}
    assert '/tcp' not in rviz_config(transform, 'base')


def test_rviz_shows_the_robot_though_its_description_came_before() -> None:
    manager = yaml.safe_load(rviz_config(TOPICS, 'base'))['Visualization Manager']
    (robot,) = [d for d in manager['Displays'] if d['Class'].endswith('/RobotModel')]
    topic = robot['Description Topic']
    assert topic['Value'] == '/robot_description'
    assert topic['Durability Policy'] == 'Transient Local'
    assert robot['Description Source'] == 'Topic'


def test_rviz_shows_what_the_visualizer_publishes() -> None:
    manager = yaml.safe_load(rviz_config(TOPICS, 'panda_link0'))['Visualization Manager']
    assert manager['Global Options']['Fixed Frame'] == 'panda_link0'
    topics = {d['Class']: d['Topic']['Value'] for d in manager['Displays'] if 'Topic' in d}
    assert topics == {
        'rviz_default_plugins/MarkerArray': MARKERS,
        'rviz_default_plugins/Image': OVERLAY,
        'rviz_default_plugins/Pose': '/tcp',
    }


def test_topics_of_the_visualizer_are_named_as_it_names_them() -> None:
    source = share_path('m2r2_ros', 'nodes', 'visualizer', 'node.py').read_text()
    for topic in (MARKERS, OVERLAY):
        assert f"'~{topic.removeprefix('/visualizer')}'" in source


def test_shipped_files_are_those_of_the_shipped_model(tmp_path: Path) -> None:
    entries = yaml.safe_load(share_path('models', 'cell', 'bundle.yaml').read_text())
    labels = LabelSet(tuple(entries['labels']['names']), tuple(entries['labels']['parents']))
    write_viewer_files(tmp_path, labels, entries['topics'], 'base')
    for name, shipped in (
        (FOXGLOVE_FILE, 'foxglove/cell.json'),
        (STUDIO_FILE, 'foxglove/cell-studio-1.48.json'),
        (RVIZ_FILE, 'rviz/m2r2.rviz'),
    ):
        assert (tmp_path / name).read_text() == share_path('config', shipped).read_text(), (
            'm2r2 viewers models/cell makes other files than config/ has: copy them there'
        )
