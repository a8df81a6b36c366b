# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A page to name clusters of segments: what each looks like, and a box for its name."""

import base64
import html
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.files import write_text

#: Size of a chart, and of the longer side of an image, pixels.
_WIDE, _HIGH, _SIDE = 180, 64, 112
#: Members of a cluster that are drawn, and listed, at most.
_DRAWN, _LISTED = 24, 12


@dataclass(frozen=True, slots=True)
class Member:
    """A segment of a cluster.

    Attributes:
        recording: Name of its recording.
        start_s: Where it begins, seconds from the first frame of the recording.
        seconds: How long it takes.
        profile: float32 (P, C), its signals over its length.
        images: Some images of it, uint8 (h, w, 3) RGB, evenly spread; empty without a camera.
    """

    recording: str
    start_s: float
    seconds: float
    profile: NDArray[np.float32]
    images: list[NDArray[np.uint8]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A cluster as the page shows it.

    Attributes:
        name: What it is called until a person names it.
        members: Its segments, the most typical first.
        hint: What heuristics make of it, such as 'grasp 80 %'; '' without any.
    """

    name: str
    members: Sequence[Member]
    hint: str = ''


def write_clusters(
    path: Path, clusters: Sequence[ClusterView], signals: Sequence[str], facts: Sequence[str]
) -> None:
    """Write the page: one file that needs no other.

    Args:
        path: File to write; an older one is replaced.
        clusters: In the order in which they are shown.
        signals: What the columns of profiles are, with their units.
        facts: Lines for its head.

    Raises:
        OutputError: It cannot be written.
    """
    ranges = _ranges(clusters, len(signals))
    cards = '\n'.join(_card(c, signals, ranges) for c in clusters)
    head = ''.join(f'<li>{html.escape(line)}</li>' for line in facts)
    names = json.dumps([c.name for c in clusters]).replace('<', '\\u003c')
    page = _PAGE.replace('@HEAD@', head).replace('@NAMES@', names).replace('@CARDS@', cards)
    write_text(path, page)


def _card(cluster: ClusterView, signals: Sequence[str], ranges: NDArray[np.float64]) -> str:
    name = html.escape(cluster.name, quote=True)
    seconds = np.array([m.seconds for m in cluster.members])
    recordings = len({m.recording for m in cluster.members})
    low, middle, high = np.percentile(seconds, (10, 50, 90))
    said = (
        f'{len(seconds)} segments in {recordings} recordings, {middle:.1f} s '
        f'({low:.1f} to {high:.1f})'
    )
    hint = f'<p class="hint">{html.escape(cluster.hint)}</p>' if cluster.hint else ''
    charts = ''.join(
        _chart(label, [m.profile[:, k] for m in cluster.members[:_DRAWN]], *ranges[k])
        for k, label in enumerate(signals)
    )
    strips = ''.join(_strip(m.images) for m in cluster.members if m.images)
    listed = ', '.join(
        f'{html.escape(m.recording)} at {m.start_s:.1f} s' for m in cluster.members[:_LISTED]
    )
    rest = len(cluster.members) - _LISTED
    more = f' and {rest} more' if rest > 0 else ''
    return (
        f'<section id="{name}"><h2>{name}</h2>'
        f'<label>Name <input data-cluster="{name}" autocomplete="off"></label>'
        f'<p>{said}</p>{hint}<div class="charts">{charts}</div>{strips}'
        f'<p class="members">{listed}{more}</p></section>'
    )


def _ranges(clusters: Sequence[ClusterView], count: int) -> NDArray[np.float64]:
    """Return the range of each signal over all clusters, so that charts compare, (C, 2)."""
    every = [m.profile for c in clusters for m in c.members[:_DRAWN]]
    values = np.concatenate(every) if every else np.zeros((1, count))
    found = np.zeros((count, 2))
    for k in range(count):
        known = values[np.isfinite(values[:, k]), k]
        if len(known):
            found[k] = np.percentile(known, (0.5, 99.5))
    return found


def _chart(label: str, courses: Sequence[NDArray[np.float32]], low: float, high: float) -> str:
    """Draw the courses of a signal, and their median."""
    lines = ''.join(_line(course, low, high, 'one') for course in courses)
    stack = np.stack(courses)
    if np.isfinite(stack).any():
        median = np.nanmedian(np.where(np.isfinite(stack).any(axis=0), stack, 0), axis=0)
        lines += _line(median, low, high, 'all')
    text = html.escape(label)
    return (
        f'<figure><svg viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="{text}">{lines}</svg>'
        f'<figcaption>{text}<span>{low:.3g} to {high:.3g}</span></figcaption></figure>'
    )


def _line(course: NDArray[np.floating], low: float, high: float, kind: str) -> str:
    known = np.isfinite(course)
    if not known.any():
        return ''
    span = high - low if high > low else 1.0
    x = np.linspace(0, _WIDE, len(course))[known]
    y = _HIGH * (1 - np.clip((course[known] - low) / span, 0, 1))
    points = ' '.join(f'{a:.0f},{b:.1f}' for a, b in zip(x, y, strict=True))
    return f'<polyline class="{kind}" points="{points}"/>'


def _strip(images: Sequence[NDArray[np.uint8]]) -> str:
    return '<div class="strip">' + ''.join(_image(image) for image in images) + '</div>'


def _image(image: NDArray[np.uint8]) -> str:
    scale = _SIDE / max(image.shape[:2])
    size = tuple(max(1, round(side * scale)) for side in image.shape[1::-1])
    small = cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode('.jpg', small, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(jpeg.tobytes()).decode()}">'


_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Clusters of segments</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 0 auto; max-width: 1200px; padding: 0 16px;
  color: #222; background: #fafafa }
header { position: sticky; top: 0; background: #fafafa; padding: 8px 0; z-index: 1;
  border-bottom: 1px solid #ddd }
h1 { font-size: 20px; margin: 4px 0 } h2 { font-size: 16px; margin: 0 }
ul { margin: 4px 0; padding-left: 18px; color: #555 }
section { background: #fff; border: 1px solid #ddd; border-radius: 8px; margin: 12px 0;
  padding: 12px }
section p { margin: 4px 0 } .hint { color: #1f5a8a } .members { color: #777; font-size: 13px }
input { font: inherit; padding: 3px 6px; width: 22em }
button { font: inherit; padding: 4px 12px }
.charts { display: flex; flex-wrap: wrap; gap: 12px }
figure { margin: 4px 0; width: 180px } svg { background: #f4f4f4; width: 180px; height: 64px }
polyline { fill: none } .one { stroke: #8ab; stroke-width: .7 }
.all { stroke: #123; stroke-width: 2 }
figcaption { font-size: 12px; color: #555; display: flex; justify-content: space-between }
.strip { display: flex; gap: 2px; margin: 2px 0 } .strip img { display: block }
</style></head><body>
<header><h1>Name the clusters</h1><ul>@HEAD@</ul>
<button id="save">Save names.yaml</button> <span id="count"></span></header>
<p>Each chart shows a signal from the beginning to the end of a segment, one line a segment, the
median bold. Clusters may share a name; one without a name stays unlabelled.</p>
@CARDS@
<script>
const names = @NAMES@;
const boxes = [...document.querySelectorAll('input[data-cluster]')];
const key = 'names of ' + location.pathname;
let kept = {};
try { kept = JSON.parse(localStorage.getItem(key) || '{}'); } catch (error) { kept = {}; }
function named() { return boxes.filter(box => box.value.trim()).length; }
function show() {
  document.getElementById('count').textContent = named() + ' of ' + names.length + ' have a name';
}
for (const box of boxes) {
  box.value = kept[box.dataset.cluster] || '';
  box.addEventListener('input', () => {
    kept[box.dataset.cluster] = box.value.trim();
    try { localStorage.setItem(key, JSON.stringify(kept)); } catch (error) { /* a private tab */ }
    show();
  });
}
document.getElementById('save').addEventListener('click', () => {
  const lines = boxes.map(box => box.dataset.cluster + ': ' + JSON.stringify(box.value.trim()));
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([lines.join('\\n') + '\\n'], {type: 'text/yaml'}));
  link.download = 'names.yaml';
  link.click();
});
show();
</script></body></html>
"""
