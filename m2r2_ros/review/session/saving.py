# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a person has made of a recording, onto the disk."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from operator import itemgetter
from pathlib import Path

from m2r2_ros import __version__
from m2r2_ros.bags.labels.layers import Layer, Provenance, write_layer
from m2r2_ros.core.errors import LabelError, OutputError
from m2r2_ros.core.files import disk_errors, sync
from m2r2_ros.core.labels import Segment, chosen_colours
from m2r2_ros.review.session.opened import OpenRecording
from m2r2_ros.review.session.submission import Submission


def save_layer(opened: OpenRecording, submission: Submission, annotator: str) -> Layer:
    """Write a layer, which is on the disk when this returns; none is ever replaced.

    Args:
        opened: The recording.
        submission: What a person has made of it.
        annotator: Who, where the page does not know.

    Raises:
        LabelError: The lane that it began with is not there.
        M2R2Error: It cannot be written, as on a full disk; nothing of it is left then.
    """
    provenance = Provenance(
        annotator=submission.annotator or annotator,
        time=datetime.now(timezone.utc).strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3] + 'Z',
        tool=f'm2r2 review {__version__}',
        corrected_from=_origin(opened, submission.lane),
        done=submission.done,
        edits=submission.edits,
        seconds=submission.seconds,
    )
    base = next((lane.segments for lane in opened.lanes if lane.id == submission.lane), ())
    segments = with_outcomes(submission.segments, base)
    colours = chosen_colours([opened.label_set])  # which the page does not send
    label_set = submission.label_set.coloured(colours)
    layer = write_layer(opened.path, segments, label_set, provenance)
    with disk_errors(layer.path):
        _sync_all(layer.path)
    return layer


def with_outcomes(segments: Sequence[Segment], base: Sequence[Segment]) -> list[Segment]:
    """Return segments with what was known of the success of those that they were made of.

    A page does not show whether an attempt succeeded; where it has only moved the boundaries of a
    segment, that stays known.

    Args:
        segments: In order of start.
        base: What the page began with, in order of start.
    """
    known = [s for s in base if s.success is not None]
    found = []
    for segment in segments:
        shared = [
            (min(s.end, segment.end) - max(s.start, segment.start), s.success)
            for s in known
            if s.label == segment.label
        ]
        overlap, success = max(shared, key=itemgetter(0), default=(0, None))
        found.append(replace(segment, success=success) if overlap > 0 else segment)
    return found


def is_of_disk(error: BaseException) -> bool:
    """Return whether an error says that something could not be written."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (OutputError, OSError)):
            return True
        cause = cause.__cause__
    return False


def _origin(opened: OpenRecording, lane: str) -> str:
    if not lane:
        return ''
    for known in opened.lanes:
        if known.id == lane:
            return f'{known.kind} {known.path.name}' if known.path else known.id
    there = ', '.join(known.id for known in opened.lanes) or 'none'
    msg = f'from: expected a lane of the recording ({there}) or nothing, found {lane[:80]!r}'
    raise LabelError(msg)


def _sync_all(layer: Path) -> None:
    """Wait until a layer is on the disk, and the folders that it is listed in."""
    for folder, _, names in os.walk(layer):
        for name in names:
            sync(Path(folder, name))
        sync(Path(folder))
    sync(layer.parent)
    sync(layer.parent.parent)
