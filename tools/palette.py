# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compute the colours of labels: each as far as can be from all before it, for every eye.

Prints the table of m2r2_ros/core/palette.py in less than a minute. Distances are in OKLab, times
100, under normal vision and under full protanopia, deuteranopia and tritanopia.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

COUNT: Final = 28
#: Colours to choose from: lightness 0..1 and chroma, moderate enough for names and any background.
LIGHTNESS: Final = np.arange(0.40, 0.861, 0.02)
CHROMA: Final = np.arange(0.06, 0.151, 0.015)
HUES: Final = np.radians(np.arange(0, 360, 6))
#: Most people see normally: there, distances are to be this much greater.
NORMAL: Final = 1.5
#: What labels must differ from too: the grey of unknown ones, white and dark pages.
AVOIDED: Final = np.array([[0.75] * 3, [1.0] * 3, [0.12] * 3])
#: How many colours the first one is chosen for.
SIZES: Final = (8, 12, 16)

#: What each eye makes of linear RGB: Machado, Oliveira and Fernandes 2009, severity 1.0.
EYES: Final = {
    'normal': np.eye(3),
    'protanopia': np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    'deuteranopia': np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    'tritanopia': np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
#: OKLab, as Ottosson 2020 defines it: linear RGB to cones, their cube roots to lightness, a, b.
_CONES: Final = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_OKLAB: Final = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(rgb: Array) -> Array:
    """Return linear RGB of sRGB, both 0..1 (..., 3)."""
    curved: Array = ((rgb + 0.055) / 1.055) ** 2.4
    return np.where(rgb <= 0.04045, rgb / 12.92, curved)


def seen(rgb: Array, eye: str) -> Array:
    """Return OKLab, times 100, of sRGB 0..1 (..., 3) as an eye of EYES sees it."""
    light = np.clip(linear(rgb) @ EYES[eye].T, 0, 1)
    oklab: Array = 100 * np.cbrt(light @ _CONES.T) @ _OKLAB.T
    return oklab


def least_distance(rgb: Array, eye: str) -> float:
    """Return the distance of the two closest of n colours (n, 3)."""
    lab = seen(rgb, eye)
    distances = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    return float(distances[np.triu_indices(len(rgb), 1)].min())


def candidates() -> Array:
    """Return the colours to choose from, sRGB (n, 3) in 255ths."""
    grid = [(k, c * np.cos(h), c * np.sin(h)) for k in LIGHTNESS for c in CHROMA for h in HUES]
    light = (np.array(grid) @ np.linalg.inv(_OKLAB).T) ** 3 @ np.linalg.inv(_CONES).T
    light = light[((light >= 0) & (light <= 1)).all(axis=1)]
    rgb: Array = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(255 * rgb) / 255


class Search:
    """The colours to choose from, and how far they are from each other."""

    def __init__(self) -> None:
        """Look at all of them with every eye."""
        self.every = candidates()
        self._weights = {eye: 1 / NORMAL if eye == 'normal' else 1.0 for eye in EYES}
        self._views = np.stack([w * seen(self.every, eye) for eye, w in self._weights.items()])
        kept = np.stack([w * seen(AVOIDED, eye) for eye, w in self._weights.items()])
        distances = np.linalg.norm(self._views[:, :, None] - kept[:, None], axis=-1)
        self._room = distances.min(axis=(0, 2))

    def farthest(self, first: int, count: int) -> Array:
        """Return `count` colours (count, 3): number `first`, then each the farthest from before."""
        room = self._room
        chosen = [first]
        for _ in range(count - 1):
            distances = np.linalg.norm(self._views - self._views[:, chosen[-1:]], axis=-1)
            room = np.minimum(room, distances.min(axis=0))
            chosen.append(int(room.argmax()))
        return self.every[chosen]

    def best_first(self) -> int:
        """Return the number of the first colour after which those of SIZES are farthest apart."""
        return max(range(0, len(self.every), 6), key=self._quality)

    def _quality(self, first: int) -> float:
        rgb = self.farthest(first, max(SIZES))
        return sum(
            min(w * least_distance(rgb[:size], eye) for eye, w in self._weights.items())
            for size in SIZES
        )


if __name__ == '__main__':
    search = Search()
    table = search.farthest(search.best_first(), COUNT)
    for rgb in table:
        print("    '#" + ''.join(f'{round(255 * part):02x}' for part in rgb) + "',")
    for size in (*SIZES, COUNT):
        least = ', '.join(f'{eye} {least_distance(table[:size], eye):.1f}' for eye in EYES)
        print(f'# closest of the first {size}: {least}')
