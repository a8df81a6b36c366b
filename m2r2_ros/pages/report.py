# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The report of a recording: one file with its signals, its labels and its scores."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from m2r2_ros.bags.labels.clock import clock_of
from m2r2_ros.bags.labels.sources import TruthSource
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.files import write_text
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.time import SECOND
from m2r2_ros.evaluation.score import Scores
from m2r2_ros.pages.container import Container
from m2r2_ros.pages.document import labels_of, page_json
from m2r2_ros.pages.lanes import TRUTH, LabelLane, lanes_of
from m2r2_ros.pages.overview import Overview
from m2r2_ros.pages.shell import report_html
from m2r2_ros.pages.tables import evaluations, label_facts, recording_facts, score_table
from m2r2_ros.readers.topics import TopicSpec


@dataclass(frozen=True, slots=True)
class Reported:
    """What an index says of a report.

    Attributes:
        name: Of the recording.
        start: When it began, nanoseconds.
        end: When it ended.
        lanes: Its lanes, without labels frame by frame.
        labels: Labels of the page, in the order of their colours.
        scores: Scores by title of the lane.
        problems: What could not be read.
    """

    name: str
    start: int
    end: int
    lanes: Sequence[LabelLane]
    labels: LabelSet
    scores: Mapping[str, Scores]
    problems: Sequence[str]


def write_report(
    path: Path,
    recording: Path,
    *,
    labels: Sequence[Path] = (),
    truth: TruthSource | None = None,
    topics: Mapping[str, TopicSpec] | None = None,
    facts: Sequence[dict[str, Any]] = (),
    progress: Callable[[float], None] = lambda share: None,
) -> Reported:
    """Write the report of a recording; an older one is replaced.

    Args:
        path: File to write.
        recording: Bag or bare file.
        labels: Label bags of it.
        truth: Where its ground truth is; None looks for it in the recording.
        topics: Topics by modality; what is not given is guessed.
        facts: Tables with what else there is to say.
        progress: Called with the share of the recording that was read.

    Raises:
        M2R2Error: The recording cannot be read, or the report not be written.
    """
    opened = open_recording(recording)
    clock = clock_of(opened)
    truth = truth or TruthSource(recording, recording)
    lanes, problems = lanes_of(opened, labels, truth)
    overview = Overview(opened, topics, around=_boundaries(lanes, clock.start))
    for share in overview.read():
        progress(share)
    has_truth = any(lane.kind == TRUTH for lane in lanes)
    found, failed = evaluations(lanes, truth, opened.name) if has_truth else ({}, [])
    problems += failed
    out = Container()
    page = page_json(opened, clock, lanes, out=out) | overview.pack(out)
    page['scores'] = [score_table(lane, found[lane.id]) for lane in lanes if lane.id in found]
    said = [*problems, *overview.problems.values()]
    page['facts'] = [
        *chain.from_iterable(map(label_facts, lanes)),
        *facts,
        *recording_facts(opened, said),
    ]
    write_text(path, report_html(out.pack(page), f'{opened.name}: labels and signals'))
    scores = {lane.title: found[lane.id].scores for lane in lanes if lane.id in found}
    plain = [lane.without_track() for lane in lanes]
    return Reported(opened.name, clock.start, clock.end, plain, labels_of(lanes), scores, said)


def _boundaries(lanes: Sequence[LabelLane], start: int) -> list[float]:
    """Return where segments begin and end, s from the start of the recording."""
    stamps = {stamp for lane in lanes for s in lane.segments for stamp in (s.start, s.end)}
    return [(stamp - start) / SECOND for stamp in sorted(stamps)]
