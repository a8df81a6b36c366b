# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many faults of labels the checks find, how often they find one where there is none.

Labels of simulated recordings get one fault at a time; the other recordings say what is usual. A
changed label is found where a check says something about its time, or about all labels.

    python -m benchmarks.check_label_faults RECORDINGS --out label_faults.md

Without recordings, 20 episodes of the simulated cell are made.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

import numpy as np

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.labels.reader import LabelTrack
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.sensors import Sensors
from m2r2_ros.checks.balance import balance_results
from m2r2_ros.checks.finding import Finding, Result
from m2r2_ros.checks.labels.catalogue import (
    AGREEMENT,
    BALANCE,
    BLIND,
    DRIFT,
    HIERARCHY,
    LABEL_CHECKS,
    PROVENANCE,
)
from m2r2_ros.checks.labels.event_observer import EventObserver
from m2r2_ros.checks.labels.events import SensedEvents
from m2r2_ros.checks.labels.gathering import labels_of
from m2r2_ros.checks.labels.reference import LabelReference, learn_reference
from m2r2_ros.checks.labels.results import label_results
from m2r2_ros.checks.labels.under_check import LabelsUnderCheck
from m2r2_ros.core.labels import Segment
from m2r2_ros.core.origin import LayerFacts, Origin
from m2r2_ros.core.time import SECOND
from m2r2_ros.simulation.config import EpisodeConfig
from m2r2_ros.simulation.episode import write_episode
from m2r2_ros.simulation.label_faults import FaultyLabel, apply_label_faults, parse_label_fault

#: Faults, and what labels may be renamed to besides those of the set.
_FAULTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ('label-drop=0.1', ()), ('label-rename=0.1', ()), ('label-rename=0.1', ('no such label',)),
    ('label-split=0.1', ()), ('label-swap=0.1', ()),
    *((f'label-shift={seconds}', ()) for seconds in ('0.1', '0.3', '0.4', '-0.4', '1', '5')),
)  # fmt: skip
_SEEDS, _SECONDS, _FIRST_SEED = 20, 120.0, 7000
#: Seconds without a sensor.
_BLIND_S = 5.0

Checked = list[tuple[LabelsUnderCheck, SensedEvents]]


@dataclass
class Tally:
    """What the checks found of a fault.

    Attributes:
        changed: Labels that were changed.
        found: How many of them some check found.
        alone: How many some check found that needs neither levels nor other layers.
        by: How many each check found.
        errors: Of the distance that was estimated, s, for each recording.
        drifts: Recordings with a finding of it.
        recordings: How many there were.
    """

    changed: int = 0
    found: int = 0
    alone: int = 0
    by: dict[str, int] = field(default_factory=dict)
    errors: list[float] = field(default_factory=list)
    drifts: int = 0
    recordings: int = 0


def read(recordings: Iterable[Path]) -> Checked:
    """Return labels and events of recordings."""
    checked = []
    for path in recordings:
        recording = open_recording(path)
        sensors = Sensors(recording, None, ('vector',))
        observer = EventObserver({n: spec.convention for n, spec in sensors.specs.items()})
        for blocks in recording.blocks(sensors.topics):
            for spec, samples in sensors.decode(blocks):
                observer.samples(spec.modality, samples)
        checked.append((labels_of(path), observer.events()))
    return checked


def tried(
    checked: Checked, reference: LabelReference, text: str, names: Sequence[str] = ()
) -> Tally:
    """Return what is found of a fault in each of the recordings.

    Args:
        checked: The recordings.
        reference: What is usual.
        text: The fault.
        names: What labels are renamed to; those of their set by default.
    """
    tally, fault = Tally(), parse_label_fault(text)
    for number, (labels, events) in enumerate(checked):
        known = names or (labels.label_set.names if labels.label_set else ())
        rng = np.random.default_rng(number)
        faulty, changes = apply_label_faults(labels.segments, [fault], rng, known, labels.span[0])
        others = {'truth': labels.segments}
        wrong = replace(labels, segments=tuple(faulty), others=others)
        results = label_results(wrong, reference, events)
        tally.recordings += 1
        _count(tally, changes, [r for r in results if isinstance(r, Finding)])
        whole = [r for r in results if isinstance(r, Finding) and r.check == DRIFT and not r.topic]
        tally.drifts += bool(whole)
        tally.errors += [abs((r.measured or 0.0) - fault.value) for r in whole]
    return tally


def _count(tally: Tally, changes: Sequence[FaultyLabel], findings: Sequence[Finding]) -> None:
    for change in changes:
        by = {f.check for f in findings if _about(f, change)}
        tally.changed += 1
        tally.found += bool(by)
        tally.alone += bool(by - {AGREEMENT, HIERARCHY})
        for check in by:
            tally.by[check] = tally.by.get(check, 0) + 1


def _about(finding: Finding, change: FaultyLabel) -> bool:
    """Return whether a finding is about the time of a label that was changed."""
    if finding.start is None or finding.end is None:
        return True
    parts: tuple[Segment, ...] = (change.before, *change.after)
    first, last = min(s.start for s in parts), max(s.end for s in parts)
    return finding.start <= last and finding.end >= first


