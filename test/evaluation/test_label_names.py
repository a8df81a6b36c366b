# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

import pytest

from m2r2_ros.core.errors import LabelError
from m2r2_ros.evaluation.label_names import LabelNames


def test_who_has_which_label() -> None:
    found = LabelNames.of({'push', 'pull', 'wave', ''}, {'pull', 'turn', 'grip'}, ['turn', 'pull'])
    assert found == LabelNames(('pull',), ('push', 'wave'), ('turn', 'grip'))


def test_nothing_in_common_is_refused_with_both() -> None:
    with pytest.raises(LabelError, match=r'model \(push\) .* truth \(pull, turn\) have nothing'):
        LabelNames.of(['push'], ['turn', 'pull'])


def test_a_model_that_never_says_anything_is_not_another_model() -> None:
    assert LabelNames.of([''], ['push']).only_truth == ('push',)
