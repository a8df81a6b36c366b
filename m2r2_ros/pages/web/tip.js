// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { make, named } from 'm2r2/dom.js';
import { SECOND } from 'm2r2/segments.js';
import { formatTime } from 'm2r2/time.js';

/** A small box by the pointer that tells about the segment under it. */
export class SegmentTip {
  #shown = '';

  constructor(view, parent) {
    this.view = view;
    this.element = make('div', { class: 'rv-tip', role: 'tooltip', hidden: true });
    parent.append(this.element);
  }

  hide() {
    this.element.hidden = true;
  }

  /** Show segment `index` of a lane row at a position of the window. */
  show(row, index, x, y) {
    const segment = row.lane.segments[index];
    const key = `${row.id} ${index} ${segment}`;
    if (key !== this.#shown) {
      this.#shown = key;
      this.element.replaceChildren(...describe(segment, this.view.labels));
    }
    this.element.hidden = false;
    const { offsetWidth, offsetHeight } = this.element;
    const left = Math.min(x + 14, window.innerWidth - offsetWidth - 8);
    const below = y + 20;
    const top = below + offsetHeight > window.innerHeight ? y - offsetHeight - 12 : below;
    this.element.style.transform = `translate(${Math.max(left, 4)}px, ${Math.max(top, 4)}px)`;
  }
}

function describe([start, end, index, confidence, margin, reason], labels) {
  const label = labels[index];
  const lines = [make('strong', {}, named(short(label?.name ?? 'unknown')))];
  if (label?.parent) lines.push(make('div', {}, 'in ', named(short(label.parent))));
  const from = formatTime(start / SECOND, 3);
  const to = formatTime(end / SECOND, 3);
  lines.push(make('div', {}, `${from} – ${to} (${((end - start) / SECOND).toFixed(3)} s)`));
  const numbers = [];
  if (Number.isFinite(confidence)) numbers.push(`confidence ${confidence.toFixed(3)}`);
  if (Number.isFinite(margin)) numbers.push(`margin ${margin.toFixed(3)}`);
  if (numbers.length > 0) lines.push(make('div', {}, numbers.join(', ')));
  if (reason) lines.push(make('div', {}, named(short(reason))));
  return lines;
}

function short(text) {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
