# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How often attacks are tried: few times in every test run, many with `make fuzz`."""

import os
from typing import Final

from hypothesis import HealthCheck, settings

#: How many times as many examples are tried.
_FACTOR: Final = int(os.environ.get('M2R2_FUZZ', '1'))


def tries(examples: int) -> settings:
    """Return the settings of a test that tries so many examples in every test run."""
    return settings(
        max_examples=examples * _FACTOR,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
