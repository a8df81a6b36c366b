# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An image of a recording: its labels above the signals that they were made from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from textwrap import wrap
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from m2r2_ros.bags.labels.reader import LabelTrack
from m2r2_ros.core.files import atomic_write
from m2r2_ros.core.labels import LabelSet, Segment, colours_of, label_at
from m2r2_ros.core.palette import UNKNOWN_COLOUR, text_colour
from m2r2_ros.core.text import excerpt, printable
from m2r2_ros.evaluation.sequence import segments_of
from m2r2_ros.views.rows import Labels, first_label_set, segments_in
from m2r2_ros.views.signals import Signals, TimeSeries

#: Figure width and the widths of its margins, inches.
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 15.0, 1.25, 0.2, 0.45, 0.95
_GAP: Final = 0.1
_PLOT: Final = _WIDTH - _LEFT - _RIGHT
_DPI: Final = 110
#: Width of a letter of a segment's name, inches.
_LETTER: Final = 0.062
#: What a row is called: letters of a line, and lines.
_NAME: Final = 11, 4
_INK, _WRONG = '#333333', '#d62728'

#: A row: its height in inches and what draws it.
_Row = tuple[float, Callable[[Axes], None]]


def draw_timeline(
    out_png: Path,
    *,
    truth: Sequence[Segment],
    tracks: Mapping[str, Labels],
    signals: Signals | None = None,
    label_set: LabelSet | None = None,
    title: str = '',
) -> None:
    """Draw a recording's truth, labels, probabilities and signals below each other.

    Args:
        out_png: File to write; an older one is replaced.
        truth: True segments in order of start; without any, that row is left out.
        tracks: Labels of the recording, by what their row is called: of its frames, or segments in
            order of start.
        signals: Signals to show, each in a row of its own where there is one.
        label_set: Labels that have their colours in any case; by default those of the tracks.
        title: Above the image.
    """
    signals = signals or Signals()
    label_set = label_set or first_label_set(tracks.values())
    painter = _Painter(truth, tracks, signals, label_set)
    rows = [*painter.label_rows(), *painter.signal_rows(signals)]
    height = _TOP + _BOTTOM + sum(h for h, _ in rows) + _GAP * (len(rows) - 1)
    figure = Figure(figsize=(_WIDTH, height), dpi=_DPI, facecolor='white')
    FigureCanvasAgg(figure)
    top = height - _TOP
    for k, (row_height, draw) in enumerate(rows):
        top -= row_height
        box = (_LEFT / _WIDTH, top / height, _PLOT / _WIDTH, row_height / height)
        axes = figure.add_axes(box)
        painter.prepare(axes, last=k == len(rows) - 1)
        draw(axes)
        top -= _GAP
    figure.text(
        _LEFT / _WIDTH, 1 - 0.28 / height, excerpt(title), size=12, weight='bold',
        parse_math=False,
    )  # fmt: skip
    legend = figure.legend(
        handles=painter.legend(), loc='lower center', ncols=7, fontsize=8, frameon=False,
        borderaxespad=0.3, columnspacing=1.4, handlelength=1.2,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)  # a label may hold dollar signs
    with atomic_write(out_png) as draft:
        figure.savefig(draft, format='png')


