# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from m2r2_ros.core.errors import DiscoveryError, OutputError
from m2r2_ros.discovery.laps.export import Primitive, read_primitives, write_primitives
from test.discovery.laps.scenes import SIDE, on_and_off, videos


def primitives() -> list[Primitive]:
    rng = np.random.default_rng(0)

    def latents(count: int) -> np.ndarray:
        return rng.normal(size=(count, 6)).astype(np.float32)

    big = 1_700_000_000_000_000_001  # more digits than a float keeps
    codes = np.array([4, 4, 9], np.int32)
    frames = videos(on_and_off([0, 8]))
    return [
        Primitive(big, big + 7, 2, codes, latents(3), iter(frames)),
        Primitive(big + 9, big + 11, -1, codes[:0], latents(0)),
        Primitive(big + 11, big + 19, 0, codes[:2], latents(2)),
    ]


def write(folder: Path, given: list[Primitive]) -> None:
    write_primitives(folder, given, recording='trial', frame_rate=10.0, codebook=1920)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    given = primitives()
    write(tmp_path / 'out' / 'trial', given)
    found = read_primitives(tmp_path / 'out' / 'trial')
    assert len(found) == 3
    for a, b in zip(given, found, strict=True):
        assert (a.start, a.end, a.cluster) == (b.start, b.end, b.cluster)
        assert np.array_equal(a.codes, b.codes) and b.codes.dtype == np.int32
        assert np.array_equal(a.latents, b.latents) and b.latents.dtype == np.float32
    assert [p.clip is not None for p in found] == [True, False, False]
    meta = json.loads((tmp_path / 'out' / 'trial' / 'meta.json').read_text())
    assert meta == {'format': 1, 'recording': 'trial', 'frame_rate': 10.0, 'codebook': 1920}
    named = {p.name for p in (tmp_path / 'out' / 'trial').iterdir()}
    readme = (tmp_path / 'out' / 'trial' / 'README.md').read_text()
    assert all(name in readme for name in named - {'README.md'})
    assert [p.name for p in (tmp_path / 'out').iterdir()] == ['trial']


def test_clips_show_the_images(tmp_path: Path) -> None:
    write(tmp_path / 'trial', primitives())
    clip = read_primitives(tmp_path / 'trial')[0].clip
    video = cv2.VideoCapture(str(clip))
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(10)
    images = []
    while (got := video.read())[0]:
        images.append(cv2.cvtColor(got[1], cv2.COLOR_BGR2RGB).astype(float))
    assert len(images) == 8 and images[0].shape == (SIDE, SIDE, 3)
    given = [f.astype(float) for f in videos(on_and_off([0, 8]))]
    gaps = [[np.abs(i - g).mean() for g in given] for i in images]
    assert np.argmin(gaps, axis=1).tolist() == list(range(8))


def test_nothing_is_overwritten_and_no_half_is_left(tmp_path: Path) -> None:
    folder = tmp_path / 'trial'
    folder.mkdir()
    write(folder, [])
    assert read_primitives(folder) == []
    with pytest.raises(OutputError, match='never overwritten'):
        write(folder, primitives())
    assert read_primitives(folder) == []
    (tmp_path / 'file').write_text('mine')
    with pytest.raises(OutputError, match='never overwritten'):
        write(tmp_path / 'file', [])
    uneven = Primitive(
        0, 1, 0, np.zeros(0, np.int32), np.zeros((0, 2), np.float32),
        [np.zeros((64, 64, 3), np.uint8), np.zeros((32, 64, 3), np.uint8)],
    )  # fmt: skip
    with pytest.raises(OutputError, match='one size'):
        write(tmp_path / 'uneven', [uneven])
    assert not (tmp_path / 'uneven').exists()
    write(tmp_path / 'uneven', primitives())  # the half that failed is in no one's way


def test_what_does_not_fit_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(DiscoveryError, match='no such file; expected the primitives'):
        read_primitives(tmp_path / 'none')
    write(tmp_path / 'trial', primitives())
    np.save(tmp_path / 'trial' / 'codes.npy', np.zeros(3, np.int32))
    with pytest.raises(DiscoveryError, match='do not fit'):
        read_primitives(tmp_path / 'trial')
    np.save(tmp_path / 'trial' / 'codes.npy', np.array([{}]), allow_pickle=True)
    with pytest.raises(DiscoveryError, match='cannot be read'):
        read_primitives(tmp_path / 'trial')
