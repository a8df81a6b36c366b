# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers in one unit become numbers in another."""

import math

import pytest

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.units import UNITS, factor


@pytest.mark.parametrize(
    ('given', 'wanted', 'expected'),
    [
        ('mm', 'm', 1e-3),
        ('m', 'mm', 1e3),
        ('in', 'cm', 2.54),
        ('deg', 'rad', math.pi / 180),
        ('deg/s', 'rad/s', math.pi / 180),
        ('g', 'm/s^2', 9.80665),
        ('kgf', 'N', 9.80665),
        ('bar', 'kPa', 100.0),
        ('%', '1', 0.01),
        ('ms', 's', 1e-3),
    ],
)
def test_factors(given: str, wanted: str, expected: float) -> None:
    assert factor(given, wanted, 'x') == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize('unit', UNITS)
def test_there_and_back_is_one(unit: str) -> None:
    what = UNITS[unit][0]
    for other in (name for name, (kind, _) in UNITS.items() if kind == what):
        assert factor(unit, other, 'x') * factor(other, unit, 'x') == pytest.approx(1)


@pytest.mark.parametrize(('given', 'wanted'), [('', 'm'), ('furlong', ''), ('N, N m', 'N, N m')])
def test_nothing_is_converted_where_a_unit_is_not_said_or_is_the_same(
    given: str, wanted: str
) -> None:
    assert factor(given, wanted, 'x') == 1


@pytest.mark.parametrize(
    ('given', 'wanted', 'expected'),
    [
        ('mm', 'N', r"x\.unit: 'mm' is a length, expected a force in 'N'"),
        ('N', 'N m', r"x\.unit: 'N' is a force, expected a torque in 'N m'"),
        ('furlong', 'm', r"x\.unit: 'furlong' cannot be converted to 'm'; give scale"),
        ('x' * 10**6, 'm', r"x\.unit: .{1,100} cannot be converted to 'm'; give scale"),
        ('N', 'N, N m', r"x\.unit: 'N' cannot be converted to 'N, N m'"),
    ],
)
def test_units_that_disagree_are_refused(given: str, wanted: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        factor(given, wanted, 'x')
