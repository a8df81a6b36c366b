// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { make, named, setText } from 'm2r2/dom.js';

/**
 * A row of the view: a title in the left gutter, and a canvas on the time axis.
 *
 * Subclasses draw in `draw(context, time, height)` in CSS pixels, and may show values
 * of a time in `readAt(seconds or null)`.
 */
export class Row {
  collapsed = false;
  visible = true;
  dirty = true;

  constructor(view, { id, title, unit = '', hint = '', height, kind }) {
    this.view = view;
    this.id = id;
    this.height = height;
    this.canvas = make('canvas', { role: 'img', class: 'rv-canvas' });
    this.track = make('div', { class: 'rv-track' }, this.canvas);
    this.heading = named(title, { class: 'rv-title' });
    this.unit = make('span', { class: 'rv-unit' }, unit);
    this.button = make(
      'button',
      { class: 'rv-toggle', type: 'button', 'aria-expanded': 'true', title: hint || title },
      this.heading,
      this.unit,
    );
    this.readout = make('div', { class: 'rv-readout' });
    this.gutter = make('div', { class: 'rv-gutter' }, this.button, this.readout);
    this.element = make('section', { class: `rv-row rv-${kind}` }, this.gutter, this.track);
    this.setTitle(title, unit, hint);
    this.setHeight(height);
    this.button.addEventListener('click', () => this.collapse(!this.collapsed));
    this.context = this.canvas.getContext('2d');
  }

  setTitle(title, unit = '', hint = '') {
    setText(this.heading, title || this.id);
    setText(this.unit, unit ? `[${unit}]` : '');
    this.button.title = hint ? `${title}\n${hint}` : title;
    this.canvas.setAttribute('aria-label', hint ? `${title}, ${hint}` : title);
    this.element.setAttribute('aria-label', title);
  }

  setHeight(height) {
    this.height = height;
    this.canvas.style.height = `${height}px`;
    this.dirty = true;
  }

  collapse(collapsed) {
    this.collapsed = collapsed;
    this.element.classList.toggle('collapsed', collapsed);
    this.button.setAttribute('aria-expanded', String(!collapsed));
    this.dirty = true;
    this.view.redraw();
  }

  /** Draw now where the row can be seen; else when it comes into sight. */
  refresh() {
    this.dirty = true;
    if (!this.visible || this.collapsed) return;
    this.paint();
    this.dirty = false;
  }

  /** Fit the canvas to the track and draw it. */
  paint() {
    const { time, ratio } = this.view;
    const context = fit(this.canvas, this.context, time.width, this.height, ratio);
    this.draw(context, time, this.height);
  }

  draw() {}

  readAt() {}

  remove() {
    this.element.remove();
  }
}

/** Size a canvas for the pixel ratio, clear it, and scale its context to CSS pixels. */
export function fit(canvas, context, width, height, ratio) {
  const wide = Math.max(1, Math.round(width * ratio));
  const high = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  } else {
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, wide, high);
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}
