# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The spectrogram, loudness, small images and events of a page."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.samples import EncodedImage, ImageSamples, SoundSamples
from m2r2_ros.pages.container import Container
from m2r2_ros.pages.events import events_of
from m2r2_ros.pages.spectrum import ROWS, Spectrum, loudness
from m2r2_ros.pages.thumbs import HEIGHT, Thumbs
from test.pages.containers import Unpacked

RATE, SECOND = 16_000, 10**9


def sound(samples: NDArray[np.float32], start: float = 0.0, chunk: int = 1600) -> SoundSamples:
    parts = np.array_split(samples, max(1, len(samples) // chunk))
    begins = np.cumsum([0, *map(len, parts)])[:-1]
    stamps = np.round((start + begins / RATE) * SECOND).astype(np.int64)
    return SoundSamples(stamps, np.arange(len(parts)), parts, RATE)


def tone(hertz: float, seconds: float) -> NDArray[np.float32]:
    time = np.arange(round(seconds * RATE)) / RATE
    return (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def picture(spectrum: Spectrum) -> NDArray[np.uint8]:
    out = Container()
    packed = spectrum.pack('/mic', out)
    assert packed is not None
    found = Unpacked(out.pack(packed))
    images = [
        cv2.imdecode(np.frombuffer(found.file(tile['image']), np.uint8), cv2.IMREAD_GRAYSCALE)
        for tile in found.page['tiles']
    ]
    return np.concatenate([np.asarray(image, np.uint8) for image in images], axis=1)


def test_a_tone_is_a_line_at_its_frequency_while_it_lasts() -> None:
    spectrum = Spectrum(4.0, 0)
    spectrum.add(sound(tone(6000, 2.0)))
    spectrum.add(sound(tone(1000, 2.0), start=2.0))
    image = picture(spectrum).astype(float)
    assert image.shape[0] == ROWS
    first, second = image[:, 20:80].mean(axis=1), image[:, 120:180].mean(axis=1)
    # The lowest row is of the lowest frequencies, up to 8 kHz.
    assert abs(int(first.argmax()) - ROWS * (1 - 6000 / 8000)) <= 2
    assert abs(int(second.argmax()) - ROWS * (1 - 1000 / 8000)) <= 2


def test_the_spectrogram_does_not_depend_on_how_sound_is_cut() -> None:
    samples = np.random.default_rng(0).normal(size=RATE).astype(np.float32) * 0.1
    whole, parts = Spectrum(1.0, 0), Spectrum(1.0, 0)
    whole.add(sound(samples, chunk=RATE))
    for k in range(10):
        part = samples[k * 1600 : (k + 1) * 1600]
        parts.add(sound(part, start=k / 10, chunk=333))
    apart = picture(whole).astype(float) - picture(parts)
    assert np.abs(apart).mean() < 2


def test_a_pause_is_silent() -> None:
    spectrum = Spectrum(6.0, 0)
    spectrum.add(sound(tone(3000, 1.0)))
    spectrum.add(sound(tone(3000, 1.0), start=5.0))
    image = picture(spectrum)
    assert image[:, 100:200].max() < image[:, 10:40].max() / 4


def test_loudness_is_the_level_of_each_step() -> None:
    stamps, levels = loudness(sound(tone(1000, 1.0)), 0.01)
    assert len(stamps) == 100
    assert np.diff(stamps).tolist() == [SECOND // 100] * 99
    assert levels == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.1)


def image_of(value: int) -> Callable[[bytes], NDArray[np.uint8]]:
    return lambda _: np.full((240, 320, 3), value, np.uint8)


def broken(_: bytes) -> NDArray[np.uint8]:
    msg = 'damaged'
    raise MessageError(msg)


def camera(count: int, rate: float, damaged: tuple[int, ...] = ()) -> ImageSamples:
    stamps = np.round(np.arange(count) / rate * SECOND).astype(np.int64)
    frames = [
        EncodedImage(b'', broken if k in damaged else image_of(k % 200)) for k in range(count)
    ]
    return ImageSamples(stamps, np.arange(count), frames)


def test_images_are_spread_evenly_and_about_boundaries() -> None:
    thumbs = Thumbs(0, 600.0, around=[100.1, 301.7])
    thumbs.add(camera(6000, 10.0))
    out = Container()
    packed = thumbs.pack(out)
    found = Unpacked(out.pack(packed))
    times = [thumb['t'] for thumb in packed['thumbs']]
    assert 200 <= len(times) <= 300
    assert np.diff(times).max() < 3.0
    assert {100.1, 301.7} <= {round(t, 3) for t in times}
    jpeg = np.frombuffer(found.file(packed['thumbs'][9]['image']), np.uint8)
    first = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR))
    assert first.shape == (HEIGHT, 144, 3)
    assert first.mean() == pytest.approx(round(times[9] * 10) % 200, abs=2)


def test_a_damaged_image_is_left_to_the_next_one() -> None:
    thumbs = Thumbs(0, 10.0)
    thumbs.add(camera(100, 10.0, damaged=(0, 1, 2)))
    assert thumbs.pack(Container())['thumbs'][0]['t'] == pytest.approx(0.3)


def test_events_are_where_something_begins_or_ends() -> None:
    width = 0.01
    time = np.arange(0, 20, width)
    gripper = (0.08 * np.interp(time, [5, 5.5, 12, 13], [1, 0, 0, 1])).astype(np.float32)
    speed = np.where((time > 3) & (time < 8), 0.3, 0.0).astype(np.float32)
    noise = np.random.default_rng(0).normal(0, 0.05, len(time))
    force = (np.where(time > 15, 20.0, 1.0) + noise).astype(np.float32)
    signals = {'gripper': gripper, 'velocity': speed, 'force': force}
    found = {kind: [e['t'] for e in events_of(kind, v, width)] for kind, v in signals.items()}
    assert found['velocity'] == pytest.approx([3, 8], abs=0.02)
    assert found['force'] == pytest.approx([15], abs=0.12)
    assert found['gripper'] == pytest.approx([5, 5.5, 12, 13], abs=0.05)


@pytest.mark.parametrize('values', [np.full(100, np.nan), np.zeros(100), np.ones(1)])
def test_where_nothing_happens_there_are_no_events(values: NDArray[np.float64]) -> None:
    flat = values.astype(np.float32)
    assert not [e for kind in ('gripper', 'velocity', 'force') for e in events_of(kind, flat, 0.01)]
