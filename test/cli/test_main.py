# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Commands are imported when they are asked for, and only then."""

import subprocess
import sys

import pytest

from m2r2_ros.cli.commands import COMMANDS
from test.cli.run import done, m2r2


def test_every_command_is_listed_and_has_help() -> None:
    listed = done('--help').out
    for name in COMMANDS:
        assert f' {name} ' in listed
        shown = done(name, '--help').out
        assert f'm2r2 {name} ' in shown or f'm2r2 {name}\n' in shown
        assert 'completion' not in shown


def test_a_misspelt_command_is_corrected() -> None:
    result = m2r2('modls')
    assert result.code == 2
    assert "Did you mean 'models'" in ' '.join(result.err.split())


@pytest.mark.parametrize('name', ['models', 'viewers'])
def test_a_models_facts_need_neither_torch_nor_bags(name: str, tmp_path: object) -> None:
    options = ['--out', str(tmp_path)] if name == 'viewers' else []
    code = f"""
import sys
from m2r2_ros.cli.main import main
sys.argv = ['m2r2', '{name}', 'models/cell', *{options!r}]
try:
    main()
except SystemExit as end:
    assert not end.code
sys.exit(bool({{'torch', 'mcap', 'rosbags', 'cv2', 'matplotlib'}} & sys.modules.keys()))
"""
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0
