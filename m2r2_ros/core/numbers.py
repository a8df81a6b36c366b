# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers as files write them: exact times, and nothing that Python alone takes for a number."""

import math
import re
from decimal import Decimal
from typing import Final

#: Stamps of messages have 31 bits for the seconds since 1970, up to the year 2038.
LATEST: Final = 2**31 * 1_000_000_000
#: Python takes underscores and the digits of every script, too.
_NUMBER: Final = re.compile(r'[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?')
#: Digits of which an exact time is made; a name in a cell by mistake may have any number.
_LONGEST: Final = 40


def parse_nanoseconds(text: str, unit: int) -> int:
    """Return a time in nanoseconds; exact, which a float of seconds since 1970 would not be.

    Args:
        text: A number.
        unit: Nanoseconds in one unit of it.

    Raises:
        ValueError: It is not a number, or beyond what a message's stamp can say.
    """
    text = text.strip()
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        msg = 'expected a number'
        raise ValueError(msg)
    try:
        value = Decimal(text) * unit
    except ArithmeticError:
        value = Decimal(LATEST)
    # Before it becomes a whole number, which 1e999999 would fill the memory with.
    if abs(value) >= LATEST:
        msg = 'expected a time before 2038'
        raise ValueError(msg)
    return int(value.to_integral_value())


def parse_number(text: str) -> float:
    """Return a finite number.

    Raises:
        ValueError: It is not one.
    """
    text = text.strip()
    if not _NUMBER.fullmatch(text) or not math.isfinite(value := float(text)):
        msg = 'expected a finite number'
        raise ValueError(msg)
    return value
