# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses relative to the start of a run: the same numbers stepwise, at once, and in training."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from m2r2_ros.core.modalities import MODALITIES, column, declared
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.inputs import Inputs
from m2r2_ros.model.relative_pose import RelativePoses, first_poses, relative_name, relative_to
from m2r2_ros.network.extractor import Extractor
from m2r2_ros.network.tensors import InputTensors

POSE = column(declared(MODALITIES), 'pose')
RELATIVE = relative_name('pose')
POINTS = 4


def inputs(frames: int = 12, seed: int = 0, *, blind: int = 3) -> Inputs:
    """Make poses, the first few of them masked."""
    rng = np.random.default_rng(seed)
    present = np.zeros((frames, len(MODALITIES)), np.bool_)
    present[blind:, POSE] = True
    poses = rng.normal(size=(frames, POINTS, 9)).astype(np.float32)
    poses[:blind] = 0
    return Inputs({'pose': poses}, present)


def part(whole: Inputs, lo: int, hi: int) -> Inputs:
    return Inputs({name: x[lo:hi] for name, x in whole.data.items()}, whole.present[lo:hi])


def relative(found: Inputs) -> NDArray[np.float32]:
    values: NDArray[np.float32] = found.data[RELATIVE]
    return values


@pytest.mark.parametrize('size', [1, 2, 5, 12])
def test_frames_come_in_any_number_at_a_time(size: int) -> None:
    whole = inputs()
    at_once = relative(RelativePoses()(whole))
    live = RelativePoses()
    pieces = [relative(live(part(whole, k, k + size))) for k in range(0, 12, size)]
    np.testing.assert_array_equal(np.concatenate(pieces), at_once)


def test_a_late_pose_begins_the_run() -> None:
    whole = inputs(blind=3)
    found = relative(RelativePoses()(whole))
    assert not found[:3].any()
    np.testing.assert_array_equal(found[3, 0], np.zeros(9))
    np.testing.assert_array_equal(found[7], whole.data['pose'][7] - whole.data['pose'][3, 0])


def test_a_reset_begins_another_run() -> None:
    live, whole = RelativePoses(), inputs()
    live(part(whole, 0, 8))
    live.reset()
    again = relative(live(part(whole, 8, 12)))
    np.testing.assert_array_equal(again[0, 0], np.zeros(9))


def test_training_knows_the_first_pose_of_every_run() -> None:
    whole = inputs(blind=2)
    restarts = np.zeros(12, np.bool_)
    restarts[[0, 7]] = True
    origins = first_poses(whole.data['pose'], whole.has('pose'), restarts)
    live = RelativePoses()
    first = relative(live(part(whole, 0, 7)))
    live.reset()
    second = relative(live(part(whole, 7, 12)))
    found = relative(relative_to({'pose': origins}, whole))
    np.testing.assert_array_equal(found, np.concatenate([first, second]))


@pytest.mark.parametrize('begins', [True, False])
def test_a_run_without_a_pose_has_no_origin(begins: bool) -> None:
    whole = inputs(4, blind=4)
    restarts = np.array([begins, False, False, False])
    assert not first_poses(whole.data['pose'], whole.has('pose'), restarts).any()
    assert not relative(RelativePoses()(whole)).any()


def test_what_moves_every_pose_changes_nothing() -> None:
    whole = inputs()
    moved = Inputs({'pose': whole.data['pose'] + np.float32(2)}, whole.present)
    seen = whole.present[:, POSE]
    found = relative(RelativePoses()(moved))[seen]
    np.testing.assert_allclose(found, relative(RelativePoses()(whole))[seen], atol=1e-6)


def test_only_a_model_that_wants_them_looks_at_them() -> None:
    found = RelativePoses()(inputs())
    other = Inputs({**found.data, RELATIVE: found.data[RELATIVE] + 1}, found.present)
    for wanted in (False, True):
        config = ModelConfig(
            declared(('pose',)),
            width=8,
            heads=2,
            feedforward=8,
            mlp=8,
            relative_pose=wanted,
        )
        torch.manual_seed(0)
        extractor = Extractor(config, points=POINTS, mel_frames=1, new_columns=1).eval()
        with torch.no_grad():
            a, b = (extractor(InputTensors.of(x))[5] for x in (found, other))
        assert torch.equal(a, b) != wanted


def test_inputs_without_a_pose_pass() -> None:
    whole = Inputs({}, np.zeros((2, len(MODALITIES)), np.bool_))
    assert RelativePoses()(whole) is whole
