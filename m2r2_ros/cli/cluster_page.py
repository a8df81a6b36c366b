# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the page of clusters shows: segments, the most typical first, and some images."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.modalities import declared, of_kind
from m2r2_ros.discovery.clusters import Clusters
from m2r2_ros.training.discover import (
    FoundSegment,
    RecordingWindows,
    UnlabelledSource,
    cluster_names,
)
from m2r2_ros.views.clusters import ClusterView, Member

#: Segments of a cluster whose images are shown, and how many of each.
STRIPS, IMAGES = 3, 6
_CAMERA = 'image'


def cluster_views(
    found: Sequence[FoundSegment],
    labels: Sequence[int],
    clusters: Clusters,
    source: UnlabelledSource,
) -> list[ClusterView]:
    """Return what the page shows of each cluster.

    Args:
        found: Segments.
        labels: The cluster of each.
        clusters: The clusters.
        source: The recordings; those with a camera are gone over once more, for images.
    """
    x = clusters.scaled(np.stack([s.description for s in found]))
    far = np.linalg.norm(x - clusters.centres[list(labels)], axis=1)
    members = {
        k: sorted((i for i, own in enumerate(labels) if own == k), key=far.__getitem__)
        for k in range(len(clusters))
    }
    images = _images(found, [i for own in members.values() for i in own[:STRIPS]], source)
    starts = {s.recording: s.start for s in reversed(found)}
    return [
        ClusterView(
            name,
            [
                Member(
                    found[i].recording,
                    (found[i].start - starts[found[i].recording]) * 1e-9,
                    found[i].frames / source.setting.frame_rate,
                    found[i].profile,
                    images.get(i, []),
                )
                for i in members[k]
            ],
            _hint([found[i] for i in members[k]]),
        )
        for k, name in enumerate(cluster_names(len(clusters)))
        if members[k]
    ]


def signal_names(source: UnlabelledSource, columns: int) -> list[str]:
    """Return what the columns of profiles are.

    Args:
        source: The recordings.
        columns: How many there are.
    """
    named = ['speed (m/s)', 'force (N)']
    modalities = source.setting.modalities
    named += [f'{n} (m)' for n, m in modalities.items() if m.like == 'gripper']
    poses = [n for n, m in modalities.items() if m.is_pose]
    named += [f'{n} {axis} (m)' for n in poses for axis in 'xyz']
    rest = columns - len(named)
    return [*named, *(f'joint {k + 1}' for k in range(rest))][:columns]


def _hint(members: Sequence[FoundSegment]) -> str:
    """Say which heuristic primitives the frames of a cluster have most often."""
    counts: Counter[str] = Counter()
    for segment in members:
        counts.update(segment.primitives)
    total = counts.total()
    shares = [f'{name} {100 * n / total:.0f} %' for name, n in counts.most_common(3)]
    return f'heuristics say: {", ".join(shares)}' if shares else ''


def _images(
    found: Sequence[FoundSegment], wanted: Sequence[int], source: UnlabelledSource
) -> Mapping[int, list[NDArray[np.uint8]]]:
    """Return some images of each wanted segment, by its number."""
    images: dict[int, list[NDArray[np.uint8]]] = {}
    for recording in source.recordings:
        due = {
            found[i].first + round(place * (found[i].frames - 1)): i
            for i in wanted
            if found[i].recording == recording.name
            for place in np.linspace(0.05, 0.95, IMAGES)
        }
        if due:
            for i, image in _seen(recording, due):
                images.setdefault(i, []).append(image)
    return images


def _seen(
    recording: RecordingWindows, due: Mapping[int, int]
) -> list[tuple[int, NDArray[np.uint8]]]:
    """Return the image of each frame that is due; none of a recording without a camera."""
    modalities = {**recording.modalities, **declared([_CAMERA])}
    looked = RecordingWindows(recording.path, recording.windows, modalities, recording.topics)
    stream = looked.stream()
    cameras = [name for name in of_kind(modalities, _CAMERA) if name in stream.topics]
    if not cameras:
        return []
    found = []
    first = 0
    for part in stream:
        for frame in range(first, first + len(part)):
            image = part.images[cameras[0]][frame - first] if frame in due else None
            if image is not None:
                try:
                    found.append((due[frame], image.decode()))
                except MessageError:  # the next one is as good
                    continue
        first += len(part)
    return found
