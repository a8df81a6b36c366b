// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { MISSING, Pyramid, TOP } from 'm2r2/pyramid.js';

/**
 * A channel of a signal: its range, and the pyramid of its overview.
 *
 * The pyramid is built when it is first drawn.
 */
export class Channel {
  #pyramid = null;

  constructor(name, scale, lows, highs) {
    this.name = name;
    this.low = Number.isFinite(scale.low) ? scale.low : NaN;
    this.high = Number.isFinite(scale.high) ? scale.high : NaN;
    this.lows = lows;
    this.highs = highs;
  }

  get pyramid() {
    this.#pyramid ??= new Pyramid(this.lows, this.highs);
    return this.#pyramid;
  }

  /** [least, greatest] value of a bucket, or null. */
  bucket(k) {
    if (!(k >= 0 && k < this.lows.length) || this.lows[k] === MISSING) return null;
    const step = (this.high - this.low) / TOP;
    return [this.low + step * this.lows[k], this.low + step * this.highs[k]];
  }
}

/** Raw samples of a signal: times in seconds, and the quantised values of each channel. */
export class Stretch {
  constructor(start, offsets, values, scales) {
    this.start = start;
    this.offsets = offsets;
    this.values = values;
    this.scales = scales;
    this.count = offsets.length;
    this.end = this.count > 0 ? this.timeOf(this.count - 1) : start;
  }

  timeOf(k) {
    return this.start + this.offsets[k] * 1e-6;
  }

  /** Index of the first sample at or after a time; the count where there is none. */
  indexAt(seconds) {
    const target = (seconds - this.start) * 1e6;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.offsets[middle] < target) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Value of a channel of the sample, or null. */
  value(channel, k) {
    const q = this.values[channel]?.[k];
    if (q === undefined || q === MISSING) return null;
    const { low, high } = this.scales[channel];
    return Number.isFinite(low) ? low + ((high - low) * q) / TOP : null;
  }

  /** Value of a channel of the sample nearest to a time, or null. */
  valueAt(channel, seconds) {
    if (this.count === 0) return null;
    const k = Math.min(this.indexAt(seconds), this.count - 1);
    const near = k > 0 && seconds - this.timeOf(k - 1) < this.timeOf(k) - seconds ? k - 1 : k;
    return this.value(channel, near);
  }
}

/** [least, greatest] value of the channels of a signal; null where it has no values. */
export function axisEnds(channels) {
  let low = Infinity;
  let high = -Infinity;
  for (const channel of channels) {
    if (channel.low < low) low = channel.low;
    if (channel.high > high) high = channel.high;
  }
  return low <= high ? [low, high] : null;
}

/** [low, high] of the axis of a signal with some air; [0, 1] where it has no values. */
export function axisRange(channels) {
  const ends = axisEnds(channels);
  if (!ends) return [0, 1];
  const [low, high] = ends;
  const air = high > low ? (high - low) * 0.05 : Math.abs(high) * 0.1 || 1;
  return [low - air, high + air];
}

/** A value with as many digits as tell apart a 2000th of the axis. */
export function formatValue(value, span) {
  if (value === null || !Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.max(Math.abs(value), span);
  if (size >= 1e6 || (size < 1e-4 && size > 0)) return value.toExponential(2).replace('-', '−');
  const decimals = Math.min(6, Math.max(0, Math.ceil(-Math.log10(span / 2000 || 1))));
  const text = value.toFixed(decimals);
  return text.replace('-', '−');
}

/** A value with as many digits as tell apart a 50th of the axis. */
export function formatShort(value, span) {
  return formatValue(value, span * 40);
}
