// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { MISSING, TOP } from 'm2r2/pyramid.js';

const THICK = 0.5;
const DOT = 2.2;

/**
 * Draw a channel's overview into a raster, one run from least to greatest for each column.
 *
 * @param {Raster} raster
 * @param {Channel} channel
 * @param {object} map {start, span: visible seconds; bucket, origin: of the signal; low, high:
 *   of the axis; ratio: device pixels per CSS pixel; from, to: columns to draw}
 * @param {object} paint of paintOf
 */
export function drawColumns(raster, channel, map, paint) {
  const { pyramid } = channel;
  const { height, width } = raster;
  const perColumn = map.span / width / map.bucket;
  const level = pyramid.level(perColumn);
  const { lows, highs, size } = level;
  const scale = (height - 1) / (map.high - map.low);
  const top = (map.high - channel.low) * scale;
  const step = ((channel.high - channel.low) / TOP) * scale;
  const first = (map.start - map.origin) / map.bucket / size;
  const each = perColumn / size;
  const thick = THICK * map.ratio;
  const gap = Math.max(2, Math.ceil(pyramid.longestGap / perColumn) + 1);
  const begin = Math.max(map.from - gap, Math.floor(-first / each) - 1);
  let lastX = -Infinity;
  let lastTop = 0;
  let lastBottom = 0;
  let joined = true;
  const dot = () => {
    if (joined || lastX < map.from) return;
    const middle = (lastTop + lastBottom) / 2;
    const size = DOT * map.ratio;
    for (let x = Math.ceil(lastX - size); x <= lastX + size; x += 1) {
      if (x >= 0 && x < width) raster.run(x, middle - size, middle + size, paint);
    }
  };
  for (let x = begin; x < map.to; x += 1) {
    const from = Math.floor(first + x * each);
    if (from >= lows.length) break;
    const to = Math.min(Math.max(Math.floor(first + (x + 1) * each), from + 1), lows.length);
    let least = MISSING;
    let greatest = -1;
    for (let k = Math.max(from, 0); k < to; k += 1) {
      if (lows[k] < least) least = lows[k];
      if (highs[k] !== MISSING && highs[k] > greatest) greatest = highs[k];
    }
    if (least === MISSING || greatest < 0) continue;
    const yTop = top - greatest * step;
    const yBottom = top - least * step;
    let runTop = yTop;
    let runBottom = yBottom;
    const distance = x - lastX;
    if (distance <= gap) {
      joined = true;
      if (distance > 1) {
        const before = (lastTop + lastBottom) / 2;
        bridge(raster, [lastX, before], [x, (yTop + yBottom) / 2], map.from, thick, paint);
      } else if (runTop > lastBottom) runTop = lastBottom;
      else if (runBottom < lastTop) runBottom = lastTop;
    } else {
      dot();
      joined = false;
    }
    if (x >= map.from && x >= 0) raster.run(x, runTop - thick, runBottom + thick, paint);
    lastX = x;
    lastTop = yTop;
    lastBottom = yBottom;
  }
  dot();
}

/** A line over columns without values between two that have some. */
function bridge(raster, [x0, y0], [x1, y1], from, thick, paint) {
  const slope = (y1 - y0) / (x1 - x0);
  const half = Math.abs(slope) / 2 + thick;
  for (let x = Math.max(x0 + 1, from, 0); x < x1; x += 1) {
    const y = y0 + (x - x0) * slope;
    raster.run(x, y - half, y + half, paint);
  }
}

/**
 * Draw buckets that are wider than pixels as a band from least to greatest.
 * `y(value)` maps values to CSS pixels.
 */
export function drawBuckets(context, channel, signal, time, y, colour) {
  const { bucket, origin } = signal;
  const gap = channel.pyramid.longestGap;
  const first = Math.max(0, Math.floor((time.start - origin) / bucket) - gap - 1);
  const end = Math.min(channel.lows.length, Math.ceil((time.end - origin) / bucket) + gap + 1);
  let run = [];
  let last = -Infinity;
  context.fillStyle = colour;
  context.strokeStyle = colour;
  for (let k = first; k < end; k += 1) {
    const values = channel.bucket(k);
    if (!values) continue;
    if (k - last > gap) {
      drawBand(context, run);
      run = [];
    }
    run.push([time.toX(origin + (k + 0.5) * bucket), y(values[0]), y(values[1])]);
    last = k;
  }
  drawBand(context, run);
}

function drawBand(context, run) {
  if (run.length === 0) return;
  if (run.length === 1) {
    const [x, low, high] = run[0];
    context.fillRect(x - 1.5, high - 1.5, 3, Math.max(low - high, 0) + 3);
    return;
  }
  context.beginPath();
  for (const [x, , high] of run) context.lineTo(x, high);
  let open = false;
  for (let k = run.length - 1; k >= 0; k -= 1) {
    open ||= run[k][1] - run[k][2] > 0.5;
    if (open) break;
  }
  if (open) {
    for (let k = run.length - 1; k >= 0; k -= 1) context.lineTo(run[k][0], run[k][1]);
    context.closePath();
    context.globalAlpha = 0.4;
    context.fill();
    context.globalAlpha = 1;
  }
  context.lineWidth = open ? 0.9 : 1.3;
  context.stroke();
}

/**
 * Draw raw samples of one channel of a stretch; where many share a pixel, their least and
 * greatest. Samples further apart than `gap` seconds are not joined.
 */
export function drawSamples(context, stretch, { index, gap, colour }, time, y) {
  const from = Math.max(0, stretch.indexAt(time.start) - 1);
  const to = Math.min(stretch.count, stretch.indexAt(time.end) + 1);
  if (to <= from) return;
  const seconds = stretch.timeOf(to - 1) - stretch.timeOf(from);
  const spacing = ((seconds / time.span) * time.width) / Math.max(to - from - 1, 1);
  context.fillStyle = colour;
  context.strokeStyle = colour;
  context.lineWidth = 1.3;
  context.lineJoin = 'round';
  context.beginPath();
  let column = null;
  let pen = false;
  let least = 0;
  let greatest = 0;
  const flush = () => {
    if (column === null) return;
    if (pen) context.lineTo(column, least);
    else context.moveTo(column, least);
    if (greatest !== least) context.lineTo(column, greatest);
    pen = true;
    column = null;
  };
  const dots = [];
  let last = -Infinity;
  for (let k = from; k < to; k += 1) {
    const value = stretch.value(index, k);
    if (value === null) {
      flush();
      pen = false;
      continue;
    }
    const t = stretch.timeOf(k);
    if (t - last > gap) {
      flush();
      pen = false;
    }
    last = t;
    const exact = time.toX(t);
    const x = spacing > 1 ? exact : Math.round(exact);
    const at = y(value);
    if (spacing > 5 || to - from === 1) dots.push([x, at]);
    if (x === column) {
      least = Math.min(least, at);
      greatest = Math.max(greatest, at);
    } else {
      flush();
      column = x;
      least = at;
      greatest = at;
    }
  }
  flush();
  context.stroke();
  for (const [x, at] of dots) context.fillRect(x - 1.5, at - 1.5, 3, 3);
}
