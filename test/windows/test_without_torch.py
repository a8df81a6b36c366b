# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot makes windows and spectrograms where nothing that learns is installed."""

import subprocess
import sys

_ROBOT = """
import sys
for name in ('torch', 'torchaudio', 'scipy'):
    sys.modules[name] = None  # as if it were not there
import numpy as np
from m2r2_ros.core.samples import SoundSamples
from m2r2_ros.windows.assembler import WindowAssembler
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.logmel import log_mel
from m2r2_ros.windows.normalisation import SoundScale

chunks = list(np.random.default_rng(0).normal(0, 0.1, (20, 4800)).astype(np.float32))
stamps = 1_700_000_000_000_000_000 + np.arange(20) * 100_000_000
sound = SoundSamples(stamps, np.arange(20), chunks, 48_000)
windows = WindowAssembler(WindowConfig(), ['sound']).push({'sound': sound})
scaled = SoundScale.of_range(-100, 50)(log_mel(windows.sounds['sound']))
print(len(windows), scaled.shape, np.isfinite(scaled).all())
"""


def test_windows_of_sound_need_no_torch() -> None:
    command = [sys.executable, '-c', _ROBOT]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == '19 (19, 64, 98) True\n'
