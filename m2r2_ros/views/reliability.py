# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An image of what confidence is worth: how often it is right, and what keeping the sure gains."""

from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from m2r2_ros.core.files import atomic_write
from m2r2_ros.evaluation.calibration import EDGES
from m2r2_ros.evaluation.evaluate import SHARES, Evaluation

_INK, _BAR, _GAP, _LINE = '#333333', '#4c8cb5', '#d62728', '#999999'
_DPI: Final = 110


def draw_reliability(out_png: Path, evaluation: Evaluation) -> None:
    """Draw accuracy by confidence, frames by confidence, and accuracy by the share kept.

    Args:
        out_png: File to write; an older one is replaced.
        evaluation: What to draw.
    """
    figure = Figure(figsize=(11, 5), dpi=_DPI, facecolor='white', layout='constrained')
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 2, height_ratios=(3, 1))
    calibration = figure.add_subplot(grid[0, 0])
    _draw_calibration(calibration, evaluation)
    _draw_frames(figure.add_subplot(grid[1, 0], sharex=calibration), evaluation)
    _draw_kept(figure.add_subplot(grid[:, 1]), evaluation)
    with atomic_write(out_png) as draft:
        figure.savefig(draft, format='png')


def _draw_calibration(axes: Axes, evaluation: Evaluation) -> None:
    """Draw a bar for each bin, and how far its mean confidence is from it."""
    bins = evaluation.reliability
    full = np.flatnonzero(bins.frames)
    accuracy = bins.right[full] / bins.frames[full]
    confidence = bins.confidence[full] / bins.frames[full]
    axes.bar(EDGES[full], accuracy, np.diff(EDGES)[full], align='edge', color=_BAR, ec='white')
    axes.plot((0, 1), (0, 1), color=_LINE, lw=1, ls='--', label='calibrated')
    axes.vlines(confidence, accuracy, confidence, color=_GAP, lw=1.5)
    axes.plot(confidence, confidence, '.', color=_GAP, label='mean confidence of the bin')
    ece = evaluation.scores.ece
    title = 'no confidences' if ece is None else f'expected calibration error {ece:.3f}'
    axes.set_title(title, fontsize=10, color=_INK)
    axes.set_ylabel('accuracy', fontsize=9)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.legend(loc='upper left', fontsize=8, frameon=False)
    _plain(axes)


def _draw_frames(axes: Axes, evaluation: Evaluation) -> None:
    frames = evaluation.reliability.frames
    axes.bar(EDGES[:-1], frames, np.diff(EDGES), align='edge', color=_LINE, ec='white')
    axes.set_xlabel('confidence', fontsize=9)
    axes.set_ylabel('frames', fontsize=9)
    _plain(axes)


def _draw_kept(axes: Axes, evaluation: Evaluation) -> None:
    axes.plot(100 * SHARES, evaluation.accuracy_kept, color=_BAR, lw=2)
    coverage, auroc = evaluation.scores.coverage, evaluation.scores.confidence_auroc
    if coverage is not None and coverage < 1:
        axes.axvline(100 * coverage, color=_GAP, lw=2, label='frames with a label')
        axes.legend(loc='lower left', fontsize=8, frameon=False)
    told = '' if auroc is None else f', AUROC of right against wrong {auroc:.3f}'
    axes.set_title(f'the most confident frames{told}', fontsize=10, color=_INK)
    axes.set_xlabel('frames kept, %', fontsize=9)
    axes.set_ylabel('accuracy', fontsize=9)
    axes.set_xlim(0, 100)
    _plain(axes)


def _plain(axes: Axes) -> None:
    axes.tick_params(labelsize=8, colors=_INK, length=2)
    for name, spine in axes.spines.items():
        spine.set_visible(name in {'left', 'bottom'})
        spine.set_color('#bbbbbb')
