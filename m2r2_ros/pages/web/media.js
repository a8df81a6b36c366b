// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { make } from 'm2r2/dom.js';
import { Row } from 'm2r2/row.js';
import { formatTime } from 'm2r2/time.js';

const THUMB_HEIGHT = 56;
const SOUND_HEIGHT = 84;
/** Lengths of a slot of thumbs for each doubling. */
const SLOTS = 5;

/** Small images of a camera along the time axis. */
export class CameraRow extends Row {
  #images = new Map();
  #page = null;

  constructor(view, camera, page) {
    const { id, topic } = camera;
    super(view, { id, title: id, hint: topic, height: THUMB_HEIGHT, kind: 'camera' });
    this.set(camera, page);
  }

  set(camera, page) {
    this.camera = camera;
    if (this.#page !== page) this.#images.clear();
    this.#page = page;
    this.thumbs = [...(camera.thumbs ?? [])].sort((a, b) => a.t - b.t);
    this.dirty = true;
  }

  /** The thumb nearest to a time, or null. */
  nearest(seconds) {
    const { thumbs } = this;
    let low = 0;
    let high = thumbs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (thumbs[middle].t < seconds) low = middle + 1;
      else high = middle;
    }
    const before = thumbs[low - 1];
    const after = thumbs[low];
    if (!before || !after) return before ?? after ?? null;
    return seconds - before.t <= after.t - seconds ? before : after;
  }

  /** The image of a thumb; null until it is decoded, then the view is drawn again. */
  image(thumb) {
    const key = thumb.image[1];
    const known = this.#images.get(key);
    if (known !== undefined) return known;
    const page = this.#page;
    this.#images.set(key, null);
    page.bitmap(thumb.image).then((bitmap) => {
      if (this.#page !== page) return;
      this.#images.set(key, bitmap);
      if (this.#images.size > 500) this.#images.delete(this.#images.keys().next().value);
      this.view.redraw(this.id);
    });
    return null;
  }

  draw(context, time, height) {
    const { theme } = this.view;
    const shape = this.camera.width / this.camera.height || 4 / 3;
    const wide = height * shape;
    // Slots start at multiples of their length, so that a pan keeps the images in place.
    const least = Math.max((wide / time.width) * time.span, 1e-6);
    const slot = 2 ** (Math.ceil(Math.log2(least) * SLOTS) / SLOTS);
    const step = (slot / time.span) * time.width;
    const first = Math.floor(time.start / slot);
    for (let k = first; k * slot < time.end; k += 1) {
      const middle = (k + 0.5) * slot;
      const thumb = this.nearest(middle);
      if (!thumb || Math.abs(thumb.t - middle) > Math.max(slot, this.#spacing())) continue;
      const left = time.toX(k * slot);
      const bitmap = this.image(thumb);
      if (bitmap) {
        const kept = bitmap.height * Math.min(wide / step, 1);
        const cut = (bitmap.height - kept) / 2;
        context.drawImage(bitmap, 0, cut, bitmap.width, kept, left, 0, step - 1, height);
      } else {
        context.fillStyle = theme.line;
        context.fillRect(left, 0, step - 1, height);
      }
    }
  }

  #spacing() {
    const { thumbs } = this;
    if (thumbs.length < 2) return Infinity;
    return ((thumbs.at(-1).t - thumbs[0].t) / (thumbs.length - 1)) * 2;
  }
}

/** The spectrogram of a sound topic; low frequencies at the bottom. */
export class SpectrogramRow extends Row {
  #images = new Map();
  #page = null;

  constructor(view, spectrogram, page) {
    super(view, {
      id: 'spectrogram',
      title: 'sound',
      unit: 'kHz',
      hint: spectrogram.topic,
      height: SOUND_HEIGHT,
      kind: 'sound',
    });
    this.set(spectrogram, page);
  }

  set(spectrogram, page) {
    this.spectrogram = spectrogram;
    if (this.#page !== page) this.#images.clear();
    this.#page = page;
    const { topic, top_hz: top, low_db: low, high_db: high } = spectrogram;
    this.setTitle('sound', 'kHz', topic);
    this.readout.replaceChildren(
      make('div', { class: 'rv-scale' }, `0 – ${(top / 1000).toFixed(1)} kHz`),
      make('div', { class: 'rv-scale' }, `${low} to ${high} dB`.replaceAll('-', '−')),
    );
    this.dirty = true;
  }

  draw(context, time, height) {
    for (const tile of this.spectrogram.tiles) {
      if (tile.end < time.start || tile.start > time.end) continue;
      const bitmap = this.#image(tile);
      if (!bitmap) continue;
      const left = time.toX(tile.start);
      context.drawImage(bitmap, left, 0, time.toX(tile.end) - left, height);
    }
  }

  #image(tile) {
    const key = tile.image[1];
    const known = this.#images.get(key);
    if (known !== undefined) return known;
    const page = this.#page;
    this.#images.set(key, null);
    page.bitmap(tile.image).then((bitmap) => {
      if (this.#page !== page) return;
      this.#images.set(key, bitmap);
      this.view.redraw(this.id);
    });
    return null;
  }
}

/** The camera images nearest to the cursor, larger, in a corner of the window. */
export class Preview {
  #figures = new Map();
  enabled = true;

  constructor(parent) {
    this.element = make('aside', { class: 'rv-preview', 'aria-label': 'camera', hidden: true });
    parent.append(this.element);
  }

  /** Show the images nearest to a time, or nothing, away from the pointer at `x`. */
  show(rows, seconds, x) {
    const shown = this.enabled && seconds !== null && rows.some((row) => row.thumbs.length > 0);
    this.element.hidden = !shown;
    if (!shown) return;
    const share = x / window.innerWidth;
    if (share > 0.6 || share < 0.45) this.element.classList.toggle('left', share > 0.6);
    for (const row of rows) this.#draw(row, seconds);
    for (const [row, figure] of this.#figures) {
      if (rows.includes(row)) continue;
      figure.remove();
      this.#figures.delete(row);
    }
  }

  #draw(row, seconds) {
    let figure = this.#figures.get(row);
    if (!figure) {
      figure = make('figure', {}, make('canvas'), make('figcaption'));
      this.#figures.set(row, figure);
      this.element.append(figure);
    }
    const thumb = row.nearest(seconds);
    const bitmap = thumb && row.image(thumb);
    figure.hidden = !bitmap && !figure.drawn;
    if (!bitmap) return;
    figure.drawn = true;
    const [canvas, caption] = figure.children;
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    canvas.getContext('2d').drawImage(bitmap, 0, 0);
    caption.textContent = `${row.camera.id}  ${formatTime(thumb.t, 2)}`;
  }
}
