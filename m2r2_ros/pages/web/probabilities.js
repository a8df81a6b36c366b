// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { make } from 'm2r2/dom.js';
import { paintOf, Raster } from 'm2r2/raster.js';

const HEIGHT = 46;
const MOST_SAMPLES = 8;

/** The probabilities of a lane's labels as a stacked area, below the lane; can be closed. */
export class ProbabilityChart {
  open = true;

  constructor(row) {
    this.row = row;
    this.canvas = make('canvas', {
      class: 'rv-canvas',
      role: 'img',
      'aria-label': 'probabilities of the labels',
    });
    this.box = make('div', { class: 'rv-probabilities' }, this.canvas);
    this.box.style.height = `${HEIGHT}px`;
    this.button = make(
      'button',
      {
        class: 'rv-small',
        type: 'button',
        'aria-expanded': 'true',
        title: 'Show or hide the probabilities',
      },
      'probabilities',
    );
    this.button.addEventListener('click', () => this.toggle());
    row.gutter.append(this.button);
    row.track.append(this.box);
    this.context = this.canvas.getContext('2d');
    this.raster = new Raster();
  }

  set(probabilities, page) {
    this.stamps = page.array(probabilities.stamps);
    this.values = page.array(probabilities.values);
    this.labels = probabilities.labels;
    this.longest = longestStep(this.stamps);
  }

  toggle() {
    this.open = !this.open;
    this.box.hidden = !this.open;
    this.button.setAttribute('aria-expanded', String(this.open));
    this.row.view.redraw();
  }

  remove() {
    this.box.remove();
    this.button.remove();
  }

  /** Draw one column of stacked probabilities for each pixel. */
  paint(view) {
    if (!this.open) return;
    const { time, ratio } = view;
    const wide = Math.max(1, Math.round(time.width * ratio));
    const high = Math.round(HEIGHT * ratio);
    if (this.canvas.width !== wide || this.canvas.height !== high) {
      this.canvas.width = wide;
      this.canvas.height = high;
    }
    const { raster, stamps, values } = this;
    raster.begin(wide, high);
    const paints = this.labels.map((index) => paintOf(view.labels[index]?.colour));
    const count = this.labels.length;
    const sums = new Float64Array(count);
    const column = time.span / wide;
    let k = lowerBound(stamps, time.start - this.longest);
    for (let x = 0; x < wide; x += 1) {
      const from = time.start + x * column;
      while (k < stamps.length && stamps[k] < from) k += 1;
      let first = k;
      let last = lowerBound(stamps, from + column, k);
      if (last === first) {
        const near = nearer(stamps, k, from);
        if (near < 0 || Math.abs(stamps[near] - from) > this.longest) continue;
        first = near;
        last = near + 1;
      }
      const stride = Math.max(1, Math.floor((last - first) / MOST_SAMPLES));
      let total = 0;
      sums.fill(0);
      for (let m = first; m < last; m += stride) {
        for (let c = 0; c < count; c += 1) {
          const value = values[m * count + c];
          sums[c] += value;
          total += value;
        }
      }
      if (!(total > 0)) continue;
      let below = high;
      for (let c = 0; c < count; c += 1) {
        const above = below - (sums[c] / total) * high;
        raster.fill(x, Math.round(above), Math.round(below), paints[c]);
        below = above;
      }
    }
    raster.put(this.context);
  }
}

function nearer(stamps, k, t) {
  if (k >= stamps.length) return stamps.length - 1;
  if (k === 0) return 0;
  return t - stamps[k - 1] <= stamps[k] - t ? k - 1 : k;
}

/** Longest time that a sample stands for: a few usual steps, in seconds. */
function longestStep(stamps) {
  if (stamps.length < 2) return 0.5;
  const mean = (stamps.at(-1) - stamps[0]) / (stamps.length - 1);
  return Math.max(mean * 3, 1e-3);
}

function lowerBound(values, target, from = 0) {
  let low = from;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < target) low = middle + 1;
    else high = middle;
  }
  return low;
}
