# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels and events of a robot that picks, inserts and rests, for checks to look at."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from m2r2_ros.checks.finding import Finding, NotRun, Result
from m2r2_ros.checks.labels.events import SensedEvents
from m2r2_ros.checks.labels.reference import LabelReference, learn_reference
from m2r2_ros.checks.labels.under_check import LabelsUnderCheck
from m2r2_ros.core.labels import LabelSet, Segment

START = 1_760_000_000_000_000_000
SECOND = 10**9
LABELS = LabelSet(
    ('pick_a', 'pick_b', 'insert_a', 'insert_b', 'rest'),
    ('pick', 'pick', 'insert', 'insert', 'pause'),
)
#: Kinds of events in a segment of each parent, seconds after its start.
_HAPPENS = {
    'pick': (('arm starts', 0.05), ('gripper closes', 0.9)),
    'insert': (('arm starts', 0.05), ('force rises', 0.8), ('gripper opens', 1.5)),
    'pause': (('arm stops', 0.05),),
}
_LASTS = {'pick': 2.0, 'insert': 3.0, 'pause': 1.2}
_KINDS = sorted({kind for happens in _HAPPENS.values() for kind, _ in happens})

Made = tuple[LabelsUnderCheck, SensedEvents]


def made(seed: int, rounds: int = 8) -> Made:
    """Return labels that are right, and what happened; a round is pick, insert and at times rest.

    Every third round, the insertion fails: nothing is let go.
    """
    rng = np.random.default_rng(seed)
    segments: list[Segment] = []
    times: dict[str, list[int]] = {kind: [] for kind in _KINDS}
    now = START
    for k in range(rounds):
        part = 'ab'[int(rng.integers(2))]
        for label in (f'pick_{part}', f'insert_{part}', *(['rest'] if rng.random() < 0.5 else [])):
            parent = LABELS.parents[LABELS.id_of(label)]
            success = not (parent == 'insert' and k % 3 == 2)
            end = now + round(_LASTS[parent] * rng.uniform(0.9, 1.2) * SECOND)
            segments.append(Segment(now, end, label, success=success))
            for kind, after in _HAPPENS[parent]:
                if success or kind != 'gripper opens':
                    times[kind].append(now + round((after + rng.normal(0, 0.02)) * SECOND))
            now = end
    labels = LabelsUnderCheck(
        Path(f'/recordings/{seed}'), Path(f'/recordings/{seed}'), f'rec {seed}', tuple(segments),
        (START, now), LABELS,
    )  # fmt: skip
    return labels, SensedEvents({kind: np.array(sorted(t), np.int64) for kind, t in times.items()})


def reference(count: int = 12) -> LabelReference:
    """Return what such recordings show."""
    return learn_reference([made(1000 + seed) for seed in range(count)])


def with_segments(labels: LabelsUnderCheck, segments: Iterable[Segment]) -> LabelsUnderCheck:
    """Return labels with other segments, in order."""
    return replace(labels, segments=tuple(sorted(segments, key=lambda s: (s.start, s.end))))


def shifted(segments: Iterable[Segment], seconds: float) -> list[Segment]:
    """Return segments that are later."""
    by = round(seconds * SECOND)
    return [replace(s, start=s.start + by, end=s.end + by) for s in segments]


def findings(results: Iterable[Result]) -> list[Finding]:
    """Return what was found."""
    return [result for result in results if isinstance(result, Finding)]


def not_run(results: Iterable[Result]) -> list[NotRun]:
    """Return what was not run."""
    return [result for result in results if isinstance(result, NotRun)]
