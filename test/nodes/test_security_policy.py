# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The SROS2 policy grants each node what it has, and nothing else."""

from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

from rclpy.node import Node
from sensor_msgs.msg import CompressedImage
from visualization_msgs.msg import MarkerArray

from m2r2_ros.model.config import preset
from m2r2_ros.network.bundle import Bundle, load_bundle, save_bundle
from m2r2_ros.network.network import Network
from m2r2_ros.nodes.common.graph import message_class
from m2r2_ros.simulation.cameras import choose_backend
from test.nodes.conftest import Launch, listen, wait_until
from test.nodes.launch_xml import ROOT
from tools.write_node_reference import NODES

POLICY = ROOT / 'deploy' / 'sros2' / 'policy.xml'
HAND = {
    'topic': '/hand_camera/image_raw/compressed',
    'type': 'sensor_msgs/msg/CompressedImage',
}
CELL = load_bundle(ROOT / 'models' / 'cell')
#: The topics of a robot on which a model can look at everything.
TOPICS = {'image': HAND, **CELL.topics}
#: Nodes of other tests may linger in the graph under the same name.
NAMESPACE = '/policy'
KINDS = {
    ('topics', 'publish'): 'get_publisher_names_and_types_by_node',
    ('topics', 'subscribe'): 'get_subscriber_names_and_types_by_node',
    ('services', 'reply'): 'get_service_names_and_types_by_node',
    ('services', 'request'): 'get_client_names_and_types_by_node',
}


def profiles() -> dict[str, ElementTree.Element]:
    root = ElementTree.parse(POLICY).getroot()
    assert (root.tag, root.attrib) == ('policy', {'version': '0.2.0'})
    found = {}
    for enclave in root.iterfind('enclaves/enclave'):
        (profile,) = enclave.iterfind('profiles/profile')
        assert enclave.attrib['path'] == f'/m2r2/{profile.attrib["node"]}'
        assert profile.attrib['ns'] == '/'
        found[profile.attrib['node']] = profile
    return found


def granted(profile: ElementTree.Element, tag: str, verb: str) -> set[str]:
    """Return full names, or patterns of them, as they are in a namespace."""
    node = profile.attrib['node']
    lists = [e for e in profile.iterfind(tag) if e.attrib == {verb: 'ALLOW'}]
    names = [child.text or '' for e in lists for child in e]
    assert len(set(names)) == len(names), f'{node}: said twice'
    full = (name.replace('~', node) if name.startswith('~') else name for name in names)
    return {name if name[0] in '/*' else f'{NAMESPACE}/{name}' for name in full}


def robot(peer: Node) -> None:
    """Publish the sensors of the cell, and look at drawings."""
    for spec in TOPICS.values():
        peer.create_publisher(message_class(spec['type']), NAMESPACE + spec['topic'], 10)
    listen(peer, MarkerArray, f'{NAMESPACE}/visualizer/markers')
    listen(peer, CompressedImage, f'{NAMESPACE}/visualizer/image/compressed')


def looking(folder: Path) -> Path:
    """Write a model that looks at all sensors of the cell; it has learnt nothing."""
    pytest.importorskip('efficientnet_lite_pytorch')
    network = Network(preset('lite'), CELL.windows, len(CELL.labels.names))
    args = (CELL.labels, CELL.windows, preset('lite'), CELL.normalisation, network)
    save_bundle(Bundle('lite', *args, topics=TOPICS), folder)
    return folder


@pytest.fixture
def given(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the parameters with which a node does all that it can."""
    if name == 'segmenter':
        return {'model': str(looking(tmp_path / 'model')), 'use_sim_time': True}
    if name == 'player':
        return {'path': str(request.getfixturevalue('episode')), 'paused': True}
    if name == 'recorder':
        return {'path': str(tmp_path), 'use_sim_time': True}
    if name == 'sim' and not choose_backend():
        pytest.skip('this machine cannot render, and cameras are in the policy')
    return {} if name == 'sim' else {'use_sim_time': True}


def test_every_node_has_an_enclave() -> None:
    assert set(profiles()) == set(NODES)
    for profile in profiles().values():
        assert all((element.tag, *element.attrib) in KINDS for element in profile)


@pytest.mark.parametrize('name', NODES)
def test_policy_is_what_a_node_has(
    name: str, given: dict[str, Any], launch: Launch, peer: Node
) -> None:
    if name not in ('player', 'sim'):
        robot(peer)
    make = getattr(import_module(f'm2r2_ros.nodes.{name}.node'), f'{name.title()}Node')
    launch(make, ('-r', f'__ns:={NAMESPACE}'), **given)
    profile = profiles()[name]
    for kind, query in KINDS.items():
        compare(
            granted(profile, *kind), partial(getattr(peer, query), name, NAMESPACE), ' '.join(kind)
        )


def compare(allowed: set[str], ask: Callable[[], list[tuple[str, list[str]]]], kind: str) -> None:
    """Wait until a node has what is granted, and nothing else."""

    def difference() -> list[str]:
        found = {topic for topic, _ in ask()}
        refused = {f for f in found if not any(fnmatchcase(f, a) for a in allowed)}
        return sorted(refused | {a for a in allowed if not any(fnmatchcase(f, a) for f in found)})

    try:
        wait_until(lambda: not difference())
    except pytest.fail.Exception:
        pytest.fail(f'{kind}: not granted, or granted and not there: {difference()}')
