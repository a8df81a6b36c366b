# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How fast recordings become data sets, beside the video encoder alone, and what memory it takes.

The recording is an episode of the simulated cell with two cameras, again and again, for one minute
and for four.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from numpy.typing import NDArray

from benchmarks._measure import measure
from benchmarks._repeat import repeat
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.samples import EncodedImage
from m2r2_ros.export.frames.reader import FrameReader
from m2r2_ros.export.frames.rows import joined
from m2r2_ros.export.frames.sensors import camera_rate, choose
from m2r2_ros.export.lerobot.video import Codec, EpisodeVideo, threads_for

_M2R2 = [sys.executable, '-m', 'm2r2_ros.cli.main']
#: Images of each camera that the encoder is measured on.
_IMAGES = 300


def images_of(recording: Path) -> tuple[int, dict[str, list[EncodedImage]]]:
    """Return frames per second, and images of each camera that need no decoding any more."""
    opened = open_recording(recording)
    chosen = choose(opened, {})
    fps = round(camera_rate(opened, next(iter(chosen.cameras.values()))))
    parts = []
    for rows in FrameReader(opened, chosen, fps):
        parts.append(rows)
        if sum(map(len, parts)) >= _IMAGES:
            break
    images = joined(parts).between(0, _IMAGES).images
    return fps, {name: [ready(image.decode()) for image in own] for name, own in images.items()}


def ready(pixels: NDArray[np.uint8]) -> EncodedImage:
    """Return an image that is its pixels."""
    return EncodedImage(b'', lambda _: pixels)


def encoder_alone(recording: Path, codec: Codec, folder: Path) -> tuple[float, float]:
    """Return the seconds that a frame of all cameras takes, of time and of processor.

    Each camera has a thread of its own, as in an export.
    """
    fps, images = images_of(recording)
    threads = threads_for(len(images))
    videos = {n: EpisodeVideo(folder / f'{n}.mp4', codec, fps, threads) for n in images}
    began, used = perf_counter(), process_time()
    with ThreadPoolExecutor(len(images)) as pool:
        for done in [pool.submit(videos[name].add, own) for name, own in images.items()]:
            done.result()
        for done in [pool.submit(video.close) for video in videos.values()]:
            done.result()
    return (perf_counter() - began) / _IMAGES, (process_time() - used) / _IMAGES


def frames_of(recording: Path) -> tuple[int, float]:
    """Return how many images the first camera has, and how long the recording is, s."""
    opened = open_recording(recording)
    camera = next(iter(choose(opened, {}).cameras.values()))
    return opened.topics[camera.topic].count, (opened.end - opened.start) / 1e9


def main() -> None:
    """Export in every way, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--codec', default=Codec.H264.value, choices=[c.value for c in Codec])
    parser.add_argument('--image-size', default='224', help='pixels of a side')
    given = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix='m2r2_export_'))
    try:
        run(work, Codec(given.codec), given.image_size)
    finally:
        shutil.rmtree(work)


def run(work: Path, codec: Codec, size: str) -> None:
    """Measure in a folder."""
    simulate = ['simulate', '--out', str(work / 'cell'), '--episodes', '1', '--seconds', '30']
    subprocess.run([*_M2R2, *simulate, '--image-size', size], check=True, capture_output=True)
    (episode,) = (path.parent for path in (work / 'cell').glob('*/metadata.yaml'))
    start = measure([*_M2R2, 'export', 'lerobot', '--help'])
    wall, cpu = encoder_alone(episode, codec, work)
    for minutes in (1, 4):
        recording = work / f'minutes_{minutes}'
        truth = ['--labels', str(repeat(episode, recording, minutes * 60.0))]
        frames, seconds = frames_of(recording)
        print(f'{seconds:.0f} s, {frames} frames of two cameras, {size} pixels a side:')
        print(f'  {codec.value} alone: {wall * frames:.1f} s, {cpu * frames:.1f} s of processor')
        for name, options in {
            f'lerobot, {codec.value}': ['lerobot', '--codec', codec.value],
            'lerobot, images': ['lerobot', '--images'],
            'rlds': ['rlds'],
        }.items():
            out = work / 'out'
            usage = measure([*_M2R2, 'export', *options, str(recording), *truth, '--out', str(out)])
            took, used = usage.wall_s - start.wall_s, usage.cpu_s - start.cpu_s
            print(
                f'  {name}: {took:.1f} s ({seconds / took:.0f} times real time, '
                f'{took / (wall * frames):.2f} of the encoder alone), {used:.1f} s of processor '
                f'({used / (cpu * frames):.2f}), {usage.peak_mb:.0f} MB'
            )
            shutil.rmtree(out)


if __name__ == '__main__':
    main()
