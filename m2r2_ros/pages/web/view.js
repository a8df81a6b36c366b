// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { AxisRow, EventsRow } from 'm2r2/axis.js';
import { make } from 'm2r2/dom.js';
import { Gestures } from 'm2r2/gestures.js';
import { LaneRow } from 'm2r2/lanes.js';
import { CursorMarks } from 'm2r2/marks.js';
import { CameraRow, SpectrogramRow } from 'm2r2/media.js';
import { OverviewRow } from 'm2r2/overview.js';
import { SignalRow } from 'm2r2/plots.js';
import { Rows } from 'm2r2/rows.js';
import { StretchLoader } from 'm2r2/stretches.js';
import { pressTimeKey } from 'm2r2/time_keys.js';
import { readTheme } from 'm2r2/theme.js';
import { TimeView } from 'm2r2/time.js';

/**
 * A recording on a time axis: lanes of labels, signals, sound and cameras.
 *
 * Dispatches 'cursor' {t, pinned}, 'select' {lane, index}, 'lanes' when lanes change, and
 * 'drawn' {ms} after each drawing. `options.preview` false leaves out the large camera image.
 */
export class RecordingView extends EventTarget {
  #rows = new Rows((row) => this.redraw(row.id));
  #pending = new Set();
  #frame = 0;
  #moved = false;
  #pinned = null;
  #pointer = null;
  #resizes = null;
  #scheme = matchMedia('(prefers-color-scheme: dark)');
  #recolour = () => {
    this.theme = readTheme(this.element);
    this.redraw();
  };

  cursor = null;
  highlight = null;
  boundaries = [];

  constructor(root, page, { preview = true } = {}) {
    super();
    this.page = page;
    this.labels = page.labels ?? [];
    this.time = new TimeView(page.duration);
    this.ratio = window.devicePixelRatio || 1;
    this.#build(root, preview);
    this.theme = readTheme(this.element);
    for (const lane of page.lanes ?? []) this.setLane(lane);
    this.update(page);
    this.#watch();
  }

  /** The lanes in their order. */
  get lanes() {
    return this.rowsOf(LaneRow).map((row) => row.lane);
  }

  get wantStretch() {
    return this.loader.fetch;
  }

  set wantStretch(fetch) {
    this.loader.fetch = fetch;
    this.loader.look();
  }

  setLane(lane, { before = null, tall = false, page = this.page } = {}) {
    let row = this.#rows.get(lane.id);
    if (!row) {
      row = new LaneRow(this, lane);
      this.#rows.add(row, this.laneBox, this.lane(before)?.element ?? null);
    } else if (before !== lane.id && this.lane(before)) {
      this.laneBox.insertBefore(row.element, this.lane(before).element);
    }
    row.set(lane, page, tall);
    this.#lanesChanged();
  }

  removeLane(id) {
    if (!this.lane(id)) return;
    this.#rows.drop(id);
    this.#lanesChanged();
  }

  lane(id) {
    const row = this.#rows.get(id);
    return row instanceof LaneRow ? row : null;
  }

  /** Take newer signals, cameras, spectrogram and events. */
  update(page) {
    if (page.duration > 0) this.time.setDuration(page.duration);
    this.loader.forget();
    const keep = (Kind, kind, found, box) => {
      const items = found.map((data) => ({ id: `${kind}:${data.id ?? ''}`, data }));
      this.#rows.keep(Kind, items, box, page, (data) => new Kind(this, data, page));
    };
    const cameras = (page.cameras ?? []).filter((camera) => camera.thumbs?.length > 0);
    keep(SignalRow, 'signal', page.signals ?? [], this.signalBox);
    keep(CameraRow, 'camera', cameras, this.cameraBox);
    keep(SpectrogramRow, 'sound', page.spectrogram ? [page.spectrogram] : [], this.soundBox);
    keep(EventsRow, 'events', page.events?.length > 0 ? [page.events] : [], this.eventBox);
    this.redraw();
  }

  select(laneId, index) {
    for (const row of this.rowsOf(LaneRow)) row.selected = row.id === laneId ? index : -1;
    this.redraw();
    this.dispatchEvent(new CustomEvent('select', { detail: { lane: laneId, index } }));
  }

  overlay(laneId, draw) {
    const row = this.lane(laneId);
    if (!row) return;
    row.overlay = draw;
    this.redraw(laneId);
  }

  /** Move the cursor. A pinned cursor stays when the pointer leaves; null unpins it. */
  setCursor(t, { pinned = true } = {}) {
    if (pinned) this.#pinned = t;
    this.#moveCursor(t, pinned);
  }

  /** Dim all labels but the one of this index; null shows all. */
  setHighlight(index) {
    this.highlight = index;
    this.redraw();
  }

  /** Draw all rows, or the row of an id, in the next animation frame. */
  redraw(id = null) {
    if (id === null) for (const key of this.#rows.keys()) this.#pending.add(key);
    else this.#pending.add(id);
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  /** Keys of the time axis. Returns whether the event was used. */
  handleKey(event) {
    return pressTimeKey(event, this.time, this.cursor);
  }

  /** Left edge of the time axis in the window, pixels. */
  trackLeft() {
    return this.axis.track.getBoundingClientRect().left;
  }

  /** The pointer is over a time, or over none. */
  hover(seconds, event) {
    const { whole } = this.time;
    const inside = seconds !== null && seconds >= 0 && seconds <= whole;
    const { clientX: x, clientY: y, target } = event ?? {};
    this.#pointer = inside ? { x, y, target } : null;
    this.#moveCursor(inside ? seconds : this.#pinned, false);
  }

  /** A click on a track: pins the cursor and selects the segment under it. */
  click(seconds, target) {
    this.setCursor(seconds);
    const id = target.closest('.rv-row')?.dataset.id;
    const row = this.lane(id);
    if (row) this.select(id, row.segmentAt(seconds));
  }

  /** Keep the cursor under a pointer that rests while the time moves. */
  #follow() {
    if (!this.#pointer || this.cursor === this.#pinned) return;
    this.cursor = this.time.toTime(this.#pointer.x - this.trackLeft());
    this.dispatchEvent(new CustomEvent('cursor', { detail: { t: this.cursor, pinned: false } }));
  }

  #moveCursor(t, pinned) {
    this.cursor = t;
    this.#moved = true;
    this.#frame ||= requestAnimationFrame(() => this.#draw());
    this.dispatchEvent(new CustomEvent('cursor', { detail: { t, pinned } }));
  }

  #build(root, preview) {
    this.element = make('div', { class: 'rv' });
    this.head = make('div', { class: 'rv-head' });
    const boxes = ['lane', 'event', 'camera', 'signal', 'sound'];
    for (const name of boxes) this[`${name}Box`] = make('div', { class: 'rv-box' });
    this.marks = new CursorMarks(this, { preview });
    this.body = make(
      'div',
      { class: 'rv-body', tabindex: '0', role: 'group', 'aria-label': 'timeline of the recording' },
      this.head,
      ...boxes.map((name) => this[`${name}Box`]),
      this.marks.lines,
    );
    this.element.append(this.body);
    root.append(this.element);
    this.loader = new StretchLoader(this, () => this.rowsOf(SignalRow));
    this.overview = new OverviewRow(this);
    this.axis = new AxisRow(this);
    this.#rows.add(this.overview, this.head);
    this.#rows.add(this.axis, this.head);
    this.gestures = new Gestures(this, this.body);
  }

  #watch() {
    const resized = () => {
      const width = this.axis.track.clientWidth;
      const ratio = window.devicePixelRatio || 1;
      if (width === this.time.width && ratio === this.ratio) return;
      this.time.width = Math.max(width, 1);
      this.ratio = ratio;
      this.redraw();
    };
    resized();
    this.#resizes = new ResizeObserver(resized);
    this.#resizes.observe(this.axis.track);
    this.time.addEventListener('change', () => {
      this.#follow();
      this.redraw();
      this.loader.look();
    });
    this.#scheme.addEventListener('change', this.#recolour);
  }

  /** Let go of the window, which would keep the view for ever. */
  close() {
    this.#resizes.disconnect();
    this.#scheme.removeEventListener('change', this.#recolour);
    cancelAnimationFrame(this.#frame);
  }

  /** The rows of a class, from top to bottom. */
  rowsOf(Kind) {
    return this.#rows.of(Kind);
  }

  #lanesChanged() {
    const rows = this.rowsOf(LaneRow);
    const truth = rows.find((row) => row.lane.kind === 'truth');
    for (const row of rows) row.compare(truth?.lane.segments ?? null);
    this.boundaries = ((truth ?? rows[0])?.boundaries ?? []).map((boundary) => boundary.t);
    this.overview.stale();
    this.redraw();
    this.dispatchEvent(new Event('lanes'));
  }

  #draw() {
    const begun = performance.now();
    this.#frame = 0;
    const drawn = this.#pending.size > 0;
    for (const id of this.#pending) this.#rows.get(id)?.refresh();
    this.#pending.clear();
    if (drawn || this.#moved) {
      this.marks.draw(this.#rows, this.cursor, this.#pinned, this.#pointer);
    }
    this.#moved = false;
    if (!drawn) return;
    const ms = performance.now() - begun;
    this.dispatchEvent(new CustomEvent('drawn', { detail: { ms } }));
  }
}
