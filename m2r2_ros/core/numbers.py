# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers as files write them: exact times, and nothing that Python alone takes for a number."""

import math
from decimal import Decimal, InvalidOperation, Overflow
from typing import Final

#: Stamps of messages have 31 bits for the seconds since 1970, up to the year 2038.
LATEST: Final = 2**31 * 1_000_000_000
#: Digits of which an exact time is made; a name in a cell by mistake may have any number.
_LONGEST: Final = 40
_NO_NUMBER: Final = 'expected a number'
_TOO_LATE: Final = 'expected a time before 2038'


def parse_nanoseconds(text: str, unit: int) -> int:
    """Return a time in nanoseconds; exact, which a float of seconds since 1970 would not be.

    Args:
        text: A number.
        unit: Nanoseconds in one unit of it.

    Raises:
        ValueError: It is not a number, or beyond what a message's stamp can say.
    """
    text = text.strip()
    if len(text) > _LONGEST or not text.isascii() or '_' in text:
        raise ValueError(_NO_NUMBER)
    if text.isdigit():
        whole = int(text) * unit
        if whole >= LATEST:
            raise ValueError(_TOO_LATE)
        return whole
    try:
        value = Decimal(text) * unit
    except Overflow as error:
        raise ValueError(_TOO_LATE) from error
    except InvalidOperation as error:
        raise ValueError(_NO_NUMBER) from error
    if not value.is_finite():
        raise ValueError(_NO_NUMBER)
    # Before it becomes a whole number, which 1e999999 would fill the memory with.
    if abs(value) >= LATEST:
        raise ValueError(_TOO_LATE)
    return int(value.to_integral_value())


def parse_number(text: str) -> float:
    """Return a finite number.

    Raises:
        ValueError: It is not one.
    """
    text = text.strip()
    try:
        value = float(text) if text.isascii() and '_' not in text else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(_NO_NUMBER)
    return value
