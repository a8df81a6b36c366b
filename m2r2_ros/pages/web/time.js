// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

const SHORTEST_SPAN = 0.002;
const STEPS = [
  0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5,
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400,
];

/**
 * The visible stretch of a recording, in seconds from its start, and its mapping to
 * pixels of a track that is `width` CSS pixels wide. Dispatches 'change'.
 */
export class TimeView extends EventTarget {
  constructor(duration) {
    super();
    this.duration = duration > 0 ? duration : 0;
    this.start = 0;
    this.end = this.whole;
    this.width = 1;
  }

  /** Length of the time axis: the duration, or one second where there is none. */
  get whole() {
    return this.duration > 0 ? this.duration : 1;
  }

  get span() {
    return this.end - this.start;
  }

  get isWhole() {
    return this.span >= this.whole * (1 - 1e-9);
  }

  /** Change the duration; a view of the whole recording stays one. */
  setDuration(duration) {
    if (duration === this.duration) return;
    const wasWhole = this.isWhole;
    this.duration = duration > 0 ? duration : 0;
    if (wasWhole) this.set(0, this.whole);
    else this.set(this.start, this.end);
  }

  /** Show start to end, moved and shortened to fit the recording. */
  set(start, end) {
    if (!Number.isFinite(start) || !Number.isFinite(end)) return;
    const span = Math.min(Math.max(end - start, Math.min(SHORTEST_SPAN, this.whole)), this.whole);
    const middle = (start + end) / 2;
    const from = Math.min(Math.max(middle - span / 2, 0), this.whole - span);
    if (from === this.start && from + span === this.end) return;
    this.start = from;
    this.end = from + span;
    this.dispatchEvent(new Event('change'));
  }

  /** Make the span `factor` times as long and keep the time `at` where it is. */
  zoom(factor, at = (this.start + this.end) / 2) {
    const shortest = Math.min(SHORTEST_SPAN, this.whole);
    const span = Math.min(Math.max(this.span * factor, shortest), this.whole);
    const share = (at - this.start) / this.span;
    const from = at - share * span;
    this.set(from, from + span);
  }

  pan(seconds) {
    this.set(this.start + seconds, this.end + seconds);
  }

  /** Scroll, and zoom out where needed, so that start to end can be seen. */
  show(start, end) {
    const margin = this.span * 0.04;
    if (start >= this.start + margin && end <= this.end - margin) return;
    const span = Math.max(this.span, (end - start) * 1.25);
    const middle = (start + end) / 2;
    this.set(middle - span / 2, middle + span / 2);
  }

  /** Like show, and zoom in where start to end would be too small to see. */
  focus(start, end) {
    const length = Math.max(end - start, SHORTEST_SPAN);
    if (length < this.span * 0.04) {
      const middle = (start + end) / 2;
      this.set(middle - length * 6, middle + length * 6);
    } else {
      this.show(start, end);
    }
  }

  showAll() {
    this.set(0, this.whole);
  }

  toX(seconds) {
    return ((seconds - this.start) / this.span) * this.width;
  }

  toTime(px) {
    return this.start + (px / this.width) * this.span;
  }

  /** Round times for an axis, about one in `px` pixels: {step, times, text(t)}. */
  ticks(px = 90) {
    const least = (this.span * px) / Math.max(this.width, 1);
    const step = STEPS.find((value) => value >= least) ?? STEPS.at(-1);
    const times = [];
    const last = Math.floor(this.end / step + 1e-9);
    for (let k = Math.ceil(this.start / step - 1e-9); k <= last; k += 1) times.push(k * step);
    const decimals = step >= 1 ? 0 : Math.min(4, Math.ceil(-Math.log10(step) - 1e-9));
    return { step, times, text: (t) => formatTime(t, decimals) };
  }

  /** Decimals that tell two neighbouring pixels apart. */
  get decimals() {
    const second = this.width / this.span;
    return Math.min(4, Math.max(1, Math.ceil(Math.log10(Math.max(second, 1)))));
  }
}

/** A length of time in words: '1 h 2 min 3.4 s'. */
export function formatDuration(seconds) {
  const tenths = Math.round((seconds > 0 ? seconds : 0) * 10);
  const hours = Math.floor(tenths / 36000);
  const minutes = Math.floor(tenths / 600) % 60;
  const parts = [`${((tenths % 600) / 10).toFixed(1)} s`];
  if (hours > 0 || minutes > 0) parts.unshift(`${minutes} min`);
  if (hours > 0) parts.unshift(`${hours} h`);
  return parts.join(' ');
}

/** Seconds as m:ss or h:mm:ss with the given number of decimals. */
export function formatTime(seconds, decimals = 2) {
  const scale = 10 ** decimals;
  let rest = Math.round(Math.abs(seconds) * scale);
  const sign = seconds < 0 && rest > 0 ? '−' : '';
  const fraction = decimals > 0 ? `.${String(rest % scale).padStart(decimals, '0')}` : '';
  rest = Math.floor(rest / scale);
  const two = (value) => String(value).padStart(2, '0');
  const hours = Math.floor(rest / 3600);
  const minutes = Math.floor(rest / 60) % 60;
  const head = hours > 0 ? `${hours}:${two(minutes)}` : `${minutes}`;
  return `${sign}${head}:${two(rest % 60)}${fraction}`;
}
