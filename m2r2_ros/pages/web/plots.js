// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { axisEnds, axisRange, Channel, formatShort, formatValue, Stretch } from 'm2r2/channel.js';
import { make, named, setText } from 'm2r2/dom.js';
import { paintOf, Raster } from 'm2r2/raster.js';
import { fit, Row } from 'm2r2/row.js';
import { REPLIES_KEPT } from 'm2r2/stretches.js';
import { drawBuckets, drawColumns, drawSamples } from 'm2r2/strokes.js';

const LEAST_HEIGHT = 66;
const MOST_HEIGHT = 168;
const LINE = 14;
const LEAST_BOUNDARY_ROOM = 6;

/** A row of one signal: the lines of its channels on one axis of values. */
export class SignalRow extends Row {
  constructor(view, signal, page) {
    const { id, title, unit, topic } = signal;
    const lines = signal.channels.length + 1;
    const height = Math.min(Math.max(LEAST_HEIGHT, lines * LINE + 6), MOST_HEIGHT);
    super(view, { id, title, unit, hint: topic, height, kind: 'signal' });
    this.raster = new Raster();
    this.extra = [];
    this.set(signal, page);
  }

  /** Show a signal, or a newer overview of it. */
  set(signal, page) {
    this.signal = signal;
    this.setTitle(signal.title, signal.unit, signal.topic);
    this.channels = signal.channels.map(
      (channel) =>
        new Channel(channel.name, channel, page.array(channel.lows), page.array(channel.highs)),
    );
    [this.low, this.high] = axisRange(this.channels);
    this.ends = axisEnds(this.channels);
    this.own = stretchesOf(signal, page, signal.channels);
    this.#listChannels();
    this.dirty = true;
  }

  /** Take raw samples that were fetched for the visible time. */
  add(signal, page) {
    const scales = signal.channels?.length ? signal.channels : this.signal.channels;
    this.extra = [...this.extra, stretchesOf(signal, page, scales)].slice(-REPLIES_KEPT);
  }

  get stretches() {
    return [...this.own, ...this.extra.flat()];
  }

  /** Whether the overview is too coarse for the zoom. */
  isCoarse(time) {
    return this.signal.bucket > (time.span / time.width) * 1.5;
  }

  /** Whether one stretch of raw samples covers start to end, up to a bucket. */
  covers(start, end) {
    return this.stretches.some((stretch) => this.#holds(stretch, start, end));
  }

  #holds(stretch, start, end) {
    const slack = this.signal.bucket * 2;
    const from = Math.max(start, this.signal.origin);
    const count = this.channels[0]?.lows.length ?? 0;
    const to = Math.min(end, this.signal.origin + count * this.signal.bucket);
    return stretch.start <= from + slack && stretch.end >= to - slack;
  }

  paint() {
    const { time, ratio, theme } = this.view;
    const coarse = this.isCoarse(time);
    const context = fit(this.canvas, this.context, time.width, this.height, ratio);
    const y = (value) => ((this.high - value) / (this.high - this.low)) * (this.height - 1);
    if (coarse) this.#drawClose(context, time, y, theme);
    else this.#drawFar(context, time, ratio, theme);
    this.#drawBehind(context, time, y, theme);
    this.#drawEnds(context, theme);
  }

