# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from m2r2_ros.core.numbers import LATEST, parse_nanoseconds, parse_number


@pytest.mark.parametrize(
    ('text', 'unit', 'time'),
    [
        ('0', 1, 0),
        (' 1700000000.123456789 ', 10**9, 1_700_000_000_123_456_789),
        ('1.7e9', 10**9, 1_700_000_000 * 10**9),
        ('-1.5', 10, -15),
        ('1e-999999', 1, 0),
        (str(LATEST - 1), 1, LATEST - 1),
    ],
)
def test_times_are_exact(text: str, unit: int, time: int) -> None:
    assert parse_nanoseconds(text, unit) == time


@pytest.mark.parametrize(
    'text',
    ['', 'x', 'nan', 'sNaN', 'inf', '-Infinity', '1_000', '0x10', '\u0661', '\uff11', '1e', '1 2',
     '9' * 41, '\0', '1\0'],
)  # fmt: skip
def test_what_python_alone_takes_for_a_number_is_none(text: str) -> None:
    with pytest.raises(ValueError, match='expected a number'):
        parse_nanoseconds(text, 1)


@pytest.mark.parametrize('text', ['1e400', '1e999999999', '-1e30', str(LATEST), f'{LATEST}.5'])
def test_times_that_no_stamp_holds_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match='before 2038'):
        parse_nanoseconds(text, 1)


def test_numbers_are_finite() -> None:
    assert parse_number(' -1.5e3 ') == -1500
    for text in ('nan', 'inf', '1e400', '1_0', '\u0661', '', 'x'):
        with pytest.raises(ValueError, match='expected a number'):
            parse_number(text)
