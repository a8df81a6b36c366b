# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Classes with few segments are found, over all recordings together."""

from dataclasses import replace

from m2r2_ros.checks.balance import balance_results
from m2r2_ros.checks.labels.options import LabelOptions
from m2r2_ros.core.taxonomy import LabelClass, Taxonomy
from test.checks.labels.made import LABELS, findings, made, not_run


def test_classes_with_few_segments_are_found() -> None:
    labelled = [made(seed)[0] for seed in range(6)]
    assert not balance_results(labelled)
    rare = replace(labelled[0].segments[0], label='screw')
    labelled[0] = replace(labelled[0], segments=(rare, *labelled[0].segments[1:]))
    (found,) = findings(balance_results(labelled))
    assert (found.topic, found.measured, found.threshold) == ('screw', 1.0, 5.0)
    assert not balance_results(labelled, LabelOptions(least_segments=1))


def test_a_class_that_nobody_used_is_rare() -> None:
    classes = tuple(LabelClass(name) for name in (*LABELS.names, 'weld'))
    taxonomy = Taxonomy('t', '1', classes)
    labelled = [replace(made(seed)[0], taxonomy=taxonomy) for seed in range(6)]
    assert [(f.topic, f.measured) for f in findings(balance_results(labelled))] == [('weld', 0.0)]


def test_one_recording_is_no_set() -> None:
    for labelled in ([], [made(0)[0]]):
        assert not findings(balance_results(labelled))
        assert not_run(balance_results(labelled))