  #drawFar(context, time, ratio, theme) {
    const { raster } = this;
    raster.begin(this.canvas.width, this.canvas.height);
    const map = {
      start: time.start,
      span: time.span,
      bucket: this.signal.bucket,
      origin: this.signal.origin,
      low: this.low,
      high: this.high,
      ratio,
      from: 0,
      to: raster.width,
    };
    this.channels.forEach((channel, k) => {
      if (!Number.isFinite(channel.low) || this.hidden.has(k)) return;
      drawColumns(raster, channel, map, paintOf(colourOf(theme, k)));
    });
    raster.put(context);
  }

  #drawClose(context, time, y, theme) {
    const stretches = this.stretches.filter(
      (stretch) => stretch.end >= time.start && stretch.start <= time.end,
    );
    const whole = stretches.filter((stretch) => this.#holds(stretch, time.start, time.end));
    const drawn = whole.length > 0 ? whole.slice(-1) : stretches;
    this.channels.forEach((channel, k) => {
      if (!Number.isFinite(channel.low) || this.hidden.has(k)) return;
      const colour = colourOf(theme, k);
      if (whole.length === 0) {
        context.save();
        clipOutside(context, drawn, time, this.height);
        drawBuckets(context, channel, this.signal, time, y, colour);
        context.restore();
      }
      const gap = channel.pyramid.longestGap * this.signal.bucket;
      const line = { index: k, gap, colour };
      for (const stretch of drawn) drawSamples(context, stretch, line, time, y);
    });
  }

  /** The least and the greatest value, at the left. */
  #drawEnds(context, theme) {
    if (!this.ends) return;
    const [least, greatest] = this.ends.map((value) => formatShort(value, this.high - this.low));
    context.font = `10px ${theme.font}`;
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    context.lineJoin = 'round';
    context.lineWidth = 3;
    context.strokeStyle = theme.panel;
    context.fillStyle = theme.muted;
    const lines = least === greatest ? [[least, 8]] : [[greatest, 8], [least, this.height - 7]];
    for (const [text, at] of lines) {
      context.strokeText(text, 3, at);
      context.fillText(text, 3, at);
    }
  }

  /** Boundaries of the labels and zero, behind the lines. */
  #drawBehind(context, time, y, theme) {
    context.globalCompositeOperation = 'destination-over';
    context.lineWidth = 1;
    if (this.low < 0 && this.high > 0) {
      context.strokeStyle = theme.line;
      const zero = Math.round(y(0)) + 0.5;
      context.beginPath();
      context.moveTo(0, zero);
      context.lineTo(time.width, zero);
      context.stroke();
    }
    const bounds = this.view.boundaries.filter((t) => t >= time.start && t <= time.end);
    if (bounds.length > 0 && bounds.length * LEAST_BOUNDARY_ROOM < time.width) {
      context.strokeStyle = theme.boundary;
      context.beginPath();
      for (const t of bounds) {
        const x = Math.round(time.toX(t)) + 0.5;
        context.moveTo(x, 0);
        context.lineTo(x, this.height);
      }
      context.stroke();
    }
    context.globalCompositeOperation = 'source-over';
  }

  readAt(seconds) {
    const span = this.high - this.low;
    this.values.forEach((element, k) => {
      setText(element, seconds === null ? '' : this.#textAt(k, seconds, span));
    });
  }

  #textAt(k, seconds, span) {
    const stretch = this.stretches.findLast((s) => s.start <= seconds && seconds <= s.end);
    const raw = stretch?.valueAt(k, seconds) ?? null;
    if (raw !== null) return formatValue(raw, span);
    const channel = this.channels[k];
    const middle = Math.floor((seconds - this.signal.origin) / this.signal.bucket);
    const reach = channel.pyramid.longestGap;
    for (let away = 0; away <= reach; away += 1) {
      const values = channel.bucket(middle - away) ?? channel.bucket(middle + away);
      if (values) return formatValue((values[0] + values[1]) / 2, span);
    }
    return '–';
  }

  #listChannels() {
    const names = this.channels.map((channel) => channel.name).join('\n');
    if (this.names === names) return;
    this.names = names;
    this.hidden = new Set();
    this.values = [];
    this.readout.replaceChildren();
    this.channels.forEach((channel, k) => {
      const value = make('span', { class: 'rv-value' });
      const swatch = make('span', { class: `rv-swatch channel-${k % 8}` });
      const button = make(
        'button',
        {
          class: 'rv-channel',
          type: 'button',
          'aria-pressed': 'true',
          title: `Show or hide ${channel.name}`,
        },
        swatch,
        named(channel.name, { class: 'rv-name' }),
        value,
      );
      button.addEventListener('click', () => {
        if (!this.hidden.delete(k)) this.hidden.add(k);
        button.setAttribute('aria-pressed', String(!this.hidden.has(k)));
        this.view.redraw();
      });
      this.values.push(value);
      this.readout.append(button);
    });
  }
}

function colourOf(theme, k) {
  return theme.channels[k % theme.channels.length];
}

function stretchesOf(signal, page, scales) {
  return (signal.stretches ?? []).map((stretch) => {
    const values = stretch.values.map((ref) => page.array(ref));
    return new Stretch(stretch.start, page.array(stretch.offsets), values, scales);
  });
}

/** Clip to the visible time that no stretch covers. */
function clipOutside(context, stretches, time, height) {
  const clear = new Path2D();
  let from = 0;
  for (const { start, end } of [...stretches].sort((a, b) => a.start - b.start)) {
    const x = time.toX(start);
    if (x > from) clear.rect(from, 0, x - from, height);
    from = Math.max(from, time.toX(end));
  }
  if (from < time.width) clear.rect(from, 0, time.width - from, height);
  context.clip(clear);
}
