# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""True positives, false positives and false negatives, and the F1 score they make."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """What was found, what was found wrongly and what was missed.

    Attributes:
        tp: True positives.
        fp: False positives.
        fn: False negatives.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: 'Counts') -> 'Counts':
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def f1(self) -> float | None:
        """2 TP / (2 TP + FP + FN) in percent; None where there was nothing to count."""
        whole = 2 * self.tp + self.fp + self.fn
        return 200.0 * self.tp / whole if whole else None
