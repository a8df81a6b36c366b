# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which labels the model and the ground truth have in common."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.text import listed

#: How many labels of each an error names.
_NAMED = 12


@dataclass(frozen=True, slots=True)
class LabelNames:
    """Labels by who has them, in order.

    Attributes:
        common: Labels that the model can give and the truth has.
        only_model: Labels that the model can give and that do not occur in the truth.
        only_truth: Labels in the truth that the model cannot give: their frames are always wrong.
    """

    common: tuple[str, ...]
    only_model: tuple[str, ...]
    only_truth: tuple[str, ...]

    @classmethod
    def of(
        cls, model: Collection[str], truth: Collection[str], order: Iterable[str] = ()
    ) -> 'LabelNames':
        """Compare the labels of a model with those of the truth.

        Args:
            model: Labels of its label set, or those that it gave.
            truth: Labels of the true segments.
            order: Labels in the order wanted; others follow by name.

        Raises:
            LabelError: Both have labels, and none in common.
        """
        said, true = set(model) - {''}, set(truth) - {''}
        names = list(dict.fromkeys([*order, *sorted(said | true)]))
        common = tuple(n for n in names if n in said and n in true)
        only_model = tuple(n for n in names if n in said and n not in true)
        only_truth = tuple(n for n in names if n in true and n not in said)
        if said and true and not common:
            msg = (
                f'the labels of the model ({listed(only_model, _NAMED)}) and of the ground truth '
                f'({listed(only_truth, _NAMED)}) have nothing in common: label with a model that '
                'was trained on labels of these names, or rename those of the truth'
            )
            raise LabelError(msg)
        return cls(common, only_model, only_truth)
