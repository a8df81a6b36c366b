# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From windows to tensors: z-scores, spectrograms, pixels, masks."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.modalities import BUILTIN, MODALITIES, SENSORS, declared
from m2r2_ros.core.samples import EncodedImage
from m2r2_ros.model.inputs import IMAGE_SIZE, decode_images, make_inputs
from m2r2_ros.network.tensors import InputTensors
from m2r2_ros.windows.logmel import MEL_BINS, log_mel
from test.network.networks import MEL_FRAMES, make_image, make_scales, make_windows

SCALES = make_scales(declared(MODALITIES))
ALL = MODALITIES


def broken(payload: bytes) -> NDArray[np.uint8]:
    msg = f'{len(payload)} bytes are no image'
    raise MessageError(msg)


def test_every_modality_has_its_shape_and_type() -> None:
    inputs = make_inputs(make_windows(7, images=True), SCALES, ALL)
    assert len(inputs) == 7
    shapes = {name: (x.shape, x.dtype.type) for name, x in inputs.data.items()}
    assert shapes.pop('image') == ((7, IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    assert shapes.pop('sound') == ((7, MEL_BINS, MEL_FRAMES), np.float32)
    assert shapes == {s: ((7, 30, BUILTIN[s].dims), np.float32) for s in SENSORS}


def test_only_what_the_model_looks_at_is_made() -> None:
    assert set(make_inputs(make_windows(3), SCALES, ('pose', 'gripper')).data) == {
        'pose',
        'gripper',
    }


def test_sensors_are_z_scores_and_zero_where_masked() -> None:
    windows = make_windows(20)
    inputs = make_inputs(windows, SCALES, SENSORS)
    for name in SENSORS:
        there = windows.has(name)
        z = inputs.data[name]
        expected = (windows.sensors[name] - SCALES.mean[name]) / SCALES.std[name]
        np.testing.assert_allclose(z[there], expected[there], atol=1e-5)
        assert not z[~there].any()
        assert not there.all()


def test_sound_is_the_scaled_spectrogram_and_zero_where_masked() -> None:
    windows = make_windows(9)
    there = windows.has('sound')
    mel = make_inputs(windows, SCALES, ('sound',)).data['sound']
    expected = SCALES.sounds['sound'](log_mel(windows.sounds['sound']))
    assert expected.std() > 0.01
    np.testing.assert_allclose(mel[there], expected[there], atol=1e-5)
    assert not mel[~there].any()
    assert np.abs(mel).max() <= 1


def test_windows_are_left_as_they_were() -> None:
    windows = make_windows(8, images=True)
    present, wrench = windows.present.copy(), windows.sensors['wrench'].copy()
    windows.images['image'][1] = EncodedImage(b'x', broken)
    make_inputs(windows, SCALES, ALL)
    assert np.array_equal(windows.present, present)
    assert np.array_equal(windows.sensors['wrench'], wrench)


def test_pixels_are_rgb_and_resized_whatever_their_shape() -> None:
    red = np.zeros((90, 160, 3), np.uint8)
    red[:, :, 0] = 200
    image = EncodedImage(red.tobytes(), lambda b: np.frombuffer(b, np.uint8).reshape(90, 160, 3))
    pixels, seen = decode_images([image, make_image(1, 480, 640), make_image(2, 10, 8)])
    assert seen.all()
    assert pixels[0].reshape(-1, 3).tolist() == [[200, 0, 0]] * IMAGE_SIZE**2
    expected = cv2.resize(make_image(1, 480, 640).decode(), (224, 224), interpolation=3)
    assert np.array_equal(pixels[1], expected)


def test_an_image_that_cannot_be_decoded_counts_as_absent() -> None:
    windows = make_windows(6, images=True)
    windows.present[:, 0] = True
    images: list[EncodedImage | None] = [make_image(k) for k in range(6)]
    images[2] = EncodedImage(b'\xff\xd8', broken)
    windows = replace(windows, images={'image': images})
    inputs = make_inputs(windows, SCALES, ALL)
    assert inputs.present[:, 0].tolist() == [True, True, False, True, True, True]
    assert not inputs.data['image'][2].any()
    assert np.array_equal(inputs.present[:, 1:], windows.present[:, 1:])


def test_without_a_camera_or_a_microphone_they_are_absent() -> None:
    windows = replace(make_windows(4), sounds={})
    windows.has('sound')[:] = False
    inputs = make_inputs(windows, SCALES, ALL)
    assert not inputs.present[:, :2].any()
    assert 'sound' not in inputs.data


@pytest.mark.parametrize('size', [1, 4])
def test_runs_make_the_inputs_of_the_whole(size: int) -> None:
    windows = make_windows(10, images=True)
    whole = make_inputs(windows, SCALES, ALL)
    parts = [make_inputs(windows[k : k + size], SCALES, ALL) for k in range(0, 10, size)]
    joined = InputTensors.join([InputTensors.of(part) for part in parts])
    expected = InputTensors.of(whole)
    assert torch.equal(joined.present, expected.present)
    for name, x in expected.data.items():
        torch.testing.assert_close(joined.data[name], x, atol=1e-5, rtol=1e-5)
        assert torch.equal(expected[3:5].data[name], x[3:5])
