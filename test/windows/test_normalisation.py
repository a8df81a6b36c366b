# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scales of the training set."""

import copy
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.modalities import MODALITIES, SENSOR_DIMS
from m2r2_ros.windows.normalisation import MIN_STD, Normalisation, NormalisationFit

Arrays = dict[str, NDArray[Any]]


def frames(n: int, seed: int = 0) -> tuple[Arrays, NDArray[np.bool_]]:
    """Make frames of every sensor and of sound; a third of each is masked and holds rubbish."""
    rng = np.random.default_rng(seed)
    present = rng.uniform(size=(n, len(MODALITIES))) > 1 / 3
    arrays: Arrays = {'sound': rng.uniform(-60, 20, (n, 64, 5)).astype(np.float32)}
    for name, dims in SENSOR_DIMS.items():
        scale, offset = rng.uniform(0.1, 30, dims), rng.uniform(-50, 50, dims)
        arrays[name] = (rng.normal(size=(n, 30, dims)) * scale + offset).astype(np.float32)
    for name, values in arrays.items():
        values[~present[:, MODALITIES.index(name)]] = 1e6
    return arrays, present


def fitted(*parts: tuple[Arrays, NDArray[np.bool_]]) -> Normalisation:
    fit = NormalisationFit()
    for arrays, present in parts:
        fit.add(arrays, present)
    return fit.result()


def test_what_was_measured_has_mean_0_and_deviation_1() -> None:
    arrays, present = frames(200)
    scales = fitted((arrays, present))
    for name in SENSOR_DIMS:
        seen = arrays[name][present[:, MODALITIES.index(name)]]
        z = scales.scale(name, seen)
        assert z.dtype == np.float32
        assert z.shape == seen.shape
        np.testing.assert_allclose(z.mean((0, 1)), 0, atol=1e-4)
        np.testing.assert_allclose(z.std((0, 1)), 1, atol=1e-4)


def test_sound_spans_minus_one_to_one_and_is_clipped_beyond() -> None:
    arrays, present = frames(50)
    heard = arrays['sound'][present[:, MODALITIES.index('sound')]]
    scales = fitted((arrays, present))
    assert scales.sound_range == pytest.approx((heard.min(), heard.max()))
    scaled = scales.scale_sound(heard)
    assert scaled.dtype == np.float32
    assert (scaled.min(), scaled.max()) == pytest.approx((-1, 1))
    beyond = np.array([[-200.0, 200.0]], np.float32)
    assert scales.scale_sound(beyond).tolist() == [[-1.0, 1.0]]


def test_part_by_part_is_the_same_as_in_one_step() -> None:
    arrays, present = frames(120)
    at_once = fitted((arrays, present)).to_dict()
    cuts = [slice(0, 1), slice(1, 50), slice(50, 50), slice(50, 120)]
    parts = [({name: a[c] for name, a in arrays.items()}, present[c]) for c in cuts]
    in_parts = fitted(*parts).to_dict()
    assert in_parts['sound_range_db'] == at_once['sound_range_db']
    for name in SENSOR_DIMS:
        for key in ('mean', 'std'):
            np.testing.assert_allclose(
                in_parts['sensors'][name][key], at_once['sensors'][name][key], rtol=1e-9
            )


def test_masked_frames_do_not_count() -> None:
    arrays, present = frames(60)
    rows = present.all(axis=1)
    wrench = MODALITIES.index('wrench')
    other = {name: a.copy() for name, a in arrays.items()}
    other['wrench'][~present[:, wrench]] = np.nan
    assert fitted((other, present)).to_dict() == fitted((arrays, present)).to_dict()
    assert rows.any()


def test_a_sensor_that_was_never_present_is_not_scaled() -> None:
    arrays, present = frames(20)
    present[:, MODALITIES.index('twist')] = False
    present[:, MODALITIES.index('sound')] = False
    scales = fitted((arrays, present))
    twist = np.array([[1.0, -2, 3, 4, 5, 6]], np.float32)
    np.testing.assert_array_equal(scales.scale('twist', twist), twist)
    assert scales.sound_range[0] < scales.sound_range[1]
    assert Normalisation.from_dict(fitted().to_dict()).to_dict() == fitted().to_dict()


def test_a_channel_that_never_moved_is_not_blown_up() -> None:
    arrays, present = frames(20)
    arrays['gripper'][:] = 0.04
    scales = fitted((arrays, present))
    assert scales.std['gripper'].tolist() == [MIN_STD]
    assert abs(scales.scale('gripper', np.array([[0.041]], np.float32))[0, 0]) < 1.1


def test_scales_survive_yaml() -> None:
    scales = fitted(frames(30))
    text = yaml.safe_dump(scales.to_dict())
    assert Normalisation.from_dict(yaml.safe_load(text)).to_dict() == scales.to_dict()


def entry(path: str, value: Any) -> dict[str, Any]:
    """Return good entries but for one; None takes it away."""
    entries = copy.deepcopy(fitted(frames(10)).to_dict())
    *folders, last = path.split('.')
    place = entries
    for name in folders:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return entries


@pytest.mark.parametrize(
    ('path', 'value'),
    [
        ('sensors', None),
        ('sensors', []),
        ('sensors.wrench', None),
        ('sensors.wrench.mean', [0.0] * 5),
        ('sensors.pose.mean', 'none'),
        ('sensors.pose.std', [1.0] * 8 + [float('nan')]),
        ('sensors.twist.std', [1.0] * 5 + [0.0]),
        ('sensors.twist.std', [1.0] * 5 + [-1.0]),
        ('sensors.gripper.mean', [float('inf')]),
        ('sound_range_db', None),
        ('sound_range_db', [1.0]),
        ('sound_range_db', [3.0, 3.0]),
        ('sound_range_db', [float('nan'), 0.0]),
        ('sound_range_db', [float('-inf'), 0.0]),
        ('sound_range_db', ['low', 'high']),
    ],
)
def test_wrong_entries_are_named(path: str, value: Any) -> None:
    numbers = isinstance(value, list) and all(isinstance(v, float) for v in value)
    named = f'normalisation.{path}' if numbers and value else 'normalisation'
    with pytest.raises(BundleError, match=named):
        Normalisation.from_dict(entry(path, value))


@pytest.mark.parametrize('entries', [None, [], 'x', 3])
def test_a_normalisation_must_be_a_mapping(entries: Any) -> None:
    with pytest.raises(BundleError, match='normalisation'):
        Normalisation.from_dict(entries)
