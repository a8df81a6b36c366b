# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A camera image with its label, confidence and timeline below."""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.palette import Colour
from m2r2_ros.nodes.visualizer.history import View

#: Below this many pixels of width, images are enlarged: names would not fit.
MIN_WIDTH: Final = 480
#: Heights below the image, pixels: label and confidence, then the timeline.
TEXT_BAND: Final = 34
TIMELINE_BAND: Final = 22
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_DARK: Final = (32, 32, 32)
_TRACK: Final = (70, 70, 70)
_WHITE: Final = (255, 255, 255)
_MARGIN: Final = 8
_QUALITY: Final = 85

Pixels = NDArray[np.uint8]


def draw_overlay(pixels: Pixels, view: View) -> Pixels:
    """Draw a view below an image.

    Args:
        pixels: uint8 (height, width, 3), RGB; is not changed.
        view: What is shown.

    Returns:
        uint8 (height', width', 3), RGB: the image, enlarged by a whole factor where it is narrow,
        on top of TEXT_BAND + TIMELINE_BAND rows.
    """
    factor = -(-MIN_WIDTH // pixels.shape[1])
    image = pixels.repeat(factor, axis=0).repeat(factor, axis=1)
    height, width = image.shape[:2]
    canvas = np.full((height + TEXT_BAND + TIMELINE_BAND, width, 3), _DARK, np.uint8)
    canvas[:height] = image
    _draw_label(canvas[height : height + TEXT_BAND], view)
    _draw_timeline(canvas[height + TEXT_BAND :], view)
    return canvas


def encode_jpeg(pixels: Pixels) -> bytes:
    """Return uint8 (height, width, 3), RGB, as a JPEG."""
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return bytes(data)


def _draw_label(band: Any, view: View) -> None:  # noqa: ANN401 - cv2 writes into a view of pixels
    height, width = band.shape[:2]
    colour = _bytes(view.colour)
    _box(band, 0, 0, 6, height, colour)
    text = view.label.replace('_', ' ') or 'no label'
    # The font has no letters but those of ASCII.
    text = text.encode('ascii', errors='replace').decode()
    bar = width // 4
    room = width - bar - 80 - 4 * _MARGIN
    (wide, _), _ = cv2.getTextSize(text, _FONT, 0.7, 2)
    scale = 0.7 * min(1.0, room / max(wide, 1))
    _text(band, text, 6 + _MARGIN, scale, 2)
    left = width - bar - 80
    _box(band, left, 10, left + bar, height - 10, _TRACK)
    _box(band, left, 10, left + round(bar * view.confidence), height - 10, colour)
    _text(band, f'{view.confidence:.0%}', left + bar + _MARGIN, 0.6, 1)


def _draw_timeline(band: Any, view: View) -> None:  # noqa: ANN401 - as above
    height, width = band.shape[:2]
    for bar in view.bars:
        left, right = round(bar.start * width), round(bar.end * width)
        _box(band, left, 2, right, height - 2, _bytes(bar.colour))
        # Neighbours may be of like colours.
        _box(band, left, 2, left + 1, height - 2, _DARK)


def _box(band: Any, left: int, top: int, right: int, bottom: int, colour: Any) -> None:  # noqa: ANN401
    band[top:bottom, left:right] = colour


def _text(band: Any, text: str, left: int, scale: float, thickness: int) -> None:  # noqa: ANN401
    baseline = (band.shape[0] + round(22 * scale)) // 2
    cv2.putText(band, text, (left, baseline), _FONT, scale, _WHITE, thickness, cv2.LINE_AA)


def _bytes(colour: Colour) -> tuple[int, int, int]:
    r, g, b = (round(255 * part) for part in colour)
    return r, g, b
