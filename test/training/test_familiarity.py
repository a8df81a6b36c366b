# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.core.modalities import MODALITIES, SENSORS
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.model.familiarity import FEATURES, Familiarity, Watch
from m2r2_ros.model.inputs import Inputs, make_inputs
from m2r2_ros.model.reference import fit_reference
from m2r2_ros.network.bundle import Bundle, save_bundle
from m2r2_ros.training.cache import CachedRecording
from m2r2_ros.training.described import describe_recording
from m2r2_ros.training.extract import features_of
from m2r2_ros.training.familiarity import fit_familiarity, least_confidence
from m2r2_ros.training.segmenter import segmenter_of
from test.network.networks import enliven, make_bundle, make_windows

Change = Callable[[dict[str, NDArray[np.float32]]], None]
N = 60


def windows_of(seed: int) -> FrameWindows:
    """Windows of a robot whose sensors never stop."""
    w = make_windows(N, seed)
    present = np.tile([m in SENSORS for m in MODALITIES], (N, 1))
    return replace(w, present=present)


def recording(seed: int) -> CachedRecording:
    w = windows_of(seed)
    targets = np.zeros(N, np.int64)
    return CachedRecording('r', w.stamps, targets, w.restarts, w.sensors, w.present, w.modalities)


@pytest.fixture(scope='module')
def bundle() -> Bundle:
    made = make_bundle()
    enliven(made)
    known = fit_familiarity(
        [
            describe_recording(
                recording(seed), made.normalisation, features_of(made.network),
                offset=0.6, seed=seed,
            )
            for seed in range(1, 5)
        ],
        made.windows.frame_rate,
        rates={'wrench': 500.0},
    )  # fmt: skip
    return replace(made, familiarity=known, decoding={})


def changed(seed: int, change: Change) -> FrameWindows:
    w = windows_of(seed)
    sensors = {name: values.copy() for name, values in w.sensors.items()}
    change(sensors)
    return replace(w, sensors=sensors)


def reasons(bundle: Bundle, change: Change = lambda sensors: None) -> list[str]:
    return [x.reason for x in segmenter_of(bundle).segment(changed(9, change))]


def test_familiar_recordings_get_labels(bundle: Bundle) -> None:
    assert reasons(bundle).count('') > 0.95 * N


def test_a_sensor_far_off_is_unknown_from_the_first_frame_on(bundle: Bundle) -> None:
    def biased(sensors: dict[str, NDArray[np.float32]]) -> None:
        sensors['wrench'] += 1000

    assert set(reasons(bundle, biased)) == {'unlike: wrench'}
    labels = segmenter_of(bundle).segment(changed(9, biased))
    assert {(x.label_id, x.label, x.segment_index) for x in labels} == {(UNKNOWN, 'unknown', 0)}


def test_a_sensor_that_recovers_is_believed_again(bundle: Bundle) -> None:
    def broken_for_a_while(sensors: dict[str, NDArray[np.float32]]) -> None:
        sensors['pose'][10:20, :, :3] += 100

    found = reasons(bundle, broken_for_a_while)
    assert all(found[11:20])
    assert not any(found[50:])


def test_most_modalities_missing_is_unknown_one_is_not(bundle: Bundle) -> None:
    w = windows_of(9)

    def without(*lacking: str) -> set[str]:
        present = w.present.copy()
        present[:, [MODALITIES.index(m) for m in lacking]] = False
        return {x.reason for x in segmenter_of(bundle).segment(replace(w, present=present))}

    assert '' in without('wrench')
    assert without('wrench', 'pose', 'twist') == {'missing: wrench, pose, twist'}


def test_steps_and_chunks_agree(bundle: Bundle) -> None:
    def drifting(sensors: dict[str, NDArray[np.float32]]) -> None:
        sensors['wrench'] *= np.linspace(1, 8, N, dtype=np.float32)[:, None, None]

    windows = changed(9, drifting)
    whole = segmenter_of(bundle).segment(windows)
    stepping = segmenter_of(bundle)
    steps = [stepping.step(windows[i : i + 1]) for i in range(N)]
    assert [x and x.reason for x in steps] == [x.reason for x in whole]
    assert {x.reason == '' for x in whole} == {True, False}


def test_it_is_kept_in_the_bundle(bundle: Bundle, tmp_path: Path) -> None:
    saved = save_bundle(bundle, tmp_path / 'b')
    assert saved.familiarity is not None and bundle.familiarity is not None
    assert saved.familiarity.to_dict() == bundle.familiarity.to_dict()
    for name, array in bundle.familiarity.tensors().items():
        np.testing.assert_array_equal(saved.familiarity.tensors()[name], array)
    assert saved.familiarity.always == SENSORS


