// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { firstEndingAfter, SECOND } from 'm2r2/segments.js';
import { ink, safeColour } from 'm2r2/theme.js';

const LEAST_TEXT = 18;
const LONGEST_TEXT = 80;
const widths = new WeakMap();

/**
 * Draw segments as blocks of colour with their names where there is room.
 * @param {CanvasRenderingContext2D} context
 * @param {TimeView} time
 * @param {Array} segments in order of time
 * @param {object} style {top, height, colourOf(segment), nameOf(segment), font, faded(segment),
 *   accepted(index)}; the last two may be missing
 */
export function drawSegments(context, time, segments, style) {
  const { top, height } = style;
  const texts = [];
  let drawnTo = -1;
  context.font = style.font;
  for (let k = firstEndingAfter(segments, time.start); k < segments.length; k += 1) {
    const segment = segments[k];
    if (segment[0] / SECOND >= time.end) break;
    const left = Math.max(time.toX(segment[0] / SECOND), 0);
    const right = Math.min(time.toX(segment[1] / SECOND), time.width);
    if (right <= drawnTo) continue;
    const wide = right - left;
    const shown = Math.max(wide > 3 ? wide - 0.75 : wide, 0.75);
    context.globalAlpha = style.faded?.(segment) ? 0.18 : 1;
    const colour = style.colourOf(segment);
    context.fillStyle = colour ? safeColour(colour) : hatch(context, style.unknown);
    context.fillRect(left, top, shown, height);
    if (wide < 1) drawnTo = Math.ceil(left) + 0.01;
    const accepted = style.accepted?.(k);
    if (accepted) markAccepted(context, left, top, shown, height, colour);
    if (wide > LEAST_TEXT) texts.push([segment, left, wide, colour, accepted]);
  }
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  for (const [segment, left, wide, colour, accepted] of texts) {
    const faded = style.faded?.(segment);
    context.globalAlpha = faded ? 0.4 : 1;
    const name = style.nameOf(segment);
    const text = fitText(context, accepted ? `✓ ${name}` : name, wide - 9);
    if (!text) continue;
    context.fillStyle = colour && !faded ? ink(colour) : style.text;
    context.fillText(text, left + 4, top + height / 2 + 0.5);
  }
  context.globalAlpha = 1;
}

function markAccepted(context, left, top, wide, height, colour) {
  context.fillStyle = ink(colour ?? '#bfbfbf');
  context.globalAlpha *= 0.65;
  context.fillRect(left, top + height - 2.5, wide, 2.5);
}

/** `text`, cut with an ellipsis to `room` pixels; '' where nothing useful fits. */
export function fitText(context, text, room) {
  const whole = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
  if (measure(context, whole) <= room) return whole;
  const letters = Array.from(whole);
  let low = 0;
  let high = letters.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (measure(context, `${letters.slice(0, middle).join('')}…`) <= room) low = middle;
    else high = middle - 1;
  }
  return low >= 2 ? `${letters.slice(0, low).join('')}…` : '';
}

function measure(context, text) {
  let known = widths.get(context.canvas);
  if (!known || known.font !== context.font || known.size > 5000) {
    known = new Map();
    known.font = context.font;
    widths.set(context.canvas, known);
  }
  let width = known.get(text);
  if (width === undefined) {
    width = context.measureText(text).width;
    known.set(text, width);
  }
  return width;
}

const hatches = new WeakMap();

/** A hatched grey for segments without a label. */
function hatch(context, grey) {
  const known = hatches.get(context);
  if (known?.grey === grey) return known.pattern;
  const tile = new OffscreenCanvas(8, 8);
  const own = tile.getContext('2d');
  own.fillStyle = safeColour(grey);
  own.globalAlpha = 0.45;
  own.fillRect(0, 0, 8, 8);
  own.globalAlpha = 1;
  own.strokeStyle = safeColour(grey);
  own.lineWidth = 2;
  own.beginPath();
  for (const shift of [-8, 0, 8]) {
    own.moveTo(shift - 1, 9);
    own.lineTo(shift + 9, -1);
  }
  own.stroke();
  const pattern = context.createPattern(tile, 'repeat');
  hatches.set(context, { grey, pattern });
  return pattern;
}