def alarms(checked: Checked, reference: LabelReference) -> dict[str, int]:
    """Return in how many recordings without a fault each check finds something."""
    counts = dict.fromkeys((facts.id for facts in LABEL_CHECKS), 0)
    for labels, events in checked:
        for check in _checks(label_results(labels, reference, events)):
            counts[check] += 1
    return counts


def _checks(results: Iterable[Result]) -> set[str]:
    return {result.check for result in results if isinstance(result, Finding)}


def others_found(checked: Checked, reference: LabelReference) -> dict[str, tuple[int, int]]:
    """Return how many recordings the checks find of what no fault of labels can do, and alarms."""
    facts = LayerFacts(Origin.AUTOMATIC, 'a model', '2026-01-01T00:00:00Z')
    made: dict[str, tuple[Callable[[LabelsUnderCheck], LabelsUnderCheck], ...]] = {
        BLIND: (
            lambda one: replace(one, track=_track(one, 0.0)),
            lambda one: replace(one, track=_track(one, _BLIND_S)),
        ),
        PROVENANCE: (
            lambda one: replace(one, facts=facts),
            lambda one: replace(one, facts=replace(facts, by='')),
        ),
    }
    counts = {
        check: [
            sum(
                check in _checks(label_results(make(one), reference, events, None, [check]))
                for one, events in checked
            )
            for make in ways
        ]
        for check, ways in made.items()
    }
    return {check: (found, wrong) for check, (wrong, found) in counts.items()}


def _track(labels: LabelsUnderCheck, blind: float) -> LabelTrack:
    """Return labels of frames that are sure, with so many seconds without the first sensor."""
    stamps = np.arange(labels.span[0], labels.span[1], SECOND // 10)
    n = len(stamps)
    masks = np.full(n, 3, np.uint32)
    masks[n // 2 : n // 2 + round(10 * blind)] = 2
    return LabelTrack(
        labels.name, stamps, np.zeros(n, np.int64), ['a'] * n, np.full(n, 0.9, np.float32),
        np.ones((n, 1), np.float32), np.zeros(n, np.float32), np.zeros(n, np.int64),
        np.zeros(n, np.float32), masks, 'a model', None, ('wrench', 'pose'),
    )  # fmt: skip


def table(checked: Checked) -> str:
    """Return what is found as Markdown."""
    reference = learn_reference(checked)
    ids = [facts.id for facts in LABEL_CHECKS if facts.id not in (BLIND, PROVENANCE)]
    clean = alarms(checked, reference)
    lines = [
        f'{len(checked)} recordings, {sum(len(c.known) for c, _ in checked)} labels.',
        '',
        f'| fault | labels | found | without levels and layers | {" | ".join(ids)} |',
        f'|---|{"---:|" * (3 + len(ids))}',
        f'| none | - | - | - | {" | ".join(str(clean[i]) for i in ids)} |',
    ]
    drifts = []
    for text, names in _FAULTS:
        tally = tried(checked, reference, text, names)
        shares = [tally.by.get(i, 0) / max(tally.changed, 1) for i in ids]
        first = [tally.found / max(tally.changed, 1), tally.alone / max(tally.changed, 1)]
        cells = ' | '.join(f'{100 * share:.0f} %' for share in (*first, *shares))
        shown = f'{text} to no label of the set' if names else text
        lines.append(f'| {shown} | {tally.changed} | {cells} |')
        if tally.errors:
            errors = np.array(tally.errors) * 1000
            drifts.append(
                f'| {text} | {tally.drifts} of {tally.recordings} | {np.median(errors):.0f} ms | '
                f'{errors.max():.0f} ms |'
            )
    head = ('', '| shift | recordings | median error | largest |', '|---|---:|---:|---:|')
    return '\n'.join([*lines, *head, *drifts, *_other_lines(checked, reference)]) + '\n'


def _other_lines(checked: Checked, reference: LabelReference) -> list[str]:
    """Return what is found of other faults."""
    lines = ['', '| check | recordings with a fault | without |', '|---|---:|---:|']
    for check, (found, wrong) in others_found(checked, reference).items():
        lines.append(f'| {check} | {found} of {len(checked)} | {wrong} |')
    few = sum(isinstance(r, Finding) for r in balance_results([one for one, _ in checked]))
    return [*lines, f'| {BALANCE} | - | {few} |']


def main() -> None:
    """Try the faults, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('recordings', nargs='*', type=Path)
    parser.add_argument('--out', type=Path, help='Markdown file; without, it is printed')
    options = parser.parse_args()
    began = perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        if not options.recordings:
            config = EpisodeConfig(seconds=_SECONDS, cameras=False)
            for seed in range(_FIRST_SEED, _FIRST_SEED + _SEEDS):
                write_episode(Path(folder), seed, config)
        checked = read(find_recordings(options.recordings or [Path(folder)]))
    text = table(checked)
    if options.out:
        options.out.write_text(text, encoding='utf-8')
    else:
        print(text)
    print(f'{perf_counter() - began:.0f} s')


if __name__ == '__main__':
    main()
