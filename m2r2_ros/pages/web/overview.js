// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { drawSegments } from 'm2r2/blocks.js';
import { make } from 'm2r2/dom.js';
import { fit, Row } from 'm2r2/row.js';

const HEIGHT = 30;
const EDGE = 6;
const MOST_LANES = 4;

/** The whole recording in a bar; a window on it is the visible time, and can be dragged. */
export class OverviewRow extends Row {
  #drag = null;
  #kept = null;

  constructor(view) {
    super(view, { id: 'overview', title: 'whole recording', height: HEIGHT, kind: 'overview' });
    this.button.replaceWith(this.#controls());
    this.track.title = 'Drag to move, drag an edge to resize';
    this.picture = document.createElement('canvas');
    this.track.addEventListener('pointerdown', (event) => this.#press(event));
    this.track.addEventListener('pointermove', (event) => this.#move(event));
    for (const name of ['pointerup', 'pointercancel']) {
      this.track.addEventListener(name, () => {
        this.#drag = null;
      });
    }
  }

  /** Forget the drawn lanes, because they have changed. */
  stale() {
    this.#kept = null;
  }

  draw(context, time, height) {
    const { theme, ratio } = this.view;
    const key = `${time.width} ${ratio} ${time.whole} ${theme.panel}`;
    if (this.#kept !== key) {
      this.#drawLanes(height);
      this.#kept = key;
    }
    context.drawImage(this.picture, 0, 0, time.width, height);
    const [left, right] = this.#window();
    context.fillStyle = theme.panel;
    context.globalAlpha = 0.65;
    context.fillRect(0, 0, left, height);
    context.fillRect(right, 0, time.width - right, height);
    context.globalAlpha = 1;
    context.strokeStyle = theme.accent;
    context.lineWidth = 1.5;
    context.strokeRect(left + 0.75, 0.75, Math.max(right - left - 1.5, 1), height - 1.5);
    context.fillStyle = theme.accent;
    context.fillRect(left, height / 2 - 6, 3, 12);
    context.fillRect(right - 3, height / 2 - 6, 3, 12);
  }

  #drawLanes(height) {
    const { view } = this;
    const { time, ratio, labels, page, theme } = view;
    const context = this.picture.getContext('2d');
    fit(this.picture, context, time.width, height, ratio);
    const lanes = view.lanes.slice(0, MOST_LANES);
    const each = (height - 4) / Math.max(lanes.length, 1);
    const whole = { start: 0, end: time.whole, width: time.width };
    whole.toX = (seconds) => (seconds / time.whole) * time.width;
    lanes.forEach((lane, k) => {
      drawSegments(context, whole, lane.segments, {
        top: 2 + k * each,
        height: each - 1,
        unknown: page.unknown,
        text: theme.text,
        font: `10px ${theme.font}`,
        colourOf: (segment) => labels[segment[2]]?.colour,
        nameOf: () => '',
      });
    });
  }

  #window() {
    const { time } = this.view;
    const left = (time.start / time.whole) * time.width;
    const right = (time.end / time.whole) * time.width;
    return [left, Math.max(right, left + 3)];
  }

  #secondsAt(event) {
    const box = this.track.getBoundingClientRect();
    return ((event.clientX - box.left) / box.width) * this.view.time.whole;
  }

  #grip(event) {
    const x = event.clientX - this.track.getBoundingClientRect().left;
    const [left, right] = this.#window();
    if (Math.abs(x - left) <= EDGE && right - left > EDGE) return 'start';
    if (Math.abs(x - right) <= EDGE) return 'end';
    return x > left && x < right ? 'whole' : 'outside';
  }

  #press(event) {
    if (event.button !== 0) return;
    event.stopPropagation();
    const { time } = this.view;
    const at = this.#secondsAt(event);
    let grip = this.#grip(event);
    if (grip === 'outside') {
      time.set(at - time.span / 2, at + time.span / 2);
      grip = 'whole';
    }
    this.#drag = { grip, at, start: time.start, end: time.end };
    this.track.setPointerCapture(event.pointerId);
  }

  #move(event) {
    const { time } = this.view;
    if (!this.#drag) {
      const cursor = { start: 'ew-resize', end: 'ew-resize', whole: 'grab', outside: 'pointer' };
      this.track.style.cursor = cursor[this.#grip(event)];
      return;
    }
    const { grip, at, start, end } = this.#drag;
    const moved = this.#secondsAt(event) - at;
    if (grip === 'whole') time.set(start + moved, end + moved);
    else if (grip === 'start') time.set(Math.max(0, Math.min(start + moved, end - 0.01)), end);
    else time.set(start, Math.min(time.whole, Math.max(end + moved, start + 0.01)));
  }

  #controls() {
    const { time } = this.view;
    const box = make('div', { class: 'rv-controls', role: 'group', 'aria-label': 'zoom' });
    const buttons = [
      ['−', 'Zoom out (−)', () => time.zoom(1.6)],
      ['+', 'Zoom in (+)', () => time.zoom(1 / 1.6)],
      ['whole', 'Whole recording (0)', () => time.showAll()],
    ];
    for (const [text, title, action] of buttons) {
      const button = make('button', { type: 'button', title, 'aria-label': title }, text);
      button.addEventListener('click', action);
      box.append(button);
    }
    return box;
  }
}
