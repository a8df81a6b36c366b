# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings checked: each by itself, then its labels beside those of others, then all together."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Final

from m2r2_ros.bags.labels.sources import TruthSource, own_truth
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.checks.balance import balance_results
from m2r2_ros.checks.checked import TOGETHER, Checked
from m2r2_ros.checks.duplicates import DUPLICATE, duplicate_results
from m2r2_ros.checks.finding import Finding, NotRun, Result
from m2r2_ros.checks.labels.catalogue import BALANCE, LABEL_CHECKS
from m2r2_ros.checks.labels.gathering import labels_of
from m2r2_ros.checks.labels.reference import LabelReference, learn_reference
from m2r2_ros.checks.labels.results import label_results
from m2r2_ros.checks.looking import CheckOptions, Looked, events_of, look

_OF_SETS: Final = (BALANCE, DUPLICATE)

Progress = Callable[[Path, float], None]


def check_recordings(
    paths: Sequence[Path],
    options: CheckOptions,
    sources: Mapping[Path, Sequence[TruthSource]] | None = None,
    reference: LabelReference | None = None,
    progress: Progress = lambda path, share: None,
) -> list[Checked]:
    """Check recordings; what cannot be opened is among them, with what is wrong with it.

    Args:
        paths: Recordings.
        options: How.
        sources: Where the labels of each are, and other layers to compare them with; without, its
            newest annotation layer counts, or its own truth.
        reference: What is usual; None takes it from the recordings that are checked, each judged
            by the others.
        progress: Called with a recording and the share of it that is done.

    Returns:
        One entry for each recording, and one about all of them together where there are several.

    Raises:
        M2R2Error: A topic that was given cannot be read.
    """
    sources = sources or {}
    looked = []
    for path in paths:
        looked.append(
            look(path, options, sources.get(path, ()), lambda share, at=path: progress(at, share))  # type: ignore[misc]
        )
        progress(path, 1.0)
    if reference is None:
        reach = options.thresholds.label.reach
        labelled = [(one.labels, one.events) for one in looked if one.labels]
        reference = learn_reference(labelled, reach)
    checked = [_judged(one, reference, options) for one in looked]
    wanted = [check for check in _OF_SETS if check in options.wanted]
    if wanted and len(paths) > 1:
        checked.append(_together(looked, options, progress))
    elif wanted and checked:
        alone = [
            NotRun(check, 'it compares recordings, and this one was checked by itself')
            for check in wanted
        ]
        checked = [replace(checked[0], not_run=(*checked[0].not_run, *alone))]
    return checked


def reference_of(
    paths: Sequence[Path],
    options: CheckOptions,
    progress: Progress = lambda path, share: None,
) -> LabelReference:
    """Learn what is usual from labelled recordings that are known to be good.

    Raises:
        M2R2Error: One of them has no labels, or cannot be read.
    """
    known = []
    for path in paths:
        progress(path, 0.0)
        labels = labels_of(path, own_truth(path), options.taxonomy)
        known.append((labels, events_of(open_recording(path), options.topics)))
        progress(path, 1.0)
    return learn_reference(known, options.thresholds.label.reach)


def _judged(one: Looked, reference: LabelReference, options: CheckOptions) -> Checked:
    began = perf_counter()
    results = list(one.results)
    if one.labels is not None:
        thresholds = options.thresholds.label
        results += label_results(one.labels, reference, one.events, thresholds, options.wanted)
    elif one.no_labels:
        wanted = [facts.id for facts in LABEL_CHECKS if facts.id in options.wanted]
        results += [NotRun(check, one.no_labels) for check in wanted]
    wanted = [check for check in options.wanted if check not in _OF_SETS]
    seconds = one.seconds + perf_counter() - began
    kept = _without(results, options.ignored)
    return _checked(one.path, one.name, (one.start, one.end), wanted, kept, seconds)


def _together(looked: Sequence[Looked], options: CheckOptions, progress: Progress) -> Checked:
    """Return what is found only where recordings are seen beside each other."""
    began = perf_counter()
    results: list[Result] = []
    if BALANCE in options.wanted:
        labelled = [one.labels for one in looked if one.labels]
        results += balance_results(labelled, options.thresholds.label)
    if DUPLICATE in options.wanted:
        results += duplicate_results([one.path for one in looked], progress)
    wanted = [check for check in options.wanted if check in _OF_SETS]
    kept = _without(results, options.ignored)
    return _checked(Path(), TOGETHER, (0, 0), wanted, kept, perf_counter() - began)


def _without(results: Sequence[Result], ignored: frozenset[tuple[str, str]]) -> list[Result]:
    """Return results in which topics are not judged by checks that are ignored for them."""
    kept = [result for result in results if (result.check, result.topic) not in ignored]
    left = {(r.check, r.topic) for r in results if isinstance(r, Finding)} & ignored
    return kept + [NotRun(check, 'it is ignored', topic) for check, topic in sorted(left)]


def _checked(
    path: Path,
    name: str,
    span: tuple[int, int],
    wanted: Collection[str],
    results: Sequence[Result],
    seconds: float,
) -> Checked:
    findings = [r for r in results if isinstance(r, Finding)]
    findings.sort(key=lambda f: (f.start is not None, f.start or 0, f.check, f.topic))
    not_run = tuple(r for r in results if isinstance(r, NotRun))
    found = {f.check for f in findings}
    out = {n.check for n in not_run if not n.topic} - found
    ran = tuple(check for check in wanted if check not in out)
    return Checked(path, name, *span, ran, tuple(findings), not_run, seconds)
