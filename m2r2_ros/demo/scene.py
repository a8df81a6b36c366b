# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the demo robot's camera sees: tray, board, objects and the gripper above them."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from m2r2_ros.demo.motion import Motion
from m2r2_ros.demo.script import BOARD, DEPTH, GRASP_Z, OBJECTS, TRAY, Phase, Spot

Image = NDArray[np.uint8]
Pixel = tuple[int, int]
Colour = tuple[int, int, int]

SIZE: Final = 224
#: Colours are BGR, as OpenCV draws them.
_TABLE, _WOOD, _BOARD, _DARK = (188, 200, 206), (96, 140, 176), (120, 104, 84), (52, 46, 40)
_STEEL, _FINGER = (92, 88, 86), (60, 58, 58)
_PAINT: Final[tuple[Colour, ...]] = ((60, 76, 214), (70, 168, 82), (214, 138, 52))
_HEIGHT: Final = 0.06
_HALF: Final = 3  # bits of sub-pixel precision that OpenCV's drawing takes


class Camera:
    """Draws the scene from in front of the table."""

    def __init__(self, motion: Motion) -> None:
        self._motion = motion
        self._rests = _resting_places(motion.phases)
        self._empty = np.full((SIZE, SIZE, 3), _TABLE, np.uint8)
        _slab(self._empty, TRAY, _WOOD)
        _slab(self._empty, BOARD, _BOARD)

    def look(self, time: float, rng: np.random.Generator) -> Image:
        """Return the picture at `time` (seconds), uint8 (224, 224, 3), BGR."""
        state = self._motion.at(np.array([time]))
        k = int(state.phase[0])
        phase, (x, y, z) = self._motion.phases[k], state.position[0].tolist()
        image = self._empty.copy()
        for item, spot in sorted(self._rests[k].items(), key=lambda entry: -entry[1][0].x):
            _block(image, item, spot[0].x, spot[0].y, GRASP_Z - DEPTH * spot[1])
        if phase.held:
            _block(image, phase.item, x, y, z)
        _gripper(image, x, y, z, float(state.width[0]))
        light = np.float32(1.0 + 0.02 * np.sin(0.4 * time))
        grain = 3 * rng.standard_normal((SIZE, SIZE, 1), np.float32)
        lit: Image = np.clip(image * light + grain, 0, 255).astype(np.uint8)
        return lit


def _resting_places(phases: Sequence[Phase]) -> list[dict[int, tuple[Spot, bool]]]:
    """For each phase: the objects that stand somewhere, and whether in the board."""
    start = {item: _first_place(phases, item) for item in range(len(OBJECTS))}
    places, result = dict(start), []
    for phase in phases:
        if phase.held:
            places.pop(phase.item, None)
        elif phase.kind == 'release':
            places[phase.item] = _place(phase.item, phase.origin[1] > 0)
        result.append(dict(places))
    return result


def _first_place(phases: Sequence[Phase], item: int) -> tuple[Spot, bool]:
    """Where an object stands before the robot first touches it."""
    grasps = (phase for phase in phases if phase.kind == 'grasp' and phase.item == item)
    first = next(grasps, None)
    return _place(item, first is not None and first.origin[1] > 0)


def _place(item: int, on_board: bool) -> tuple[Spot, bool]:
    return (BOARD if on_board else TRAY)[item], on_board


def _pixel(x: float, y: float, z: float) -> Pixel:
    """Project a point (m) to fixed-point pixels; the camera looks down at an angle."""
    u, v = 112 + 440 * y, 192 - 420 * z - 330 * (x - 0.38)
    return round(u * 2**_HALF), round(v * 2**_HALF)


def _box(image: Image, low: Pixel, high: Pixel, colour: Colour, edge: Colour = _DARK) -> None:
    cv2.rectangle(image, low, high, colour, cv2.FILLED, cv2.LINE_AA, _HALF)
    cv2.rectangle(image, low, high, edge, 1, cv2.LINE_AA, _HALF)


def _slab(image: Image, spots: Sequence[Spot], colour: Colour) -> None:
    """Draw the tray or the board, with a mark at each spot."""
    y = spots[0].y
    _box(image, _pixel(0.62, y - 0.07, 0), _pixel(0.32, y + 0.07, 0), colour)
    for item, spot in enumerate(spots):
        half = OBJECTS[item].width / 2 + 0.004
        _box(
            image,
            _pixel(spot.x + 0.012, spot.y - half, 0),
            _pixel(spot.x - 0.012, spot.y + half, 0),
            _DARK,
        )


def _block(image: Image, item: int, x: float, y: float, z: float) -> None:
    """Draw an object whose grasp point is at x, y, z; what is below the table is in its hole."""
    half = OBJECTS[item].width / 2
    bottom = max(z - GRASP_Z, 0.0)
    top = z - GRASP_Z + _HEIGHT
    _box(image, _pixel(x, y - half, top), _pixel(x, y + half, bottom), _PAINT[item])


def _gripper(image: Image, x: float, y: float, z: float, width: float) -> None:
    for side in (-1, 1):
        inner = y + side * width / 2
        edges = sorted((inner, inner + side * 0.012))
        _box(image, _pixel(x, edges[0], z + 0.07), _pixel(x, edges[1], z - 0.01), _FINGER)
    _box(image, _pixel(x, y - 0.058, z + 0.11), _pixel(x, y + 0.058, z + 0.068), _STEEL)
    _box(image, _pixel(x, y - 0.028, z + 0.5), _pixel(x, y + 0.028, z + 0.108), _STEEL)
