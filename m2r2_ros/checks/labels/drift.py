# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels that begin and end earlier or later than what was sensed says."""

from collections.abc import Iterator
from typing import Final

from m2r2_ros.checks.finding import Finding, NotRun, Result, Severity
from m2r2_ros.checks.labels.catalogue import DRIFT
from m2r2_ros.checks.labels.events import SensedEvents
from m2r2_ros.checks.labels.offsets import FARTHEST, Fit, Fitter, Offsets, offsets_of, plain_fit
from m2r2_ros.checks.labels.options import LabelOptions
from m2r2_ros.checks.labels.reference import LabelReference
from m2r2_ros.checks.labels.under_check import LabelsUnderCheck
from m2r2_ros.core.text import excerpt

#: How many times the fewest edges it takes before labels are said not to belong to a recording.
_MANY: Final = 4


def drift_results(
    labels: LabelsUnderCheck,
    reference: LabelReference,
    events: SensedEvents | None,
    options: LabelOptions,
) -> Iterator[Result]:
    """Yield by how much labels are late, or early, as a whole and classes of their own."""
    if events is None or not any(len(times) for times in events.times.values()):
        yield NotRun(
            DRIFT, 'no gripper, motion or force is known to change: it takes one of these sensors'
        )
        return
    offsets = offsets_of(labels.known, events, labels.span, moved=True)
    fits, whole = _fits(labels, reference, offsets, options)
    if whole.edges >= _MANY * options.least_edges and whole.likelihood.max() < 0:
        yield Finding(
            DRIFT,
            Severity.ERROR,
            f'what was sensed fits {whole.edges} edges of labels nowhere within {FARTHEST:g} s: '
            'are they of this recording?',
        )
        return
    if why := _unclear(whole, options):
        yield NotRun(DRIFT, why)
        return
    layer = whole.distance if abs(whole.distance) >= options.drift_warning else 0.0
    if layer:
        yield _finding('', whole, options)
    for label, fit in sorted(fits.items()):
        judged = fit.edges >= options.least_edges and fit.margin >= options.drift_margin
        if judged and abs(fit.distance - layer) >= options.drift_warning:
            yield _finding(label, fit, options, layer)


def _fits(
    labels: LabelsUnderCheck, reference: LabelReference, offsets: Offsets, options: LabelOptions
) -> tuple[dict[str, Fit], Fit]:
    """Return how the events about each class fit, and about all of them."""
    parents = {**reference.parents, **labels.parents}
    usual = [example.offsets for example in reference.examples]
    fits: dict[str, Fit] = {}
    for label, fit in Fitter(usual, parents, options.least_edges).fits(offsets):
        fits[label] = fits[label] + fit if label in fits else fit
    whole = sum(fits.values(), Fit())
    if whole.edges >= options.least_edges:
        return fits, whole
    return {}, plain_fit(offsets)


def _unclear(whole: Fit, options: LabelOptions) -> str:
    """Return why the distance of labels is not known, '' where it is."""
    if whole.edges < options.least_edges:
        return (
            f'{whole.edges} edges of labels whose usual distance from events is known, expected '
            f'{options.least_edges}: it takes more labels, or other labelled recordings'
        )
    if whole.margin < options.drift_margin or whole.likelihood.max() <= 0:
        return (
            f'events fit the labels about as well {whole.second:+.2f} s away as at '
            f'{whole.distance:+.2f} s: it takes more labels, or sensors'
        )
    return ''


def _finding(label: str, fit: Fit, options: LabelOptions, layer: float = 0.0) -> Finding:
    """Return that all labels are away from events, or a class beyond what all labels are."""
    distance = fit.distance - layer
    late, size = 'later' if distance > 0 else 'earlier', abs(distance)
    about = f"'{excerpt(label)}' begins and ends" if label else 'labels begin and end'
    than = 'the other labels do' if layer else 'what was sensed says'
    error = size >= options.drift_error
    return Finding(
        DRIFT,
        Severity.ERROR if error else Severity.WARNING,
        f'{about} {size:.2f} s {late} than {than}, by {fit.edges} edges',
        topic=label,
        measured=round(distance, 3),
        threshold=options.drift_error if error else options.drift_warning,
        unit='s',
    )