def test_bundles_without_it_label_everything(tmp_path: Path) -> None:
    saved = save_bundle(make_bundle(), tmp_path / 'b')
    assert saved.familiarity is None

    def biased(sensors: dict[str, NDArray[np.float32]]) -> None:
        sensors['wrench'] += 1000

    labels = segmenter_of(saved).segment(changed(9, biased))
    assert not any(x.reason for x in labels)


@pytest.mark.parametrize(
    ('path', 'value'),
    [
        (('parts', 'wrench', 'threshold'), -1.0),
        (('parts', 'wrench', 'threshold'), 'high'),
        (('parts', 'wrench', 'centres'), 10**9),
        (('parts', 'wrench', 'centres'), 3),
        (('parts', 'brain'), {'threshold': 1.0, 'directions': 1, 'centres': 1}),
        (('parts', 'image'), {'threshold': 1.0, 'directions': 1, 'centres': 1}),
        (('least_confidence',), 2.0),
        (('always',), ['smell']),
        (('rates',), {'wrench': -5.0}),
        (('more',), 1),
    ],
)
def test_damaged_sections_are_refused(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: tuple[str, ...],
    value: Any,
) -> None:  # fmt: skip
    entries = bundle.familiarity.to_dict() if bundle.familiarity else {}
    inner = entries
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    monkeypatch.setattr(Familiarity, 'to_dict', lambda self: entries)
    with pytest.raises(BundleError, match=r'bundle\.yaml|weights'):
        save_bundle(bundle, tmp_path / 'b')
    assert not (tmp_path / 'b').exists()


def test_modalities_that_were_never_trained_are_not_looked_at(bundle: Bundle) -> None:
    topics = {m: t for m, t in bundle.topics.items() if m != 'gripper'}
    blind = replace(bundle, topics=topics, familiarity=None)

    def other_gripper(sensors: dict[str, NDArray[np.float32]]) -> None:
        sensors['gripper'] += 5

    plain, other = (
        segmenter_of(blind).segment(changed(9, change))
        for change in (lambda sensors: None, other_gripper)
    )
    for a, b in zip(plain, other, strict=True):
        np.testing.assert_array_equal(a.probabilities, b.probabilities)
        assert not a.modality_mask >> MODALITIES.index('gripper') & 1


def test_distances_grow_with_what_is_unlike() -> None:
    rng = np.random.default_rng(0)
    known = rng.normal(0, [1, 5, 0.2], (500, 3)).astype(np.float32)
    for rotate in (False, True):
        reference = fit_reference(known, rotate=rotate)
        shifts = np.array([[0, 0, 0], [10, 0, 0], [0, 50, 0], [0, 0, 2]], np.float32)
        near, *far = reference.distance(shifts)
        assert near < 0.5
        assert all(f > 1.5 for f in far)
    again = fit_reference(known)
    np.testing.assert_array_equal(again.centres, fit_reference(known).centres)


def test_averages_begin_with_the_first_frame_and_fade() -> None:
    reference = fit_reference(np.zeros((4, 1), np.float32))
    watch = Watch(Familiarity({FEATURES: reference}, {FEATURES: 1.0}), 10.0)
    first, *rest = watch.averaged(np.array([[2.0], *[[0.0]] * 20], np.float32))[:, 0]
    assert first == pytest.approx(2.0)
    assert rest == sorted(rest, reverse=True)
    assert rest[-1] < 0.2
    masked = watch.averaged(np.full((1, 1), np.nan, np.float32))
    assert masked[0, 0] == pytest.approx(rest[-1])


def test_least_confidence() -> None:
    confidence = np.concatenate([np.linspace(0.3, 0.4, 50), np.linspace(0.6, 1, 9950)])
    p = np.stack([confidence, 1 - confidence], axis=1).astype(np.float32)
    p[:50] = np.stack([confidence[:50], 0.2 + 0 * confidence[:50]], axis=1)
    targets = np.array([1] * 50 + [0] * 9950)
    assert least_confidence([(p, targets)]) == pytest.approx(0.4, abs=1e-3)
    assert least_confidence([(p, np.zeros(10_000, np.int64))]) == 0.0
    assert least_confidence([]) == 0.0


def test_inputs_mask_what_is_not_looked_at() -> None:
    bundle = make_bundle()
    inputs: Inputs = make_inputs(make_windows(3), bundle.normalisation, ('pose',))
    seen = np.flatnonzero(inputs.present.any(axis=0))
    assert seen.tolist() == [0]
