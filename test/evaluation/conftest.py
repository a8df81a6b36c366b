# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Short notation for frame sequences."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

#: 'background' is what edit and F1 skip.
IDS = {'background': 0, 'no': 1, 'A': 2, 'B': 3, 'C': 4}


@pytest.fixture(scope='session')
def spell() -> Callable[[str], list[str]]:
    """Spell out 'A2 B1' as A, A, B."""

    def spelt(text: str) -> list[str]:
        words = [(word.rstrip('0123456789'), word) for word in text.split()]
        return [name for name, word in words for _ in range(int(word[len(name) :]))]

    return spelt


@pytest.fixture(scope='session')
def ids(spell: Callable[[str], list[str]]) -> Callable[[str], NDArray[np.int64]]:
    """Spell out 'A2 B1' as label ids."""
    return lambda text: np.array([IDS[name] for name in spell(text)], np.int64)
