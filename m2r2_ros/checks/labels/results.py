# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All checks of the labels of one recording."""

from collections.abc import Callable, Collection, Iterable
from itertools import islice
from typing import Final

from m2r2_ros.checks.finding import Finding, NotRun, Result
from m2r2_ros.checks.labels.catalogue import (
    AGREEMENT,
    BLIND,
    COVERAGE,
    DRIFT,
    DURATION,
    GRAMMAR,
    HIERARCHY,
    LABEL_CHECKS,
    MISSING,
    PROVENANCE,
    TAXONOMY,
)
from m2r2_ros.checks.labels.coverage import coverage_results
from m2r2_ros.checks.labels.drift import drift_results
from m2r2_ros.checks.labels.duration import duration_results
from m2r2_ros.checks.labels.events import SensedEvents
from m2r2_ros.checks.labels.grammar import grammar_results
from m2r2_ros.checks.labels.hierarchy import hierarchy_results
from m2r2_ros.checks.labels.layers import agreement_results, blind_results, provenance_results
from m2r2_ros.checks.labels.missing import missing_results
from m2r2_ros.checks.labels.names import taxonomy_results
from m2r2_ros.checks.labels.options import LabelOptions
from m2r2_ros.checks.labels.reference import LabelReference
from m2r2_ros.checks.labels.under_check import LabelsUnderCheck

#: Findings of a check at most: of labels that are wrong throughout, these say enough.
MOST_FINDINGS: Final = 100


def label_results(
    labels: LabelsUnderCheck,
    reference: LabelReference,
    events: SensedEvents | None = None,
    options: LabelOptions | None = None,
    wanted: Collection[str] | None = None,
) -> list[Result]:
    """Check the labels of a recording.

    Args:
        labels: The labels.
        reference: What is usual; what it holds of this recording is left out.
        events: What happened in the recording; None where that was not looked at.
        options: Thresholds.
        wanted: Ids of the checks to run; None runs all.
    """
    options = options or LabelOptions()
    usual = reference.without(labels.key)
    runs: dict[str, Callable[[], Iterable[Result]]] = {
        COVERAGE: lambda: coverage_results(labels, options),
        TAXONOMY: lambda: taxonomy_results(labels),
        DURATION: lambda: duration_results(labels, usual, options),
        GRAMMAR: lambda: grammar_results(labels, usual, options),
        HIERARCHY: lambda: hierarchy_results(labels, options),
        DRIFT: lambda: drift_results(labels, usual, events, options),
        MISSING: lambda: missing_results(labels, usual, events, options),
        AGREEMENT: lambda: agreement_results(labels, options),
        BLIND: lambda: blind_results(labels, options),
        PROVENANCE: lambda: provenance_results(labels),
    }
    ids = [facts.id for facts in LABEL_CHECKS if wanted is None or facts.id in wanted]
    return [result for id_ in ids for result in _bounded(id_, runs[id_]())]


def _bounded(check: str, results: Iterable[Result]) -> list[Result]:
    """Return results, of which there may be very many, up to a bound."""
    every = iter(results)
    kept = list(islice(every, MOST_FINDINGS))
    rest = list(every)
    kept += [result for result in rest if isinstance(result, NotRun)]
    if more := sum(isinstance(result, Finding) for result in rest):
        kept.append(NotRun(check, f'{more} further findings are left out'))
    return kept
