# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Environments in which the libraries live that exports are made for."""

import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Gigabytes each, so they are made on request; or taken from elsewhere.
PLACE = Path(os.environ.get('M2R2_CONSUMERS', ROOT))


def interpreter(name: str) -> Path:
    """Return the interpreter of an environment, or skip the test."""
    found = PLACE / f'.venv-consumers-{name}' / 'bin' / 'python'
    if not found.exists():
        pytest.skip(f'{found} is not there: make consumers')
    return found


def read_with(name: str, folder: Path, out: Path) -> dict[str, Any]:
    """Read a data set with the library that it is for; returns arrays by name."""
    script = ROOT / 'tools' / 'consumers' / f'read_{name}.py'
    command = [str(interpreter(name)), str(script), str(folder), str(out)]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stderr[-3000:]
    with np.load(out) as arrays:
        return {key: arrays[key] for key in arrays.files}
