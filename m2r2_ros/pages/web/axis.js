// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { make, setText } from 'm2r2/dom.js';
import { Row } from 'm2r2/row.js';
import { formatTime } from 'm2r2/time.js';

const HEIGHT = 24;
const EVENTS_HEIGHT = 16;

/** The time axis, with the time under the pointer. */
export class AxisRow extends Row {
  constructor(view) {
    super(view, { id: 'axis', title: 'time', unit: 'min:s', height: HEIGHT, kind: 'axis' });
    this.button.replaceWith(make('span', { class: 'rv-range' }));
    this.range = this.gutter.querySelector('.rv-range');
    this.flag = make('div', { class: 'rv-flag', hidden: true });
    this.track.append(this.flag);
  }

  draw(context, time, height) {
    const { theme } = this.view;
    const { times, text } = time.ticks();
    context.font = `11px ${theme.font}`;
    context.textBaseline = 'middle';
    context.textAlign = 'left';
    context.fillStyle = theme.muted;
    context.strokeStyle = theme.muted;
    context.lineWidth = 1;
    context.beginPath();
    for (const t of times) {
      const x = Math.round(time.toX(t)) + 0.5;
      context.moveTo(x, height - 7);
      context.lineTo(x, height);
      const label = text(t);
      const wide = context.measureText(label).width;
      const left = Math.min(Math.max(x - wide / 2, 2), time.width - wide - 2);
      context.fillText(label, left, height / 2 - 3);
    }
    context.stroke();
    const { decimals } = time;
    setText(
      this.range,
      `${formatTime(time.start, decimals)} – ${formatTime(time.end, decimals)}`,
    );
  }

  readAt(seconds) {
    const { time } = this.view;
    const seen = seconds !== null && seconds >= time.start && seconds <= time.end;
    this.flag.hidden = !seen;
    if (!seen) return;
    setText(this.flag, formatTime(seconds, Math.max(2, time.decimals)));
    const x = Math.min(Math.max(time.toX(seconds), 26), time.width - 26);
    this.flag.style.transform = `translateX(${x}px) translateX(-50%)`;
  }
}

const KINDS = ['gripper', 'velocity', 'force'];

/** Index of the colour of a kind of event among the colours of channels. */
export function colourIndex(kind) {
  const order = KINDS.indexOf(kind);
  return order < 0 ? 7 : order;
}

/** Ticks of the events that were found in the signals. */
export class EventsRow extends Row {
  constructor(view, events) {
    super(view, {
      id: 'events',
      title: 'events',
      hint: 'moments where the gripper, the velocity or the force changes',
      height: EVENTS_HEIGHT,
      kind: 'events',
    });
    this.value = make('span', { class: 'rv-label' });
    this.readout.append(this.value);
    this.set(events);
  }

  set(events) {
    this.events = [...events].sort((a, b) => a.t - b.t);
    this.dirty = true;
  }

  draw(context, time, height) {
    const { theme } = this.view;
    for (const { t, kind } of this.events) {
      if (t < time.start || t > time.end) continue;
      context.fillStyle = theme.channels[colourIndex(kind)];
      const x = time.toX(t);
      context.fillRect(x - 0.75, 1, 1.5, height - 2);
      context.beginPath();
      context.moveTo(x - 3.5, 1);
      context.lineTo(x + 3.5, 1);
      context.lineTo(x, 7);
      context.fill();
    }
  }

  readAt(seconds) {
    setText(this.value, seconds === null ? '' : this.#nearest(seconds));
  }

  #nearest(seconds) {
    const { time } = this.view;
    const reach = (6 / time.width) * time.span;
    const near = this.events.filter((event) => Math.abs(event.t - seconds) <= reach);
    return [...new Set(near.map((event) => event.kind))].join(', ');
  }
}
