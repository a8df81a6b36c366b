# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a training tells at its end."""

import pytest

from m2r2_ros.cli.training_progress import show_rules, show_scores


def test_scores_that_are_not_defined_are_dashes(capsys: pytest.CaptureFixture[str]) -> None:
    """A recording of nothing but background has no segment to score."""
    show_scores({'accuracy': 0.98765, 'edit': None, 'f1@50': None})
    assert 'validated online: accuracy 0.9877, edit -, F1@50 -' in capsys.readouterr().err


def test_the_rule_of_each_lag_is_shown_and_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    row = {'lag': 0, 'rule': 'hold', 'accuracy': 0.9, 'f1@50': 81.0, 'delay_median_s': None}
    show_rules([{**row, 'kept': True}, {**row, 'rule': 'commit', 'kept': False}])
    told = capsys.readouterr().err
    assert all(part in told for part in ('hold', '0.9', '81', '-'))
    assert 'commit' not in told
    show_rules([])
    assert capsys.readouterr().err == ''
