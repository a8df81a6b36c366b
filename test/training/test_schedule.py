# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.training.schedule import one_cycle


def test_the_schedule_rises_in_a_line_and_falls_in_a_cosine() -> None:
    shares = np.linspace(0, 1, 1001)
    rates = np.array([one_cycle(s) for s in shares])
    top = int(rates.argmax())
    assert rates[top] == pytest.approx(1)
    assert shares[top] == pytest.approx(0.1)
    assert rates[0] == pytest.approx(0.04)
    assert rates[-1] == pytest.approx(0, abs=1e-6)
    rising, falling = np.diff(rates[: top + 1]), np.diff(rates[top:])
    np.testing.assert_allclose(rising, rising[0], rtol=1e-3)
    assert (falling <= 1e-7).all()
    assert one_cycle(0.55) == pytest.approx(0.5)


@given(st.floats(0, 1))
def test_the_rate_is_never_above_its_peak(share: float) -> None:
    assert -1e-9 <= one_cycle(share) <= 1 + 1e-9
