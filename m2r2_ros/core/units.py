# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Units that sensors give their numbers in (REP 103 asks for SI; not all drivers do)."""

import math
from typing import Final

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.options import shown

#: By unit, what it measures and how many of the SI unit it is.
UNITS: Final[dict[str, tuple[str, float]]] = {
    'm': ('length', 1.0), 'cm': ('length', 1e-2), 'mm': ('length', 1e-3),
    'in': ('length', 0.0254),
    'rad': ('angle', 1.0), 'deg': ('angle', math.pi / 180), 'turn': ('angle', 2 * math.pi),
    'm/s': ('speed', 1.0), 'mm/s': ('speed', 1e-3),
    'rad/s': ('angular speed', 1.0), 'deg/s': ('angular speed', math.pi / 180),
    'm/s^2': ('acceleration', 1.0), 'g': ('acceleration', 9.80665),
    'N': ('force', 1.0), 'mN': ('force', 1e-3), 'kN': ('force', 1e3), 'kgf': ('force', 9.80665),
    'N m': ('torque', 1.0), 'mN m': ('torque', 1e-3),
    'Pa': ('pressure', 1.0), 'kPa': ('pressure', 1e3), 'bar': ('pressure', 1e5),
    'A': ('current', 1.0), 'mA': ('current', 1e-3),
    'V': ('voltage', 1.0), 'mV': ('voltage', 1e-3),
    's': ('time', 1.0), 'ms': ('time', 1e-3),
    '1': ('share', 1.0), '%': ('share', 1e-2),
}  # fmt: skip


def factor(given: str, wanted: str, place: str) -> float:
    """Return by what numbers in one unit are multiplied to be in another.

    Args:
        given: The unit that numbers are in; '' for that which is wanted.
        wanted: The unit that they shall be in.
        place: What they are, for messages.

    Raises:
        ConfigError: The units do not measure the same, or one of them is unknown.
    """
    if given == wanted or not given or not wanted:
        return 1.0
    for unit in (given, wanted):
        if unit not in UNITS:
            msg = (
                f'{place}.unit: {shown(given)} cannot be converted to {shown(wanted)}; give scale '
                f'and offset and the unit {shown(wanted)}'
            )
            raise ConfigError(msg)
    (what, own), (expected, target) = UNITS[given], UNITS[wanted]
    if what != expected:
        msg = f'{place}.unit: {given!r} is a {what}, expected a {expected} in {wanted!r}'
        raise ConfigError(msg)
    return own / target
