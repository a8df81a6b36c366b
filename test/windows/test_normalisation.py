# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scales of the training set."""

import copy
import warnings
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.modalities import BUILTIN, MODALITIES, SENSORS, declared
from m2r2_ros.windows.logmel import MEL_BINS, SILENCE_DB
from m2r2_ros.windows.normalisation import (
    LIMIT,
    MIN_STD,
    MIN_STD_DB,
    Normalisation,
    NormalisationFit,
    SoundScale,
    level_of,
)
from test.bimanual import BIMANUAL

Arrays = dict[str, NDArray[Any]]
ALL = declared(MODALITIES)


def frames(n: int, seed: int = 0) -> tuple[Arrays, NDArray[np.bool_]]:
    """Make frames of every sensor and of sound; a third of each is masked and holds rubbish."""
    rng = np.random.default_rng(seed)
    present = rng.uniform(size=(n, len(MODALITIES))) > 1 / 3
    arrays: Arrays = {'sound': rng.uniform(-60, 20, (n, 64, 5)).astype(np.float32)}
    for name in SENSORS:
        dims = BUILTIN[name].dims
        scale, offset = rng.uniform(0.1, 30, dims), rng.uniform(-50, 50, dims)
        arrays[name] = (rng.normal(size=(n, 30, dims)) * scale + offset).astype(np.float32)
    for name, values in arrays.items():
        values[~present[:, MODALITIES.index(name)]] = 1e6
    return arrays, present


def fitted(*parts: tuple[Arrays, NDArray[np.bool_]]) -> Normalisation:
    fit = NormalisationFit(ALL)
    for arrays, present in parts:
        fit.add(arrays, present)
    return fit.result()


def test_what_was_measured_has_mean_0_and_deviation_1() -> None:
    arrays, present = frames(200)
    scales = fitted((arrays, present))
    for name in SENSORS:
        seen = arrays[name][present[:, MODALITIES.index(name)]]
        z = scales.scale(name, seen)
        assert z.dtype == np.float32
        assert z.shape == seen.shape
        np.testing.assert_allclose(z.mean((0, 1)), 0, atol=1e-4)
        np.testing.assert_allclose(z.std((0, 1)), 1, atol=1e-4)


