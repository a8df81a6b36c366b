# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What executables say of themselves, and what they refuse."""

import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

from m2r2_ros.nodes.__main__ import NODES as EXECUTABLES
from test.nodes.launch_xml import ROOT
from tools.write_node_reference import NODES, NODES_MD, about

POLICY = ROOT / 'deploy' / 'sros2' / 'policy.xml'
#: What every node has.
COMMON = '~/(get|set|list|describe)_.*(parameter|type_description).*'


def output(*words: str) -> tuple[int, str, str]:
    ended = subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize('name', NODES)
def test_executables_answer_help(name: str) -> None:
    option = '--help' if name < 'r' else '-h'
    code, shown, errors = output(str(ROOT / 'scripts' / name), option)
    assert (code, errors) == (0, '')
    assert shown.startswith(f'usage: {name} ')
    flat = ' '.join(shown.split())
    node = about(name)
    assert node.summary in flat
    for parameter in node.parameters:
        assert f'  {parameter.name} ({parameter.type_name}, {parameter.literal})' in shown
        assert '; '.join([parameter.description.rstrip('.'), *parameter.limits()]) in flat
    for topic in (*node.publishes, *node.subscribes, *node.services):
        assert topic in flat


@pytest.mark.parametrize('name', NODES)
def test_names_are_those_of_the_policy(name: str) -> None:
    """The policy is compared with the running nodes elsewhere."""
    (profile,) = ElementTree.parse(POLICY).iterfind(f".//profile[@node='{name}']")
    node = about(name)
    for said, tag, verb in (
        (node.publishes, 'topics', 'publish'),
        (node.subscribes, 'topics', 'subscribe'),
        (node.services, 'services', 'reply'),
    ):
        lists = [e for e in profile.iterfind(tag) if e.attrib == {verb: 'ALLOW'}]
        names = {child.text or '' for e in lists for child in e}
        named = {text for text in said if re.fullmatch(r'[~/a-z_]+', text)}
        assert named <= names or '*' in names
        assert {n for n in names if n[0] == '~' and not re.fullmatch(COMMON, n)} <= named


def test_summaries_are_those_of_the_documentation() -> None:
    text = NODES_MD.read_text()
    for name in NODES:
        summary = about(name).summary
        assert f'| [{name}](#{name}) | {summary[0].lower()}{summary[1:-1]} |' in text


@pytest.mark.parametrize(
    'words, told',
    [
        ('bag.mcap', "player: unknown argument 'bag.mcap'"),
        ('--ros-args -p paht:=bag', "no parameter 'paht': did you mean path?"),
        ('--ros-args -x', '-x'),
        ('--ros-args -p', '-p'),
    ],
)
def test_what_would_be_ignored_is_refused(words: str, told: str) -> None:
    code, shown, errors = output('-m', 'm2r2_ros.nodes', 'player', *words.split())
    assert (code, shown) == (2, '')
    assert 'Traceback' not in errors
    assert told in errors
    assert '--help' in errors


@pytest.mark.parametrize(
    'words',
    [
        ['--ros-args', '-p', 'path:=bag', '-p', 'use_sim_time:=true'],
        ['--ros-args', '-p', 'segmenter:model:=x', '--params-file', 'x:=y'],
        ['--ros-args', '-p', 'qos_overrides./parameter_events.publisher.depth:=9'],
    ],
)
def test_parameters_of_ros_and_of_other_nodes_are_taken(words: list[str]) -> None:
    about('player').check(words, [])


def test_nodes_start_by_their_names_without_ros2() -> None:
    assert EXECUTABLES == NODES
    code, shown, _ = output('-m', 'm2r2_ros.nodes', '--help')
    assert code == 0
    assert all(name in shown for name in NODES)
    code, shown, errors = output('-m', 'm2r2_ros.nodes', 'playr')
    assert (code, shown) == (2, '')
    assert 'player' in errors
