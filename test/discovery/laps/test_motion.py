# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.samples import EncodedImage
from m2r2_ros.discovery.laps.motion import Channels, TrackedPoints, grey_images
from m2r2_ros.discovery.laps.tracker import LucasKanade
from test.discovery.laps.scenes import ARM, arm, camera, on_and_off, videos


def test_images_become_small_and_grey_or_nothing() -> None:
    windows = camera([*videos(on_and_off([3])), None])

    def broken(payload: bytes) -> np.ndarray:
        raise MessageError('not an image')

    windows.images['image'][1] = EncodedImage(b'', broken)
    found = list(grey_images(windows, 'image', 32))
    assert [f is None for f in found] == [False, True, False, True]
    assert found[0] is not None and found[0].shape == (32, 32) and found[0].dtype == np.uint8
    assert list(grey_images(windows, 'other', 32)) == [None] * 4


def test_points_move_where_the_square_does() -> None:
    reader = TrackedPoints('image', 96, LucasKanade())
    rows = [r for r in reader.rows(camera(videos(on_and_off([8, 8])))) if r is not None]
    speeds = np.abs(reader.velocities(rows)).mean(axis=1)
    assert speeds.shape == (15,)
    assert speeds[:7].max() < 1e-3 < 1e-2 < speeds[8:].min()


def test_channels_are_changes_and_a_twist_is_one_already() -> None:
    windows = arm(on_and_off([4, 8]))
    reader = Channels(ARM.modalities, {'pose': 9, 'twist': 6})
    rows = [r for r in reader.rows(windows) if r is not None]
    velocities = reader.velocities(rows)
    pose, twist = (windows.sensors[n].astype(float).mean(axis=1) for n in ('pose', 'twist'))
    assert np.allclose(velocities[:, :9], np.diff(pose, axis=0), atol=1e-6)
    assert np.allclose(velocities[:, 9:], twist[1:], atol=1e-6)
    assert reader.rest.tolist() == pytest.approx([1e-3] * 9 + [5e-3] * 6)


def test_masked_channels_do_not_move() -> None:
    windows = arm(on_and_off([0, 6]))
    windows.present[2, 1] = False  # the pose alone
    windows.present[4] = False
    reader = Channels(ARM.modalities, {'pose': 9, 'twist': 6, 'imu': 6})
    rows = list(reader.rows(windows))
    assert [r is None for r in rows] == [False] * 4 + [True, False]
    velocities = reader.velocities([r for r in rows[:4] if r is not None])
    assert (velocities[1:3, :9] == 0).all() and (velocities[0, :9] != 0).any()
    assert (velocities[:, 9:15] != 0).any() and (velocities[:, 15:] == 0).all()
