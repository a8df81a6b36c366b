# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a training went, as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from m2r2_ros.core.files import disk_errors
from m2r2_ros.core.text import excerpt
from m2r2_ros.training.stages import Curve

_WIDTH, _HEIGHT, _DPI = 9.0, 2.4, 100
#: Stages that are drawn; a search of many would make a picture that nobody looks at.
_MOST: Final = 24


def draw_curves(curves: Sequence[Curve], path: Path) -> None:
    """Draw losses, and scores of held-out recordings where there are some, a row for each stage.

    Args:
        curves: Of the stages; the last ones where there are many.
        path: PNG to write.

    Raises:
        OutputError: It cannot be written.
    """
    shown = curves[-_MOST:]
    height = _HEIGHT * max(len(shown), 1)
    figure = Figure(figsize=(_WIDTH, height), dpi=_DPI, facecolor='white', layout='constrained')
    FigureCanvasAgg(figure)
    rows = figure.subplots(max(len(shown), 1), 1, squeeze=False)[:, 0]
    for axes, curve in zip(rows, shown, strict=False):
        _draw(axes, curve)
    with disk_errors(path):
        figure.savefig(path)


def _draw(axes: Axes, curve: Curve) -> None:
    """Draw one stage."""
    axes.set_title(excerpt(curve.stage), loc='left', fontsize=8)
    axes.plot(range(1, len(curve.losses) + 1), curve.losses, color='#333333', linewidth=1)
    axes.set_ylabel('loss', fontsize=8)
    axes.set_xlabel('epoch', fontsize=8)
    axes.tick_params(labelsize=7)
    if not curve.looks:
        return
    epochs, accuracies, f1s = zip(*curve.looks, strict=True)
    scores = axes.twinx()
    scores.plot(epochs, [100 * a for a in accuracies], 'o-', ms=3, label='accuracy, %')
    scores.plot(epochs, f1s, 's-', ms=3, label='F1@50')
    scores.set_ylim(0, 102)
    scores.tick_params(labelsize=7)
    scores.legend(loc='lower right', fontsize=7)