class _Painter:
    """Draws rows on one clock, seconds from the first frame."""

    def __init__(
        self,
        truth: Sequence[Segment],
        tracks: Mapping[str, Labels],
        signals: Signals,
        label_set: LabelSet | None,
    ) -> None:
        self.truth = list(truth)
        self.tracks = tracks
        self.found = {name: segments_in(track) for name, track in tracks.items()}
        every = [*self.truth, *(s for found in self.found.values() for s in found)]
        spans = [(s.start, s.end) for s in every] or list(_spans(signals))
        self.origin = min((start for start, _ in spans), default=0)
        self.end = max((end for _, end in spans), default=0)
        # Names of short segments are written vertically.
        longest = max((len(s.label) for s in every), default=0)
        self.tall = min(max(_LETTER * longest + 0.1, 0.74), 1.6)
        self.shown = {s.label for s in every}
        self.colours = colours_of(label_set, self.shown)

    def prepare(self, axes: Axes, *, last: bool) -> None:
        axes.set_xlim(0, self.length)
        axes.tick_params(labelsize=8, colors=_INK, length=2, labelbottom=last)
        for name, spine in axes.spines.items():
            spine.set_visible(name in {'left', 'bottom'})
            spine.set_color('#bbbbbb')
        if last:
            axes.set_xlabel('seconds', fontsize=9, color=_INK)

    def label_rows(self) -> list[_Row]:
        rows: list[_Row] = []
        if self.truth:
            rows.append((self.tall, partial(self.bars, segments=self.truth, name='ground\ntruth')))
        for name, track in self.tracks.items():
            found = self.found[name]
            rows.append((self.tall, partial(self.bars, segments=found, name=name)))
            if not isinstance(track, LabelTrack):
                continue
            if self.truth:
                rows.append((0.12, partial(self.mistakes, track=track)))
            if track.probabilities.shape[1]:
                rows.append((1.0, partial(self.probabilities, track=track)))
        return rows

    def signal_rows(self, signals: Signals) -> list[_Row]:
        lines = (
            (signals.force, 'force\n(N)', 1.0, '#1f5a8a'),
            (signals.width, 'gripper\n(mm)', 1000.0, '#2f7d4f'),
            (signals.loudness, 'sound\n(dBFS)', 1.0, '#8a4f9e'),
        )
        rows: list[_Row] = [
            (0.85, partial(self.line, trace=trace, name=name, factor=factor, colour=colour))
            for trace, name, factor, colour in lines
            if trace is not None
        ]
        if signals.frames:
            tall, wide = signals.frames[0][1].shape[:2]
            height = _PLOT / len(signals.frames) * tall / wide
            rows.insert(0, (height, lambda axes: self.strip(axes, signals)))
        return rows

    def bars(self, axes: Axes, segments: Sequence[Segment], name: str) -> None:
        """Draw segments as bars, with their names where there is room."""
        inches = _PLOT / self.length
        for s in segments:
            start, width = self.seconds(s.start), (s.end - s.start) / 1e9
            colour = self.colours.get(s.label, UNKNOWN_COLOUR)
            axes.barh(0, width, left=start, height=1, color=colour, edgecolor='white', lw=0.6)
            room = width * inches
            if room < 0.12:
                continue
            axes.text(
                start + width / 2, 0, excerpt(s.label.replace('_', ' ')), size=7,
                color=text_colour(colour), ha='center', va='center', clip_on=True, parse_math=False,
                rotation=0 if room > _LETTER * len(s.label) else 90,
            )  # fmt: skip
        axes.set_ylim(-0.5, 0.5)
        _plain(axes, name)

    def mistakes(self, axes: Axes, track: LabelTrack) -> None:
        """Mark the frames whose label is not the true one."""
        truth = label_at(self.truth, track.stamps)
        wrong = ['x' if t and t != p else '' for t, p in zip(truth, track.labels, strict=True)]
        for s in segments_of(track.stamps, wrong):
            span = (s.end - s.start) / 1e9
            axes.barh(0, span, left=self.seconds(s.start), height=1, color=_WRONG)
        axes.set_ylim(-0.5, 0.5)
        axes.set_facecolor('#eeeeee')
        _plain(axes, 'mistakes')

    def probabilities(self, axes: Axes, track: LabelTrack) -> None:
        names = track.label_set.names if track.label_set else ()
        colours = [self.colours.get(name, UNKNOWN_COLOUR) for name in names] or None
        axes.stackplot(self.clock(track.stamps), track.probabilities.T, colors=colours, lw=0)
        axes.set_ylim(0, 1)
        axes.set_yticks([0, 0.5, 1])
        _name(axes, 'probability')

    def line(self, axes: Axes, trace: TimeSeries, name: str, factor: float, colour: str) -> None:
        axes.plot(self.clock(trace.stamps), trace.values * factor, color=colour, lw=0.7)
        for s in self.truth[1:]:
            axes.axvline(self.seconds(s.start), color='#cccccc', lw=0.6, zorder=0)
        _name(axes, name)

    def strip(self, axes: Axes, signals: Signals) -> None:
        """Draw the camera images side by side, each about when it was taken."""
        wide = self.length / len(signals.frames)
        for k, (_, image) in enumerate(signals.frames):
            extent = ((k + 0.01) * wide, (k + 0.99) * wide, 0, 1)
            axes.imshow(image, extent=extent, aspect='auto', interpolation='antialiased')
        axes.set_xlim(0, self.length)
        axes.set_ylim(0, 1)
        _plain(axes, 'camera')

    def legend(self) -> list[Patch]:
        return [
            # A legend leaves out what begins with an underscore.
            Patch(color=colour, label=excerpt(name.lstrip('_') or name))
            for name, colour in self.colours.items()
            if name in self.shown
        ]

    @property
    def length(self) -> float:
        """Seconds of the picture."""
        return max(self.seconds(self.end), 1e-3)

    def seconds(self, stamp: int) -> float:
        return (stamp - self.origin) / 1e9

    def clock(self, stamps: NDArray[np.int64]) -> NDArray[np.float64]:
        elapsed: NDArray[np.float64] = (stamps - self.origin) / 1e9
        return elapsed


def _spans(signals: Signals) -> Iterator[tuple[int, int]]:
    """Yield from when to when each signal was recorded, nanoseconds."""
    for trace in (signals.force, signals.width, signals.loudness):
        if trace is not None:
            yield int(trace.stamps.min()), int(trace.stamps.max())
    if signals.frames:
        yield signals.frames[0][0], signals.frames[-1][0]


def _plain(axes: Axes, name: str) -> None:
    """Remove scale and frame of a row."""
    axes.set_yticks([])
    axes.tick_params(bottom=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    _name(axes, name)


def _name(axes: Axes, name: str) -> None:
    letters, most = _NAME
    text = name.replace('_', ' ')
    lines = [part for line in text.split('\n') for part in wrap(printable(line), letters)]
    axes.text(
        -0.035, 0.5, '\n'.join(lines[:most]), transform=axes.transAxes, ha='right', va='center',
        size=9, color=_INK, parse_math=False,
    )  # fmt: skip
