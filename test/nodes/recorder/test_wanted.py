# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics are recorded."""

from m2r2_ros.nodes.recorder.wanted import Wanted


def resolve(name: str) -> str:
    return name if name.startswith('/') else f'/arm/{name}'


def test_without_names_all_is_recorded_but_what_is_hidden_or_internal() -> None:
    wanted = Wanted(resolve, (), ('.*/visualizer/.*',))
    names = ['/arm/wrench', '/_hidden', '/rosout', '/parameter_events', '/left/visualizer/markers']
    assert [name for name in names if name in wanted] == ['/arm/wrench']
    assert wanted.named == set()


def test_names_are_resolved_and_patterns_are_not() -> None:
    wanted = Wanted(resolve, ('wrench', '/cam.*', '/_hidden', 'gone'), ('.*2', 'gone'))
    names = ['/arm/wrench', '/wrench', '/cam1', '/cam2', '/_hidden', '/arm/gone']
    assert [name for name in names if name in wanted] == ['/arm/wrench', '/cam1', '/_hidden']
    assert wanted.named == {'/arm/wrench', '/_hidden'}
