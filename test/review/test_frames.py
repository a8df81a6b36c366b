# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images at any time are those that reading from the beginning gives."""

import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.core.errors import BagError
from m2r2_ros.review.media import parts
from m2r2_ros.review.media.frames import Frames
from test.bags.reassemble.files import Shape, write_file
from test.replay.recordings import SECOND, START, Entry, write_mcap, write_sqlite
from test.review.recordings import (
    CAMERA,
    IMAGE,
    OTHER,
    RAW,
    compressed,
    film,
    images_of,
    pixels,
    raw_image,
    session,
    write_session,
)


def frames_of(recording: Recording, *cameras: str, offset: int = 0) -> Frames:
    return Frames(recording.sources, dict.fromkeys(cameras, offset), recording.topics)


def expect_same(path: Path, *cameras: str) -> None:
    """Ask for every image in every order, at its stamp and just before it."""
    recording = open_recording(path)
    frames = frames_of(recording, *cameras)
    wanted: dict[tuple[str, int], bytes] = {}
    for camera in cameras:
        images = sorted(images_of(recording, camera), key=lambda image: image[0])
        assert images
        wanted |= {(camera, stamp): image for stamp, image in images}
        for (stamp, before), (after, _) in pairwise(images):
            wanted[camera, after - 1] = before
            assert stamp < after
        assert frames.at(camera, images[0][0] - 1) is None
        wanted[camera, images[-1][0] + 10 * SECOND] = images[-1][1]
    keys = list(wanted)
    shuffled = random.Random(1).sample(keys, len(keys))
    for camera, time in [*shuffled, *keys, *reversed(keys)]:
        found = frames.at(camera, time)
        assert found is not None
        assert found.jpeg == wanted[camera, time]
        assert found.stamp <= time
        assert (camera, found.stamp) in wanted


@pytest.fixture(params=[1 << 30, 20_000], ids=['all kept', 'little kept'])
def _kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, '_KEPT', request.param)


def without_sound(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.topic != '/mic']


@pytest.mark.usefixtures('_kept')
@pytest.mark.parametrize('kind', ['bag', 'small chunks', 'no index', 'no chunks', 'sqlite'])
def test_images_are_those_of_reading_from_the_beginning(tmp_path: Path, kind: str) -> None:
    entries = without_sound(session(3.0))
    if kind == 'bag':
        path = write_session(tmp_path / 'bag', entries)
    elif kind == 'sqlite':
        path = write_sqlite(tmp_path / 'bag', entries)
    else:
        path = write_mcap(
            tmp_path / 'a.mcap',
            entries,
            chunk=4000,
            indexed=kind != 'no index',
            chunked=kind != 'no chunks',
        )
    expect_same(path, CAMERA, OTHER)


