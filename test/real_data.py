# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where real recordings lie, on machines that have some."""

import os
from pathlib import Path
from typing import Final

DATA: Final = Path(os.environ.get('M2R2_DATA', Path(__file__).resolve().parents[2] / 'shared/data'))
