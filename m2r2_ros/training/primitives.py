# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Action primitives of LAPS out of recordings: clips, latent sequences and codes, on the disk."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import DiscoveryError, MessageError
from m2r2_ros.core.modalities import IMAGE, of_kind
from m2r2_ros.discovery.laps.appearance import packaged_encoder
from m2r2_ros.discovery.laps.export import Primitive, write_primitives
from m2r2_ros.discovery.laps.latents import LatentDetector, Latents
from m2r2_ros.discovery.laps.quality import coherence, segment_descriptor, separation
from m2r2_ros.discovery.method import Calibration
from m2r2_ros.discovery.methods import OF_LATENTS, find_method
from m2r2_ros.training.discover import FoundSegment, RecordingWindows, UnlabelledSource

#: Images of a primitive that an encoder looks at.
_LOOKS: Final = 4


def export_primitives(
    source: UnlabelledSource,
    methods: Mapping[str, Calibration],
    segments: Sequence[FoundSegment],
    labels: Sequence[int],
    folder: Path,
) -> list[NDArray[np.float32] | None]:
    """Write the primitives of each recording to a folder of its name; see laps.export.

    Args:
        source: The recordings.
        methods: Calibrations, one of OF_LATENTS among them.
        segments: Of all recordings, in their order.
        labels: The cluster of each segment.
        folder: Where; it is made.

    Returns:
        What an image encoder makes of each segment, float32 (d,); None without images.

    Raises:
        OutputError: It cannot be written.
    """
    name = next(n for n in OF_LATENTS if n in methods)
    detector = find_method(name).open(methods[name], source.setting)
    if not isinstance(detector, LatentDetector):
        msg = f'{name}: gives no latent sequences'
        raise DiscoveryError(msg)
    looks: list[NDArray[np.float32] | None] = []
    for recording in source.recordings:
        own = [
            (s, k) for s, k in zip(segments, labels, strict=True) if s.recording == recording.name
        ]
        latents = _latents(recording, detector)
        clips = _Clips(recording)
        primitives = [
            Primitive(
                segment.start,
                segment.end,
                cluster,
                (part := latents.between(segment.first, segment.first + segment.frames)).codes,
                part.z_q,
                clips.of(segment),
            )
            for segment, cluster in own
        ]
        write_primitives(
            folder / recording.name,
            primitives,
            recording=recording.name,
            frame_rate=source.setting.frame_rate,
            codebook=int(np.prod(methods[name].options['levels'])),
        )
        looks += clips.looks or [None] * len(own)
    return looks


def judge_primitives(
    x: NDArray[np.float64],
    labels: Sequence[int],
    looks: Sequence[NDArray[np.float32] | None],
    seed: int = 0,
) -> dict[str, Any]:
    """Return how good clusters are (LAPS, sections 3.2.3 and 4.4), as JSON can hold it.

    Args:
        x: float64 (n, D), descriptions as they were clustered.
        labels: The cluster of each.
        looks: What an image encoder makes of each; None without images.
        seed: Of the pairs that are drawn.
    """
    clusters = np.array(labels)
    found: dict[str, Any] = {}
    if (apart := separation(x, clusters)) is not None:
        found['silhouette'] = round(apart.silhouette, 4)
        found['calinski_harabasz'] = round(apart.calinski_harabasz, 2)
    seen = [k for k, look in enumerate(looks) if look is not None]
    if len(seen) > 1 and np.bincount(clusters[seen]).max() > 1:
        stacked = np.stack([look for look in looks if look is not None])
        alike = coherence(stacked, clusters[seen], seed=seed)
        found['icss'] = {
            'encoder': packaged_encoder()[0],
            'mean': round(alike.overall.mean, 4),
            'std': round(alike.overall.std, 4),
            'random_pairs': round(alike.baseline.mean, 4),
        }
    return found


def _latents(recording: RecordingWindows, detector: LatentDetector[Any]) -> Latents:
    """Return the latent sequence of a recording, its frames counted from the first of all."""
    detector.reset()
    detector.latents.keeps = True
    found, first, frames = [detector.latents.none()], 0, 0
    for part in recording:
        for run in part.runs():
            if run.restarts[0]:
                detector.reset()
                first = frames
            detector.extend(run)
            frames += len(run)
            new = detector.latents.drain()
            found.append(Latents(new.z_q, new.codes, new.frames + first))
    return Latents.join(found)


class _Clips:
    """The images of a recording's segments, in order, read once and as they are asked for.

    Attributes:
        looks: What an image encoder makes of each segment that was read.
    """

    def __init__(self, recording: RecordingWindows) -> None:
        cameras = of_kind(recording.modalities, IMAGE)
        self._images = _decoded(recording, cameras[0]) if cameras else iter(())
        self._next: tuple[int, NDArray[np.uint8]] | None = None
        self.looks: list[NDArray[np.float32] | None] = []
        self._encode = packaged_encoder()[1] if cameras else None

    def of(self, segment: FoundSegment) -> Iterator[NDArray[np.uint8]]:
        """Yield the images of a segment; to be read to the end before those of the next one."""
        if self._encode is None:
            return
        end = segment.first + segment.frames
        kept: list[NDArray[np.uint8]] = []
        step = max(1, segment.frames // _LOOKS)
        while (image := self._peek()) is not None and image[0] < end:
            self._next = None
            if (image[0] - segment.first) % step == 0 and len(kept) < _LOOKS:
                kept.append(image[1])
            yield image[1]
        look = segment_descriptor(self._encode(np.stack(kept))) if kept else None
        self.looks.append(look)

    def _peek(self) -> tuple[int, NDArray[np.uint8]] | None:
        if self._next is None:
            self._next = next(self._images, None)
        return self._next


def _decoded(recording: RecordingWindows, camera: str) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Yield frames that have an image, with it; of one size, that of the first."""
    first, size = 0, None
    for part in recording:
        for k, image in enumerate(part.images[camera]):
            if image is None:
                continue
            try:
                pixels = image.decode()
            except MessageError:  # a clip can do without it
                continue
            size = size or pixels.shape
            if pixels.shape == size:
                yield first + k, pixels
        first += len(part)