@pytest.mark.usefixtures('_kept')
def test_images_that_are_logged_late_and_out_of_order_are_found(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    stamps = [START + k * SECOND // 10 for k in range(60)]
    late = [int(n) for n in rng.integers(0, 40_000_000, 60)]
    entries = [*film(CAMERA, stamps, late=late), *film(OTHER, stamps, late=[3600 * SECOND] * 60)]
    # As an unfortunate recorder writes them: chunks overlap in time.
    entries.sort(key=lambda entry: entry.log_time // SECOND + rng.uniform(0, 0.9))
    expect_same(write_mcap(tmp_path / 'a.mcap', entries, chunk=3000), CAMERA, OTHER)


def test_an_image_after_a_long_gap_and_a_slow_camera_are_found(tmp_path: Path) -> None:
    stamps = [START + k * SECOND // 10 for k in range(20)]
    later = [stamp + 3000 * SECOND for stamp in stamps]
    entries = [*film(CAMERA, [*stamps, *later]), *film(OTHER, [stamps[3], later[-3]])]
    entries.sort(key=lambda entry: entry.log_time)
    path = write_mcap(tmp_path / 'a.mcap', entries, chunk=3000)
    expect_same(path, CAMERA, OTHER)
    frames = frames_of(open_recording(path), CAMERA)
    found = frames.at(CAMERA, START + 1500 * SECOND)
    assert found is not None
    assert found.stamp == stamps[-1]


def test_a_recording_of_several_files_is_one(tmp_path: Path) -> None:
    entries = without_sound(session(3.0))
    third = len(entries) // 3
    (tmp_path / 'bag').mkdir()
    for k in range(3):
        part = entries[k * third : (k + 1) * third if k < 2 else None]
        write_mcap(tmp_path / 'bag' / f'bag_{k}.mcap', part, chunk=4000)
    expect_same(tmp_path / 'bag', CAMERA, OTHER)


def test_stamps_are_moved_by_the_offset_of_the_camera(tmp_path: Path) -> None:
    recording = open_recording(write_session(tmp_path / 'bag', film(CAMERA, [START, START + 100])))
    frames = frames_of(recording, CAMERA, offset=-50)
    found = frames.at(CAMERA, START)
    assert found is not None
    assert found.stamp == START - 50


def test_other_images_become_jpeg(tmp_path: Path) -> None:
    png = bytes(cv2.imencode('.png', pixels(3))[1])
    entries = [
        Entry(RAW, IMAGE, START, raw_image(START, 3)),
        Entry(CAMERA, 'sensor_msgs/msg/CompressedImage', START, compressed(START, png, 'png')),
    ]
    frames = frames_of(open_recording(write_session(tmp_path / 'bag', entries)), RAW, CAMERA)
    for camera in (RAW, CAMERA):
        found = frames.at(camera, START)
        assert found is not None
        decoded = cv2.imdecode(np.frombuffer(found.jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert decoded is not None
        assert np.abs(decoded.astype(int) - pixels(3)).mean() < 12


def test_images_that_cannot_be_used_count_as_not_there(tmp_path: Path) -> None:
    kind = 'sensor_msgs/msg/CompressedImage'
    good, *bad = film(CAMERA, [START])[0], *(
        Entry(CAMERA, kind, START + k, compressed(START + k, data, form))
        for k, (data, form) in enumerate(
            [(b'', 'jpeg'), (b'none', 'jpeg'), (b'\xff\xd8\xff' * 9, 'jpeg'), (b'x', 'depth')], 1
        )
    )  # fmt: skip
    frames = frames_of(open_recording(write_session(tmp_path / 'bag', [good, *bad])), CAMERA)
    found = frames.at(CAMERA, START + SECOND)
    assert found is not None
    assert found.stamp == START


def test_a_corrupt_chunk_is_an_error_there_alone(tmp_path: Path) -> None:
    entries = without_sound(session(3.0))
    path = write_mcap(tmp_path / 'a.mcap', entries, chunk=20_000)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 64] = bytes(64)
    path.write_bytes(data)
    frames = frames_of(open_recording(path), CAMERA)
    assert frames.at(CAMERA, START + SECOND // 10) is not None
    assert frames.at(CAMERA, START + 29 * SECOND // 10) is not None
    with pytest.raises(BagError, match='corrupt'):
        for k in range(45):
            frames.at(CAMERA, START + k * SECOND // 15)


def test_a_film_that_is_read_from_its_beginning_is_kept(tmp_path: Path) -> None:
    recording = open_recording(write_file(tmp_path / 'a.h5', Shape(seconds=2.0, size=(64, 48))))
    camera = next(t.name for t in recording.topics.values() if t.type_name.endswith('Image'))
    frames = frames_of(recording, camera)
    images = images_of(recording, camera)
    for stamp, image in [*images, *reversed(images)]:
        found = frames.at(camera, stamp)
        assert found is not None
        assert (found.stamp, found.jpeg) == (stamp, image)
    assert frames.at(camera, images[0][0] - 1) is None
    frames.close()


def test_wrong_stamps_are_no_reason_to_read_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = [START + k * SECOND // 10 for k in range(200)]
    late = [10**6 if k not in (3, 90) else 10**16 for k in range(200)]
    entries = film(CAMERA, stamps, late=late)
    entries[3] = entries[3]._replace(log_time=stamps[3] + 10**6, raw=entries[9].raw)
    entries[90] = entries[90]._replace(
        log_time=stamps[90] + 10**6, raw=compressed(START - 10**6 * SECOND, b'\xff\xd8\xff')
    )
    path = write_mcap(tmp_path / 'a.mcap', entries, chunk=3000)
    frames = frames_of(open_recording(path), CAMERA)
    frames.at(CAMERA, stamps[90])
    loaded = []
    real = parts.Parts._keep

    def counted(self: parts.Parts, part: parts.TimedPart) -> dict[str, parts.Stretch]:
        loaded.append(part.place)
        return real(self, part)

    monkeypatch.setattr(parts.Parts, '_keep', counted)
    for k in (30, 89, 91, 150):
        found = frames.at(CAMERA, stamps[k] + 1)
        assert found is not None
        assert found.stamp == stamps[k]
    assert len(loaded) < 40


def test_a_database_of_all_times_is_looked_at_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = film(CAMERA, [10**9, START, 2 * 10**18])
    entries[2] = entries[2]._replace(log_time=2**62)
    path = write_sqlite(tmp_path / 'bag', entries)
    frames = frames_of(open_recording(path), CAMERA)
    for time in (START, 2 * START):
        assert frames.at(CAMERA, time) is not None
    monkeypatch.setattr(parts, '_MOST_BYTES', 100)
    with pytest.raises(BagError, match='too much to look at'):
        frames_of(open_recording(path), CAMERA).at(CAMERA, START)
