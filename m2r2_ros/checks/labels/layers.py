# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Other layers of labels that say something else, and models that are sure though they see less."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.labels.reader import LabelTrack
from m2r2_ros.checks.finding import Finding, NotRun, Result, Severity
from m2r2_ros.checks.labels.catalogue import AGREEMENT, BLIND, PROVENANCE
from m2r2_ros.checks.labels.options import LabelOptions
from m2r2_ros.checks.labels.under_check import LabelsUnderCheck
from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import UNKNOWN, UNKNOWN_LABEL
from m2r2_ros.core.origin import Origin
from m2r2_ros.core.text import excerpt
from m2r2_ros.core.time import SECOND
from m2r2_ros.evaluation.agreement import agreement


def agreement_results(labels: LabelsUnderCheck, options: LabelOptions) -> Iterator[Result]:
    """Yield other layers of the recording that these labels differ from."""
    if not labels.others:
        yield NotRun(AGREEMENT, 'the recording has no other layer of labels')
    known = labels.taxonomy or labels.label_set
    own = {s.label for s in labels.known} | {*(known.names if known else ())}
    for name, segments in labels.others.items():
        theirs = {s.label for s in segments} - {'', UNKNOWN_LABEL}
        if theirs and own.isdisjoint(theirs):
            yield NotRun(AGREEMENT, 'it has other labels, none of which is here', excerpt(name))
            continue
        try:
            pair = agreement({'': labels.segments, name: segments}, labels.span).pairs[0]
        except LabelError as error:
            yield NotRun(AGREEMENT, str(error), excerpt(name))
            continue
        if pair.kappa is None:
            why = 'the two label no time together, or one label alone'
            yield NotRun(AGREEMENT, why, excerpt(name))
        elif pair.kappa < options.kappa:
            message = f'kappa of frames is {pair.kappa:.2f} with {excerpt(name)}'
            yield _differs(name, message, pair.kappa, options.kappa, '')
        median = pair.edges.median
        if median is not None and median > options.boundary:
            message = f'edges lie {median:.2f} s from those of {excerpt(name)}, by their median'
            yield _differs(name, message, median, options.boundary, 's')


def _differs(name: str, message: str, measured: float, threshold: float, unit: str) -> Finding:
    return Finding(
        AGREEMENT,
        Severity.WARNING,
        message,
        topic=name,
        measured=measured,
        threshold=threshold,
        unit=unit,
    )


def blind_results(labels: LabelsUnderCheck, options: LabelOptions) -> Iterator[Result]:
    """Yield modalities that were missing while a model was sure."""
    track = labels.track
    if track is None or not len(track):
        yield NotRun(BLIND, 'the labels are not of a model, which would say what it saw')
        return
    sure = (track.confidences > options.confident) & (track.label_ids != UNKNOWN)
    period = _period(track)
    for bit, name in enumerate(track.modalities):
        masked = (track.masks >> np.uint32(bit)) & np.uint32(1) == 0
        blind = sure & masked
        seconds = float(blind.sum()) * period / SECOND
        if blind.any() and seconds >= options.blind_seconds:
            first, last = _longest(blind)
            yield Finding(
                BLIND,
                Severity.WARNING,
                f'{seconds:.1f} s have labels with a confidence over {options.confident:g} though '
                f'{excerpt(name)} was missing',
                topic=name,
                start=int(track.stamps[first]),
                end=int(track.stamps[last]) + period,
                measured=seconds,
                threshold=options.blind_seconds,
                unit='s',
            )


def provenance_results(labels: LabelsUnderCheck) -> Iterator[Result]:
    """Yield what labels do not say of where they come from.

    Those of a model need no time: the same model gives the same labels again.
    """
    facts = labels.facts
    if facts is None:
        yield NotRun(PROVENANCE, 'the labels are part of the recording, which says nothing of them')
        return
    made = facts.origin in (Origin.AUTOMATIC, Origin.HEURISTIC) or labels.track is not None
    lacking = [
        what
        for what, there in (
            ('where they come from', facts.origin),
            ('the model that made them' if made else 'who made them', facts.by),
            ('when they were made', made or facts.time),
        )
        if not there
    ]
    if lacking:
        message = f'the labels do not say {", or ".join(lacking)}'
        yield Finding(PROVENANCE, Severity.WARNING, message)


def _period(track: LabelTrack) -> int:
    """Return the usual time between two frames, nanoseconds."""
    return int(np.median(np.diff(track.stamps))) if len(track) > 1 else 0


def _longest(active: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the first and the last place of the longest run."""
    edges = np.diff(active.astype(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)
    best = int(np.argmax(ends - starts))
    return int(starts[best]), int(ends[best]) - 1
