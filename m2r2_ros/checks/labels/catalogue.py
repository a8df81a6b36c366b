# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The checks of labels, as catalogues list them."""

from typing import Final

from m2r2_ros.checks.catalogue_entry import CheckFacts
from m2r2_ros.checks.finding import Severity

_WARNING: Final = (Severity.WARNING,)
_ERROR: Final = (Severity.ERROR,)
_BOTH: Final = (Severity.WARNING, Severity.ERROR)

COVERAGE: Final = 'label.coverage'
TAXONOMY: Final = 'label.taxonomy'
DURATION: Final = 'label.duration'
GRAMMAR: Final = 'label.grammar'
HIERARCHY: Final = 'label.hierarchy'
DRIFT: Final = 'label.event_drift'
MISSING: Final = 'label.event_missing'
AGREEMENT: Final = 'label.agreement'
BLIND: Final = 'label.blind'
PROVENANCE: Final = 'label.provenance'
BALANCE: Final = 'set.balance'

#: Checks of the labels of one recording.
LABEL_CHECKS: Final = (
    CheckFacts(COVERAGE, 'Time has no label, two labels, or a label from outside the recording.',
               _BOTH, '%'),
    CheckFacts(TAXONOMY, 'A label, its id or its parent is not as the label set has it.', _ERROR),
    CheckFacts(DURATION, 'A segment is far shorter or longer than others of its class.',
               _WARNING, 's'),
    CheckFacts(GRAMMAR, 'A label follows one that it never follows elsewhere.', _WARNING),
    CheckFacts(HIERARCHY, 'Fine labels, coarse labels and phases do not change together.',
               _BOTH, 's'),
    CheckFacts(DRIFT, 'Labels begin and end earlier or later than what was sensed says.',
               _BOTH, 's'),
    CheckFacts(MISSING, 'What segments of its class and outcome always have was not sensed.',
               _WARNING),
    CheckFacts(AGREEMENT, 'Another layer of labels says something else.', _WARNING),
    CheckFacts(BLIND, 'A model is sure of itself while a sensor that it uses is missing.',
               _WARNING, 's'),
    CheckFacts(PROVENANCE, 'Labels do not say who or what made them, or when.', _WARNING),
)  # fmt: skip
#: Checks of the labels of all recordings together.
SET_CHECKS: Final = (
    CheckFacts(BALANCE, 'A class has too few segments to learn from.', _WARNING),
)  # fmt: skip
