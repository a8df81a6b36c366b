# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips as films of cameras; needs the extra `lerobot`."""

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.core.errors import BagError, M2R2Error
from m2r2_ros.export.clips import Clip, ClipsCut, other_clip
from m2r2_ros.export.film import FilmPlan, cameras_of, expect_av, expect_camera, write_film
from m2r2_ros.readers.guessing import never_guessed

SUFFIX: Final = '.mp4'
_UNSAFE: Final = re.compile(r'[^\w]+')


def film_cameras(recording: Recording, wanted: Sequence[str]) -> list[str]:
    """Return the cameras that clips are made of: those wanted, or all but depth and masks.

    Raises:
        ConfigError: A topic has no images, or the extra `lerobot` is missing.
        BagError: The recording has no camera.
    """
    expect_av()
    for camera in wanted:
        expect_camera(recording, camera)
    scene = [camera for camera in cameras_of(recording) if not never_guessed(camera)]
    cameras = list(dict.fromkeys(wanted)) or scene
    if not cameras:
        msg = f'{recording.path}: no topic of images in it, of which a video could be made'
        raise BagError(msg)
    return cameras


def film_names(clip: Clip, cameras: Sequence[str]) -> dict[str, str]:
    """Return the file of each camera; of several, it is called after the camera, too."""
    if len(cameras) == 1:
        return {cameras[0]: clip.name + SUFFIX}
    short = {camera: _UNSAFE.sub('-', camera).strip('-') for camera in cameras}
    return {camera: f'{clip.name}_{short[camera]}{SUFFIX}' for camera in cameras}


def has_film(path: Path, comment: str) -> bool:
    """Return whether a film is there already.

    Raises:
        OutputError: Something else is there, such as a clip of another span.
    """
    if not path.exists():
        return False
    import av

    with suppress(OSError, ValueError), av.open(str(path)) as container:
        if container.metadata.get('comment') == comment:
            return True
    raise other_clip(path)


def film_comment(clip: Clip, camera: str, rate: float) -> str:
    """Return what a film says of itself."""
    facts = {**clip.facts(), 'camera': camera, 'fps': rate}
    return json.dumps(facts, sort_keys=True)


def cut_films(
    out: Path,
    recording: Path,
    clips: Sequence[Clip],
    cameras: Sequence[str] = (),
    rate: float = 30.0,
    told: Callable[[float], None] = lambda share: None,
    *,
    overwrite: bool = False,
) -> ClipsCut:
    """Write a film of each clip and camera; only images of their spans are read.

    Those that are there already are kept.

    Args:
        out: Folder for the films.
        recording: Where the images are.
        clips: What is cut out.
        cameras: Topics of images; () for all.
        rate: Frames per second.
        told: Called with the share that is done, 0..1.
        overwrite: Make films again that are there.

    Raises:
        ConfigError: A topic has no images, or the extra `lerobot` is missing.
        BagError: The recording has no camera.
    """
    opened = open_recording(recording)
    topics = film_cameras(opened, cameras)
    cut = ClipsCut()
    for done, clip in enumerate(clips, 1):
        for camera, name in film_names(clip, topics).items():
            comment = film_comment(clip, camera, rate)
            plan = FilmPlan(camera, clip.since, clip.until, rate, comment)
            try:
                if overwrite or not has_film(out / name, comment):
                    write_film(out / name, opened, plan)
                cut.made[name] = clip
            except M2R2Error as error:
                cut.failed.append(f'{clip.name}: {error}')
        told(done / len(clips))
    return cut
