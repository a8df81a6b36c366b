# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a LeRobot data set says of itself in info.json."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from m2r2_ros.export.lerobot.draft import EpisodeLayout
from m2r2_ros.export.lerobot.features import camera_key, info_features
from m2r2_ros.export.lerobot.video import Codec, VideoPlace

VERSION: Final = 'v3.0'
#: Files in a folder, and megabytes of a file of numbers and of a video, as everywhere.
FILES: Final = 1000
TABLE_MB: Final = 100
VIDEO_MB: Final = 200


@dataclass(frozen=True, slots=True)
class LeRobotOptions:
    """How a data set is written.

    Attributes:
        codec: Of videos; None keeps images as they were recorded, in the tables.
        language: Labels are rows of language, too.
        per_sensor: Each sensor has a feature of its own besides the state.
        robot: What the robot is called; '' unknown.
    """

    codec: Codec | None = Codec.H264
    language: bool = False
    per_sensor: bool = False
    robot: str = ''


def info_of(
    layout: EpisodeLayout,
    options: LeRobotOptions,
    sizes: Mapping[str, tuple[int, int]],
    episodes: int,
    frames: int,
    tasks: int,
) -> dict[str, Any]:
    """Return what info.json holds.

    Args:
        layout: What episodes have.
        options: How the data set is written.
        sizes: Height and width of the images of each camera.
        episodes: How many there are.
        frames: Likewise.
        tasks: Likewise.
    """
    cameras = {camera_key(name): size for name, size in sizes.items()}
    features = info_features(
        layout.vectors, cameras, layout.codec, layout.fps, language=options.language
    )
    video = 'videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4'
    return {
        'codebase_version': VERSION,
        'robot_type': options.robot or None,
        'total_episodes': episodes,
        'total_frames': frames,
        'total_tasks': tasks,
        'chunks_size': FILES,
        'data_files_size_in_mb': TABLE_MB,
        'video_files_size_in_mb': VIDEO_MB,
        'fps': layout.fps,
        'splits': {'train': f'0:{episodes}'},
        'data_path': 'data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet',
        'video_path': video if layout.codec and cameras else None,
        'features': features,
    }


def video_columns(placed: Mapping[str, VideoPlace]) -> dict[str, Any]:
    """Return what a row of an episode says of its videos, given by key."""
    found: dict[str, Any] = {}
    for key, place in placed.items():
        found[f'videos/{key}/chunk_index'] = place.chunk
        found[f'videos/{key}/file_index'] = place.file
        found[f'videos/{key}/from_timestamp'] = place.start
        found[f'videos/{key}/to_timestamp'] = place.end
    return found
