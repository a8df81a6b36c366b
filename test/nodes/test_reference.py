# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is written about the nodes is what they are."""

import re
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

from rclpy.parameter import Parameter as RosParameter

from m2r2_ros.nodes.common.stop import Stop
from test.nodes.launch_xml import ROOT, parameters_in
from tools.write_node_reference import NODES, NODES_MD, NODES_YAML, nodes_md, nodes_yaml, table_of

POLICY = ROOT / 'deploy' / 'sros2' / 'policy.xml'
WRITE = 'run tools/write_node_reference.py'


def test_parameter_file_is_what_the_tables_say() -> None:
    assert NODES_YAML.read_text() == nodes_yaml(), WRITE


def test_documented_parameters_are_what_the_tables_say() -> None:
    text = NODES_MD.read_text()
    assert text == nodes_md(text), WRITE


def test_every_executable_is_documented() -> None:
    scripts = {path.name for path in (ROOT / 'scripts').iterdir()} - {'m2r2'}
    assert scripts == set(NODES)
    assert re.findall(r'^## (\w+)$', NODES_MD.read_text(), re.MULTILINE) == list(NODES)


@pytest.mark.parametrize('name', NODES)
def test_documented_private_names_are_those_that_nodes_have(name: str) -> None:
    """The policy is compared with the running nodes elsewhere."""
    section = NODES_MD.read_text().split(f'\n## {name}\n')[1].split('\n## ')[0]
    (profile,) = ElementTree.parse(POLICY).iterfind(f".//profile[@node='{name}']")
    names = {e.text or '' for e in profile.iter() if e.tag in ('topic', 'service')}
    common = '(get|set|list|describe)_.*(parameter|type_description).*'
    private = {n for n in names if n.startswith('~/') and not re.fullmatch(common, n[2:])}
    assert set(re.findall('`(~/[a-z_/]+)`', section)) == private


@pytest.mark.parametrize('name', NODES)
def test_parameter_file_gives_every_default(name: str) -> None:
    given = parameters_in(NODES_YAML)[name]
    defaults = {p.name: p.default for p in table_of(name)}
    assert {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()} == defaults


@pytest.mark.parametrize('name', NODES)
def test_parameters_are_described(name: str) -> None:
    table = table_of(name)
    assert len({p.name for p in table}) == len(table)
    assert all(len(p.description) > 10 and '\n' not in p.description for p in table)


@pytest.mark.parametrize('name', NODES)
def test_node_takes_the_parameter_file(name: str, ros: None, tmp_path: Path) -> None:
    changed = tmp_path / 'mine.yaml'
    changed.write_text(NODES_YAML.read_text().replace('exclude: []', "exclude: ['/rosout']"))
    module = import_module(f'm2r2_ros.nodes.{name}.node')
    make = getattr(module, f'{name.title()}Node')

    node = make(Stop(), arguments=['--ros-args', '--params-file', str(changed)])

    given = parameters_in(changed)[name]
    try:
        for parameter, value in given.items():
            unset = RosParameter(parameter, value=None)  # as empty lists are
            taken = node.get_parameter_or(parameter, unset).value
            assert (taken or []) == value if isinstance(value, list) else taken == value, parameter
    finally:
        node.destroy_node()
