# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Launch files name only what there is: executables, parameters, arguments, files."""

import re
from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

from m2r2_ros.nodes.launch.process import Process
from test.nodes.launch_xml import (
    FILES,
    PACKAGE,
    ROOT,
    declared,
    parameters_in,
    processes,
    read,
    variables,
)
from tools.write_node_reference import table_of

GIVEN = {'model': 'bundle', 'bag': 'recording', 'foxglove': 'true', 'rviz': 'true'}
EVERYWHERE = {'use_sim_time': False}

each_file = pytest.mark.parametrize('path', FILES, ids=lambda p: p.name.split('.')[0])


def all_of(path: Path, **given: str) -> list[Process]:
    """Return everything that a launch file can start."""
    known = declared(read(path))
    return list(processes(path, {k: v for k, v in {**GIVEN, **given}.items() if k in known}))


def named(found: list[Process]) -> dict[str, Process]:
    return {process.executable: process for process in found}


def test_there_are_launch_files() -> None:
    assert {p.name for p in FILES} == {
        *('live.launch.xml', 'replay.launch.xml', 'simulated.launch.xml', 'viewers.launch.xml')
    }


@each_file
def test_nodes_are_executables_that_are_installed(path: Path) -> None:
    (block,) = re.findall(
        r'install\(PROGRAMS([^)]*)DESTINATION lib/', (ROOT / 'CMakeLists.txt').read_text()
    )
    installed = set(re.findall(r'scripts/(\w+)', block))
    ours = [p for p in all_of(path) if p.package == PACKAGE]
    assert ours and {p.executable for p in ours} <= installed
    # Keys of parameter files are names of nodes.
    assert all(p.name == p.executable for p in ours)
    assert {p.package for p in all_of(path)} - {PACKAGE} == {'foxglove_bridge', 'rviz2'}


@each_file
def test_parameters_are_those_of_the_nodes(path: Path) -> None:
    for process in all_of(path):
        if process.package == PACKAGE:
            defaults = {p.name: p.default for p in table_of(process.executable)} | EVERYWHERE
            for name, value in process.parameters.items():
                assert type(value) is type(defaults[name]), f'{process.executable}: {name}'


@each_file
def test_parameter_files_hold_parameters_of_the_nodes(path: Path) -> None:
    for process in all_of(path):
        for file in process.files:
            known = {p.name for p in table_of(process.executable)} | EVERYWHERE.keys()
            assert parameters_in(Path(file))[process.name].keys() <= known


@each_file
def test_arguments_are_described_declared_and_used(path: Path) -> None:
    root = read(path)
    used: set[str] = set()
    for element in root.iter():
        for text in element.attrib.values():
            used |= variables(text)
    assert used == set(declared(root))
    assert all(len(arg.get('description', '')) > 10 for arg in root.findall('arg'))


@each_file
def test_includes_pass_every_argument_that_both_have(path: Path) -> None:
    root = read(path)
    for include in root.findall('include'):
        passed = {e.attrib['name'] for e in include}
        theirs = declared(read(path.parent / Path(include.attrib['file']).name))
        assert passed == theirs.keys() & (declared(root).keys() | {'use_sim_time'})


@each_file
def test_files_that_are_pointed_to_exist(path: Path) -> None:
    for process in all_of(path):
        assert all(Path(file).is_file() for file in process.files)
    for default in declared(read(path)).values():
        if default and 'find-pkg-share' in default:
            assert (ROOT / default.split(')/')[1]).exists(), default


@each_file
def test_every_node_obeys_namespace_and_log_level(path: Path) -> None:
    for process in all_of(path, namespace='left', log_level='debug'):
        if process.package == PACKAGE:
            assert process.namespace == 'left'
            assert process.ros_options == ('--log-level', 'debug')


def test_live_nodes_need_no_simulated_clock() -> None:
    for process in all_of(ROOT / 'launch' / 'live.launch.xml'):
        assert process.parameters['use_sim_time'] is False


@pytest.mark.parametrize('name, source', [('replay', 'player'), ('simulated', 'sim')])
def test_all_but_the_source_of_the_clock_use_it(name: str, source: str) -> None:
    found = named(all_of(ROOT / 'launch' / f'{name}.launch.xml'))
    assert 'use_sim_time' not in found.pop(source).parameters
    assert all(process.parameters['use_sim_time'] is True for process in found.values())
    assert {'segmenter', 'visualizer'} <= found.keys()


def test_a_launch_ends_with_its_source() -> None:
    for name, source in (('replay', 'player'), ('simulated', 'sim')):
        assert named(all_of(ROOT / 'launch' / f'{name}.launch.xml'))[source].essential


def test_a_segmenter_that_ends_does_not_end_a_recording() -> None:
    assert not any(p.essential for p in all_of(ROOT / 'launch' / 'live.launch.xml'))


def test_what_is_switched_off_is_not_started() -> None:
    live = ROOT / 'launch' / 'live.launch.xml'
    assert 'recorder' not in named(all_of(live, record='false'))
    assert set(named(all_of(live, viewers='false'))) == {'segmenter', 'recorder'}
    few = named(all_of(live, foxglove='false', rviz='false'))
    assert set(few) == {'segmenter', 'recorder', 'visualizer'}


@each_file
def test_what_may_not_be_installed_is_started_first(path: Path) -> None:
    """`ros2 launch` ends where a package is missing, and leaves running what it has started."""
    ours = [process.package == PACKAGE for process in all_of(path)]
    assert ours == sorted(ours)


def test_foxglove_is_for_this_machine_only() -> None:
    bridge = named(all_of(ROOT / 'launch' / 'viewers.launch.xml'))['foxglove_bridge']
    assert bridge.parameters['address'] == '127.0.0.1'


def test_an_empty_argument_stays_a_string() -> None:
    segmenter = named(all_of(ROOT / 'launch' / 'live.launch.xml'))['segmenter']
    assert segmenter.parameters['topics'] == ''
    assert 'topics:=""' in segmenter.command
