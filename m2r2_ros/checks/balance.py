# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Classes that all recordings together have too few segments of."""

from collections import Counter
from collections.abc import Sequence

from m2r2_ros.checks.finding import Finding, NotRun, Result, Severity
from m2r2_ros.checks.labels.catalogue import BALANCE
from m2r2_ros.checks.labels.options import LabelOptions
from m2r2_ros.checks.labels.under_check import LabelsUnderCheck
from m2r2_ros.core.text import excerpt


def balance_results(
    labelled: Sequence[LabelsUnderCheck], options: LabelOptions | None = None
) -> list[Result]:
    """Find classes with few segments; those of a label set that nobody used are among them.

    Args:
        labelled: The labels of the recordings.
        options: Thresholds.
    """
    options = options or LabelOptions()
    if len(labelled) < 2:
        why = f'it is about several recordings with labels, and there are {len(labelled)}'
        return [NotRun(BALANCE, why)]
    counts = Counter(s.label for labels in labelled for s in labels.known)
    for labels in labelled:
        known = labels.taxonomy or labels.label_set
        counts.update({name: 0 for name in known.names} if known else {})
    return [
        Finding(
            BALANCE,
            Severity.WARNING,
            f"'{excerpt(label)}' has {count} segment{'' if count == 1 else 's'} in {len(labelled)} "
            'recordings',
            topic=label,
            measured=float(count),
            threshold=float(options.least_segments),
        )
        for label, count in sorted(counts.items(), key=lambda item: (item[1], item[0]))
        if count < options.least_segments
    ]
