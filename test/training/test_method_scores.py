# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scores of methods: boundaries by themselves, labels by the majority, tuning by truth."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import Segment
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.method import Calibration
from m2r2_ros.discovery.methods import find_method
from m2r2_ros.training.discover import RecordingWindows
from m2r2_ros.training.method_scores import (
    MethodRun,
    TrueRecording,
    elapsed,
    score_methods,
    score_runs,
    tune,
)
from m2r2_ros.windows.config import WindowConfig
from test.discovery.arm import SETTING, START, Arm, worker

NS = 1_000_000_000


class Made(RecordingWindows):
    """Windows that need no file."""

    arm: Arm

    def __iter__(self) -> Iterator[FrameWindows]:
        yield self.arm.windows()


def recording(arm: Arm) -> TrueRecording:
    made = Made(Path('made up'), WindowConfig(), SETTING.modalities, {})
    object.__setattr__(made, 'arm', arm)
    edges = [0.0, *arm.marks, arm.seconds]
    truth = [
        Segment(START + round(a * NS), START + round(b * NS), f'skill {k % 3}')
        for k, (a, b) in enumerate(pairwise(edges))
        if b - a > 0.05
    ]
    return TrueRecording(made, truth)


def made_run(begins: list[int]) -> MethodRun:
    stamps = START + NS // 10 * np.arange(40)
    truth = [
        Segment(START, START + NS, 'a'),
        Segment(START + NS, START + 3 * NS, 'b'),
        Segment(START + 3 * NS, START + 4 * NS, 'a'),
    ]
    found = np.zeros(40, np.bool_)
    found[begins] = True
    return MethodRun('made up', stamps, found, truth, 0.004)


def test_true_boundaries_score_full() -> None:
    scores = score_runs([made_run([10, 30])], 3).to_dict()
    assert scores['boundary_f1@0.5s'] == scores['dr_one_to_one'] == 100
    assert scores['oracle_accuracy'] == 1
    assert (scores['segments'], scores['true_segments'], scores['lag_frames']) == (3, 3, 3)
    assert scores['ms_per_frame'] == pytest.approx(0.1)


def test_segments_too_many_cost_boundaries_but_no_accuracy() -> None:
    scores = score_runs([made_run([5, 10, 20, 30, 35])], None).to_dict()
    assert scores['segments'] == 6
    assert scores['boundary_f1@0.5s'] == pytest.approx(100 * 4 / 7)
    assert scores['oracle_accuracy'] == 1
    assert scores['oracle_f1@50'] == 100
    assert scores['lag_frames'] is None


def test_segments_too_few_cost_accuracy() -> None:
    scores = score_runs([made_run([])], 0).to_dict()
    assert scores['oracle_accuracy'] == 0.5
    assert scores['boundary_f1@5s'] == 0


def test_truth_that_holds_no_frame_is_left_out() -> None:
    true = recording(worker())
    first = true.truth[0]
    inside = replace(first, start=first.start + 1, end=first.start + 2, label='too short')
    scores = score_methods(
        {'events': find_method('events').calibrate([true.windows], SETTING)},
        [TrueRecording(true.windows, [inside, *true.truth])],
        SETTING,
    )
    assert scores.true_segments == len(true.truth)
    with pytest.raises(LabelError, match='no frame lies in a segment'):
        score_methods(
            {'events': find_method('events').calibrate([true.windows], SETTING)},
            [TrueRecording(true.windows, [inside])],
            SETTING,
        )


def test_tuning_repairs_a_bad_parameter() -> None:
    true = recording(worker(times=5))
    found = find_method('abd').calibrate([true.windows], SETTING)
    bad = Calibration({**found.options, 'segment_s': 10.0}, found.tensors)
    before = score_methods({'abd': bad}, [true], SETTING).boundaries.boundary_f1[1.0]
    tuned = tune('abd', bad, [true], SETTING)
    after = score_methods({'abd': tuned}, [true], SETTING).boundaries.boundary_f1[1.0]
    assert before is not None
    assert after is not None
    assert after > before
    # What is good already stays as it is.
    good = find_method('events').calibrate([true.windows], SETTING)
    assert tune('events', good, [true], SETTING) == good


def test_the_clock_alone_tells_what_always_happens_at_the_same_time() -> None:
    true = recording(worker())
    scores = elapsed([true, true], [true]).to_dict()
    assert scores['boundary_f1@0.5s'] == 100
    late = recording(Arm().stand(3.0).stroke(2.0).mark().pick())
    assert elapsed([true], [late]).to_dict()['boundary_f1@0.5s'] < 100
