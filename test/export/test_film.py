# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Films as PyAV decodes them: which image each frame shows."""

from pathlib import Path

import av
import numpy as np
import pytest

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import BagError, ConfigError, MessageError
from m2r2_ros.core.samples import EncodedImage
from m2r2_ros.export.film import FilmPlan, cameras_of, write_film
from test.export.workshop import CAMERA, IMAGE, MILLISECOND, shade, workshop
from test.replay.recordings import SECOND, START, WRENCH, cdr, header


def shades(path: Path) -> list[int]:
    """Return the grey of each frame, after checking that frames are at even times."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        rate = float(stream.average_rate)
    assert [f.time for f in frames] == pytest.approx([k / rate for k in range(len(frames))])
    return [round(float(f.to_ndarray(format='gray').mean())) for f in frames]


def expected(plan: FilmPlan) -> list[int]:
    """Return the grey of the newest image at each frame; images are 5 ms after a tenth."""
    since = [plan.time_of(k) - START - 5 * MILLISECOND for k in range(plan.frames)]
    return [shade(max(t // (100 * MILLISECOND), 0)) for t in since]


@pytest.mark.parametrize(
    ('start', 'end', 'rate'),
    [(0.0, 4.0, 30.0), (1.2, 2.0, 7.5), (0.0, 0.01, 30.0), (2.0, 2.0, 30.0), (3.0, 3.5, 100.0)],
)
def test_each_frame_shows_the_newest_image(
    shop: Path, tmp_path: Path, start: float, end: float, rate: float
) -> None:
    first, last = (START + round(t * SECOND) for t in (start, end))
    plan = FilmPlan(CAMERA, first, last, rate)
    shares: list[float] = []
    write_film(tmp_path / 'a.mp4', open_recording(shop), plan, shares.append)
    found = shades(tmp_path / 'a.mp4')
    assert len(found) == plan.frames == max(round((end - start) * rate + 0.499), 1)
    assert np.abs(np.subtract(found, expected(plan))).max() <= 2
    assert max(shares, default=1.0) <= 1.0


def test_log_times_may_be_on_another_clock(tmp_path: Path) -> None:
    bag = workshop(tmp_path / 'bag', log_shift=1000 * SECOND, seconds=2.0)
    plan = FilmPlan(CAMERA, START + SECOND, START + 2 * SECOND, 10.0)
    write_film(tmp_path / 'a.mp4', open_recording(bag), plan)
    assert np.abs(np.subtract(shades(tmp_path / 'a.mp4'), expected(plan))).max() <= 2


def test_images_that_cannot_be_decoded_are_passed_over(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one before stays; where the first ones are so, the first that can be decoded is shown."""
    decode = EncodedImage.decode
    broken = {shade(0), shade(1), shade(5)}

    def some(image: EncodedImage) -> np.ndarray:
        pixels = decode(image)
        if round(float(pixels.mean())) in broken:
            raise problem
        return pixels

    problem = MessageError('broken')
    monkeypatch.setattr(EncodedImage, 'decode', some)
    plan = FilmPlan(CAMERA, START, START + SECOND, 10.0)
    write_film(tmp_path / 'a.mp4', open_recording(shop), plan)
    tenths = [2, 2, 2, 2, 3, 4, 4, 6, 7, 8]
    found = shades(tmp_path / 'a.mp4')
    assert np.abs(np.subtract(found, [shade(k) for k in tenths])).max() <= 2


def test_images_that_are_no_pictures_are_told(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'bag') as bag:
        bag.add_topic(CAMERA, IMAGE)
        for time in (START, START + SECOND):
            depth = np.zeros(8, np.uint8)
            raw = cdr(IMAGE, header=header(time), format='16UC1; compressedDepth', data=depth)
            bag.write(CAMERA, raw, time)
    plan = FilmPlan(CAMERA, START, START + SECOND, 30.0)
    with pytest.raises(BagError, match=r'no image of .* within 1\.000 s, but 2 unsupported'):
        write_film(tmp_path / 'a.mp4', open_recording(tmp_path / 'bag'), plan)


def test_what_cannot_be_filmed_is_told_and_leaves_nothing(shop: Path, tmp_path: Path) -> None:
    recording = open_recording(shop)
    assert cameras_of(recording) == [CAMERA]
    path = tmp_path / 'a.mp4'
    with pytest.raises(ConfigError, match=f'no images on {WRENCH}; {CAMERA} has some'):
        write_film(path, recording, FilmPlan(WRENCH, START, START + SECOND, 30.0))
    with pytest.raises(BagError, match='no image of'):
        write_film(
            path, recording, FilmPlan(CAMERA, START + 90 * SECOND, START + 91 * SECOND, 30.0)
        )
    with pytest.raises(BagError, match='take a lower rate'):
        write_film(path, recording, FilmPlan(CAMERA, 0, START, 1000.0))

    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_film(path, recording, FilmPlan(CAMERA, START, START + SECOND, 30.0), stop)
    assert not list(tmp_path.iterdir())
