# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The colours of labels, which all eyes tell apart, on white and on dark backgrounds."""

from typing import Final, TypeAlias

#: RGB, 0..1.
Colour: TypeAlias = tuple[float, float, float]

#: Of what has no label, and of labels that no set knows.
UNKNOWN_COLOUR: Final[Colour] = (0.75, 0.75, 0.75)

#: Colours of the first labels of a set: each is as far as can be from those before it, for normal
#: and for colour-blind eyes. Computed by tools/palette.py.
PALETTE: Final = (
    '#6d78c7',
    '#a03313',
    '#622680',
    '#a88822',
    '#2f6866',
    '#1bb9fa',
    '#e37891',
    '#f2bb3b',
    '#a0e69e',
    '#aa5898',
    '#3deaf9',
    '#989ac3',
    '#811044',
    '#6a4daf',
    '#707a52',
    '#b6ad69',
    '#36a275',
    '#4f476b',
    '#b25720',
    '#808ef3',
    '#764c41',
    '#dd9f9a',
    '#903d8b',
    '#91c5ea',
    '#21459d',
    '#f09b35',
    '#ca7a64',
    '#9f7eaa',
)
#: How far colours of later rounds are mixed with white or black: between these, 0..1.
_LEAST, _MOST = 0.25, 0.6
_GOLDEN: Final = 0.6180339887


def colour_of(place: int) -> Colour:
    """Return the colour of the label with id `place`, from 0.

    After the last colour of PALETTE come the same ones lighter, then darker, and so on, each round
    to another degree.
    """
    turn, k = divmod(place, len(PALETTE))
    colour = parse_colour(PALETTE[k])
    if not turn:
        return colour
    towards = float(turn % 2)
    share = _LEAST + (_MOST - _LEAST) * ((turn - 1) // 2 * _GOLDEN % 1)
    red, green, blue = (part + share * (towards - part) for part in colour)
    return red, green, blue


def hex_colour(colour: Colour) -> str:
    """Return a colour as #rrggbb."""
    return '#' + ''.join(f'{round(255 * part):02x}' for part in colour)


def text_colour(background: Colour) -> Colour:
    """Return black or white, whichever is easier to read on a colour; its contrast is over 4.5."""
    light = luminance(background)
    white, black = 1.05 / (light + 0.05), (light + 0.05) / 0.05
    return (1.0, 1.0, 1.0) if white > black else (0.0, 0.0, 0.0)


def luminance(colour: Colour) -> float:
    """Return the relative luminance of a colour, 0..1, as WCAG 2 defines it."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def parse_colour(code: str) -> Colour:
    """Return the colour that #rrggbb stands for."""
    red, green, blue = (int(code[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return red, green, blue
