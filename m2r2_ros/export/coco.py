# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segments of several recordings as one JSON, laid out as COCO does for objects in images."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from m2r2_ros import __version__
from m2r2_ros.core.palette import hex_colour
from m2r2_ros.core.time import SECOND
from m2r2_ros.export.labelled import common_label_set
from m2r2_ros.export.timed import TimedLabels, media_of, write_json


def write_coco(path: Path, recordings: Sequence[TimedLabels], media: str | None = None) -> int:
    """Write `videos`, `categories` and `annotations`; returns the number of annotations.

    Args:
        path: File to write.
        recordings: With their labels.
        media: Path or URL of videos, with {name}; None where there are none.

    Raises:
        LabelError: Two recordings have different parents for a label.
        OutputError: The file cannot be written.
    """
    label_set = common_label_set([one.labelled for one in recordings])
    ids = {name: k for k, name in enumerate(label_set.names, 1)}
    columns = zip(label_set.names, label_set.parents, label_set.colours, strict=True)
    categories = [
        {'id': ids[name], 'name': name, 'supercategory': parent, 'color': hex_colour(colour)}
        for name, parent, colour in columns
    ]
    annotations: list[dict[str, Any]] = []
    for number, one in enumerate(recordings, 1):
        for segment, start, end in one.spans():
            annotations.append(
                {
                    'id': len(annotations) + 1,
                    'video_id': number,
                    'category_id': ids[segment.label],
                    'segment': [start, end],
                    'segment_ns': [segment.start, segment.end],
                    'score': segment.confidence,
                    'success': segment.success,
                }
            )
    videos = [_video(number, one, media) for number, one in enumerate(recordings, 1)]
    content = {
        'info': {'description': 'action segments', 'contributor': f'm2r2_ros {__version__}'},
        'videos': videos,
        'categories': categories,
        'annotations': annotations,
    }
    write_json(path, content)
    return len(annotations)


def _video(number: int, one: TimedLabels, media: str | None) -> dict[str, Any]:
    name = one.labelled.name
    file = {} if media is None else {'file_name': media_of(media, name)}
    return {
        'id': number,
        'name': name,
        **file,
        'start_ns': one.start,
        'end_ns': one.end,
        'duration': (one.end - one.start) / SECOND,
    }