def test_each_bin_of_what_was_heard_has_mean_0_and_deviation_1() -> None:
    arrays, present = frames(200)
    arrays['sound'][:, 7] *= 0.1
    arrays['sound'][:, 8] -= 40
    heard = arrays['sound'][present[:, MODALITIES.index('sound')]]
    z = fitted((arrays, present)).sounds['sound'](heard)
    assert z.dtype == np.float32
    np.testing.assert_allclose(z.mean((0, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(z.std((0, 2)), 1, atol=1e-4)


def test_a_click_does_not_decide_about_the_scale_of_the_rest() -> None:
    arrays, present = frames(200)
    heard = present[:, MODALITIES.index('sound')].argmax()
    mel = arrays['sound'][heard : heard + 1].copy()
    quiet = fitted((arrays, present)).sounds['sound'](mel)
    arrays['sound'][heard, 3, 2] = 80
    clicked = fitted((arrays, present)).sounds['sound'](mel)
    np.testing.assert_allclose(clicked, quiet, atol=0.05)
    assert quiet.std() > 0.5


@pytest.mark.parametrize('gain', [-20.0, 6.0, 40.0])
def test_how_far_the_microphone_is_turned_up_does_not_matter(gain: float) -> None:
    arrays, present = frames(40)
    sound = fitted((arrays, present)).sounds['sound']
    mel = np.random.default_rng(1).uniform(-50, 0, (3, 64, 98)).astype(np.float32)
    np.testing.assert_allclose(sound(mel + np.float32(gain)), sound(mel), atol=1e-4)
    louder = {**arrays, 'sound': arrays['sound'] + np.float32(gain)}
    np.testing.assert_allclose(
        fitted((louder, present)).sounds['sound'](mel), sound(mel), atol=1e-4
    )


def test_an_impact_does_not_change_what_was_heard_around_it() -> None:
    sound = fitted(frames(40)).sounds['sound']
    mel = np.random.default_rng(1).uniform(-40, -35, (1, 64, 98)).astype(np.float32)
    struck = mel.copy()
    struck[:, :, 60:63] = 10
    np.testing.assert_allclose(sound(struck)[:, :, :60], sound(mel)[:, :, :60], atol=0.1)
    assert (sound(struck)[:, :, 60:63] > sound(mel)[:, :, 60:63] + 1).all()


@pytest.mark.parametrize('columns', [1, 2, 5, 97, 98])
@pytest.mark.parametrize('dtype', [np.float16, np.float32, np.float64])
def test_the_level_is_the_median_of_the_means_of_what_was_heard(
    columns: int, dtype: type[np.floating[Any]]
) -> None:
    rng = np.random.default_rng(columns)
    mel = rng.uniform(-60, 20, (8, MEL_BINS, columns)).astype(dtype)
    mel[1] = SILENCE_DB
    mel[2, :, columns // 2 :] = SILENCE_DB
    mel[3, :, :1] = SILENCE_DB
    mel[4, 20:] = SILENCE_DB
    mel[5][rng.uniform(size=mel[5].shape) < 0.9] = SILENCE_DB
    mel[6] = np.abs(mel[6]) + 1
    mel[6, :, (columns + 1) // 2 :] = SILENCE_DB
    heard = np.where(mel > SILENCE_DB, mel, np.nan).astype(np.float64)
    levels = level_of(mel)
    assert levels.dtype == dtype
    assert levels[1] == 0
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', RuntimeWarning)  # nothing was heard in some
        expected = np.nanmedian(np.nanmean(heard, axis=1), axis=1)
    spare = {np.float16: 0.5, np.float32: 1e-4, np.float64: 1e-12}[dtype]
    np.testing.assert_allclose(levels, np.nan_to_num(expected), atol=spare)
    np.testing.assert_array_equal(levels, np.concatenate([level_of(m[None]) for m in mel]))
    np.testing.assert_array_equal(level_of(mel[[0, 7]]), levels[[0, 7]])


@pytest.mark.parametrize('relative', [False, True])
def test_sound_is_scaled_bin_by_bin_and_clipped(relative: bool) -> None:
    rng = np.random.default_rng(0)
    scale = SoundScale(rng.normal(-30, 9, MEL_BINS), rng.uniform(1, 9, MEL_BINS), 2.5, relative)
    mel = rng.uniform(-60, 20, (3, MEL_BINS, 7)).astype(np.float32)
    mel[1, 4] = SILENCE_DB
    before = mel.copy()
    z = scale(mel)
    level = level_of(mel)[:, None, None] if relative else 0
    expected = np.clip((mel - level - scale.mean[:, None]) / scale.std[:, None], -2.5, 2.5)
    expected[1, 4] = -2.5
    assert z.dtype == np.float32
    np.testing.assert_allclose(z, expected, atol=2e-5)
    np.testing.assert_array_equal(mel, before)
    assert len(np.unique(z)) > 50


def test_moments_without_any_sound_do_not_count_and_are_clipped() -> None:
    arrays, present = frames(40)
    before = fitted((arrays, present)).sounds['sound']
    silent = {'sound': np.full((500, 64, 5), SILENCE_DB, np.float32)}
    after = fitted((arrays, present), (silent, np.ones((500, len(MODALITIES)), np.bool_))).sounds[
        'sound'
    ]
    np.testing.assert_array_equal(after.mean, before.mean)
    np.testing.assert_array_equal(after.std, before.std)
    half = silent['sound'][:1].copy()
    half[:, :, 3:] = -30
    assert (before(half)[:, :, :3] == -LIMIT).all()
    assert np.abs(before(half)[:, :, 3:]).max() < 1


def test_a_bin_that_was_always_silent_is_not_blown_up() -> None:
    arrays, present = frames(40)
    arrays['sound'][:, 60:] = SILENCE_DB
    sound = fitted((arrays, present)).sounds['sound']
    assert (sound(arrays['sound'])[:, 60:] == -LIMIT).all()
    assert sound.std[63] == MIN_STD_DB


def test_bundles_of_older_versions_have_one_range_for_all_bins() -> None:
    entries = fitted(frames(10)).to_dict()
    del entries['sounds']
    scales = Normalisation.from_dict({**entries, 'sound_range_db': [-100.0, 28.0]}, ALL)
    mel = np.repeat(np.array([[-100.0, -36, 28, 200, -500]], np.float32), MEL_BINS, axis=0)
    assert scales.sounds['sound'](mel)[17].tolist() == [-1, 0, 1, 1, -1]
    assert Normalisation.from_dict(scales.to_dict(), ALL).to_dict() == scales.to_dict()


def test_part_by_part_is_the_same_as_in_one_step() -> None:
    arrays, present = frames(120)
    at_once = fitted((arrays, present)).to_dict()
    cuts = [slice(0, 1), slice(1, 50), slice(50, 50), slice(50, 120)]
    parts = [({name: a[c] for name, a in arrays.items()}, present[c]) for c in cuts]
    in_parts = fitted(*parts).to_dict()
    for key in ('mean_db', 'std_db'):
        np.testing.assert_allclose(
            in_parts['sounds']['sound'][key], at_once['sounds']['sound'][key], rtol=1e-9
        )
    for name in SENSORS:
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
    assert np.isfinite(scales.sounds['sound'](np.zeros((1, MEL_BINS, 2), np.float32))).all()
    assert Normalisation.from_dict(fitted().to_dict(), ALL).to_dict() == fitted().to_dict()


def test_a_channel_that_never_moved_is_not_blown_up() -> None:
    arrays, present = frames(20)
    arrays['gripper'][:] = 0.04
    scales = fitted((arrays, present))
    assert scales.std['gripper'].tolist() == [MIN_STD]
    assert abs(scales.scale('gripper', np.array([[0.041]], np.float32))[0, 0]) < 1.1


def test_scales_survive_yaml() -> None:
    scales = fitted(frames(30))
    text = yaml.safe_dump(scales.to_dict())
    assert Normalisation.from_dict(yaml.safe_load(text), ALL).to_dict() == scales.to_dict()


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
        ('sounds.sound.mean_db', [0.0] * 63),
        ('sounds.sound.mean_db', [float('nan')] * 64),
        ('sounds.sound.mean_db', [1e30] * 64),
        ('sounds.sound.std_db', [0.0] * 64),
        ('sounds.sound.std_db', None),
        ('sounds.sound.limit', None),
        ('sounds.sound.relative', 'yes'),
        ('sounds.sound.limit', 0.0),
        ('sounds.sound.limit', -1.0),
        ('sounds', None),
        ('sounds', []),
        ('sounds.sound', None),
        ('sounds.sound', []),
    ],
)
def test_wrong_entries_are_named(path: str, value: Any) -> None:
    numbers = isinstance(value, list) and all(isinstance(v, float) for v in value)
    named = f'normalisation.{path}' if numbers and value else 'normalisation'
    with pytest.raises(BundleError, match=named):
        Normalisation.from_dict(entry(path, value), ALL)


@pytest.mark.parametrize(
    'sound_range', [None, [1.0], [3.0, 3.0], [float('nan'), 0.0], [float('-inf'), 0.0], ['low', 9]]
)
def test_a_wrong_range_of_an_older_version_is_named(sound_range: Any) -> None:
    entries = {**entry('sounds', None), 'sound_range_db': sound_range}
    with pytest.raises(BundleError, match=r'normalisation\.sound_range_db'):
        Normalisation.from_dict(entries, ALL)


@pytest.mark.parametrize('entries', [None, [], 'x', 3])
def test_a_normalisation_must_be_a_mapping(entries: Any) -> None:
    with pytest.raises(BundleError, match='normalisation'):
        Normalisation.from_dict(entries, ALL)


def test_the_one_scale_of_older_bundles_is_that_of_every_microphone() -> None:
    entries = fitted(frames(40)).to_dict()
    old = {'sensors': entries['sensors'], 'sound': entries['sounds']['sound']}
    assert Normalisation.from_dict(old, ALL).to_dict() == entries
    both = Normalisation.from_dict(old, {n: BIMANUAL[n] for n in ('sound', 'mic2')})
    assert both.sounds.keys() == {'sound', 'mic2'}
    for scale in both.sounds.values():
        np.testing.assert_array_equal(scale.mean, entries['sounds']['sound']['mean_db'])


def test_several_of_a_kind_are_scaled_apart() -> None:
    n, rng = 80, np.random.default_rng(3)
    arrays: Arrays = {
        'mic2': rng.uniform(-60, 20, (n, 64, 5)).astype(np.float32),
        'sound': rng.uniform(-40, -30, (n, 64, 5)).astype(np.float32),
        'tactile': rng.normal(np.arange(16), 1, (n, 30, 16)).astype(np.float32),
        'left_wrench': rng.normal(5, 2, (n, 30, 6)).astype(np.float32),
        'right_wrench': rng.normal(-5, 9, (n, 30, 6)).astype(np.float32),
        'cam2': np.zeros((n, 4, 4, 3), np.uint8),  # has no scale
    }
    modalities = {name: BIMANUAL[name] for name in BIMANUAL if name in arrays}
    present = rng.uniform(size=(n, len(modalities))) > 1 / 3
    fit = NormalisationFit(modalities)
    fit.add(arrays, present)
    scales = fit.result()
    assert set(scales.mean) == {'tactile', 'left_wrench', 'right_wrench'}
    for k, name in enumerate(modalities):
        if name in scales.mean:
            seen = arrays[name][present[:, k]].astype(np.float64)
            np.testing.assert_allclose(scales.mean[name], seen.mean((0, 1)), rtol=1e-9)
    assert scales.sounds['mic2'].std.min() > 2 * scales.sounds['sound'].std.max()
    again = Normalisation.from_dict(yaml.safe_load(yaml.safe_dump(scales.to_dict())), modalities)
    assert again.to_dict() == scales.to_dict()
    cut = scales.to_dict()
    cut['sensors']['tactile']['std'] = cut['sensors']['tactile']['std'][:15]
    with pytest.raises(BundleError, match=r'sensors\.tactile\.std: expected 16 finite numbers'):
        Normalisation.from_dict(cut, modalities)
