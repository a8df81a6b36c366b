# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Old names of commands and options still work, and say what they are called now."""

from pathlib import Path

import pytest

from m2r2_ros.cli.renamed import current_names
from test.cli.run import done, m2r2


@pytest.mark.parametrize(
    ('old', 'new', 'notice'),
    [
        (['reassemble', 'x'], ['reproduce', 'x'], 'm2r2 reassemble is now m2r2 reproduce'),
        (['evaluate', '--t-e', '3'], ['evaluate', '--detection-window', '3'], '--t-e is now'),
        (['evaluate', '--t-e=3'], ['evaluate', '--detection-window=3'], '--detection-window'),
        (['train-head', '--choose', 'best'], ['train-head', '--epoch', 'best'], '--choose'),
        (['pretrain', '--per-action', '1'], ['pretrain', '--action-weight', '1'], '--per-action'),
        (['import', 'reassemble'], ['import', 'reassemble'], ''),
        (['label', '--t-e', '3'], ['label', '--t-e', '3'], ''),
        ([], [], ''),
    ],
)
def test_old_names_become_new_ones(
    old: list[str], new: list[str], notice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert current_names(old) == new
    shown = capsys.readouterr()
    assert shown.out == ''
    assert notice in shown.err
    assert bool(notice) == bool(shown.err)


def test_the_command_line_takes_old_names_and_hides_them(robots: Path, tmp_path: Path) -> None:
    result = m2r2('evaluate', robots / 'first', '--truth', robots, '--t-e', 3)
    assert 'm2r2 evaluate --t-e is now m2r2 evaluate --detection-window' in result.err
    assert 'm2r2 label' in result.error  # it came as far as the recordings
    assert 'reassemble is now' in m2r2('reassemble', tmp_path, '--out', tmp_path).err
    assert '--t-e' not in done('evaluate', '--help').out
    assert 'reproduce' in done('--help').out
