# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels as tasks of Label Studio: annotations of people, and predictions of models."""

from collections.abc import Sequence
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as Xml

from m2r2_ros.bags.labels.origin import Origin, facts_of_labels
from m2r2_ros.core.files import write_text
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.core.palette import hex_colour
from m2r2_ros.core.time import SECOND
from m2r2_ros.export.choosing import OutcomeKind
from m2r2_ros.export.timed import TimedLabels
from m2r2_ros.export.xml_text import expect_xml

#: Names of the tags in the configuration, which regions refer to.
_CONTROL: Final = 'action'
#: Where Label Studio serves files of its local storage, by their path below its root.
LOCAL_FILES: Final = '/data/local-files/?d='
#: Who made labels that are suggestions to people.
_MADE: Final = (Origin.AUTOMATIC, Origin.HEURISTIC)


class Shown(str, Enum):
    """What labels are drawn on."""

    VIDEO = 'video'
    SIGNALS = 'signals'


def write_config(
    path: Path,
    label_set: LabelSet,
    shown: Shown,
    rate: float,
    channels: Sequence[str] = (),
) -> None:
    """Write the configuration of the labelling page, with the colours of labels.

    Args:
        path: File to write.
        label_set: Labels to choose from.
        shown: What they are drawn on.
        rate: Frames of the video per second.
        channels: Columns of the tables of signals.

    Raises:
        OutputError: The file cannot be written.
    """
    view = Xml.Element('View')
    tag = 'TimelineLabels' if shown == Shown.VIDEO else 'TimeSeriesLabels'
    control = Xml.SubElement(view, tag, name=_CONTROL, toName=shown.value)
    for name, colour in zip(label_set.names, label_set.colours, strict=True):
        Xml.SubElement(control, 'Label', value=name, background=hex_colour(colour))
    own = {'name': shown.value, 'value': f'${shown.value}'}
    if shown == Shown.VIDEO:
        Xml.SubElement(view, 'Video', own, frameRate=f'{rate:.6g}', timelineHeight='120')
    else:
        series = Xml.SubElement(view, 'TimeSeries', own, valueType='url', timeColumn='time')
        for channel in channels:
            Xml.SubElement(series, 'Channel', column=channel, legend=channel)
    Xml.indent(view)
    write_text(path, Xml.tostring(view, encoding='unicode') + '\n')


def task_of(one: TimedLabels, shown: Shown, media: str, rate: float) -> dict[str, Any]:
    """Return the task of a recording.

    What a model or a rule found is a prediction, which people correct; all else is an annotation.

    Args:
        one: The recording and its labels.
        shown: What they are drawn on.
        media: Where Label Studio finds the video, or the table of signals.
        rate: Frames of the video per second.

    Raises:
        M2R2Error: It cannot be told who made the labels, or one cannot stand in XML.
    """
    expect_xml(one.labelled)
    facts = facts_of_labels(one.labelled.source)
    predicted = facts.origin in _MADE
    result = [
        _region(number, segment, one, shown, rate, scored=predicted)
        for number, segment in enumerate(one.labelled.segments)
    ]
    data = {
        shown.value: media,
        'recording': one.labelled.name,
        'start_ns': str(one.start),
        'end_ns': str(one.end),
    }
    if not predicted:
        return {'data': data, 'annotations': [{'result': result}]}
    score = _mean_confidence(one.labelled.segments)
    version = facts.by or facts.tool or 'm2r2_ros'
    return {
        'data': data,
        'predictions': [{'model_version': version, 'score': score, 'result': result}],
    }


def frames_of(segment: Segment, start: int, rate: float) -> tuple[int, int]:
    """Return the first and the last frame of a segment, numbered from 1; one at least.

    Args:
        segment: The segment.
        start: When the first frame was, nanoseconds.
        rate: Frames per second.
    """
    exact = Fraction(rate).limit_denominator(1001) / SECOND
    first, after = (max(-(-(t - start) * exact // 1), 0) for t in (segment.start, segment.end))
    return int(first) + 1, int(max(after, first + 1))


def _region(
    number: int, segment: Segment, one: TimedLabels, shown: Shown, rate: float, *, scored: bool
) -> dict[str, Any]:
    """Return a segment as Label Studio has it; its exact times are kept beside."""
    if shown == Shown.VIDEO:
        first, last = frames_of(segment, one.start, rate)
        kind = 'timelinelabels'
        value: dict[str, Any] = {'ranges': [{'start': first, 'end': last}]}
    else:
        kind = 'timeserieslabels'
        times = one.seconds(segment.start), one.seconds(segment.end)
        value = {'start': times[0], 'end': times[1], 'instant': False}
    value[kind] = [segment.label]
    return {
        'id': f'segment_{number}',
        'from_name': _CONTROL,
        'to_name': shown.value,
        'type': kind,
        'origin': 'prediction' if scored else 'manual',
        'value': value,
        **({'score': segment.confidence} if scored else {}),
        'meta': {
            'start_ns': str(segment.start),
            'end_ns': str(segment.end),
            'outcome': OutcomeKind.of(segment).value,
        },
    }


def _mean_confidence(segments: Sequence[Segment]) -> float:
    """Return the mean confidence of segments by their lengths, within 0..1."""
    total = sum(s.end - s.start for s in segments)
    if not total:
        return 0.0
    mean = sum(s.confidence * (s.end - s.start) for s in segments) / total
    return min(max(mean, 0.0), 1.0)
