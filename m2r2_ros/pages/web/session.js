// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { Activity } from 'm2r2/activity.js';
import { draftOf } from 'm2r2/bases.js';
import { drawHandles } from 'm2r2/handles.js';
import { CameraScreen } from 'm2r2/frames.js';
import { LaneMouse } from 'm2r2/lane_mouse.js';
import { LabelBook } from 'm2r2/label_book.js';
import { Playback } from 'm2r2/playback.js';
import { rowsOf } from 'm2r2/segment_list.js';
import { SECOND } from 'm2r2/segments.js';
import { eventTimes } from 'm2r2/snapping.js';
import { RecordingView } from 'm2r2/view.js';

/**
 * One open recording: its view, cameras, playback and the segments that are edited. Dispatches
 * 'change' when something that the panels show has changed and 'edit' when the segments have.
 */
export class Session extends EventTarget {
  selected = -1;
  /** Which boundary of the selected segment the keys move: 'start' or 'end'. */
  edge = 'end';
  /** null or {start, end}: time marked to be labelled, in ns; `end` null until it is marked. */
  marks = null;
  /** Whether labels' keys label while playing, and null or {start, label}: what they began. */
  recording = false;
  live = null;
  events = [];
  activity = new Activity();
  /** Whether the browser had room to keep the unsaved work. */
  kept = true;
  /** What the last layer that was saved is called; how far the server has read the recording. */
  savedAs = '';
  progress = null;
  #shown = null;
  #highlighting = false;
  #moving = false;

  /**
   * @param {number} id
   * @param {Page} page answer of api/recordings/ID
   * @param {object} folder answer of api/folder
   * @param {object} api calls of the server
   * @param {HTMLElement} root of the view
   */
  constructor(id, page, folder, api, root) {
    super();
    this.id = id;
    this.page = page;
    this.book = new LabelBook(page.labels, folder.palette);
    this.draft = draftOf(page);
    this.view = new RecordingView(root, page, { preview: false });
    this.source = (page.lanes.find((lane) => lane.kind === 'labels') ?? page.lanes[0])?.id ?? null;
    this.playback = new Playback(
      page.duration,
      page.sound ? (start, end) => api.sound(id, start, end) : null,
    );
    this.screens = page.cameras.map(
      (camera) => new CameraScreen(camera, (seconds) => api.frame(id, camera.id, seconds)),
    );
    this.laneMouse = new LaneMouse(this, root);
    this.#listen();
    this.showLane();
    this.view.overlay('draft', (context, time, height, band) =>
      drawHandles(this, context, time, band ?? { top: 0, height }),
    );
    this.view.wantStretch = (start, end) => api.stretch(id, start, end);
    this.select(this.draft.nextDoubtful(-1));
    this.seek(this.draft.segments[this.selected]?.start / SECOND || 0);
  }

  /** The cursor in nanoseconds. */
  get now() {
    return Math.round(this.playback.time * SECOND);
  }

  nameOf(label) {
    return label < 0 ? 'unknown' : (this.page.labels[label]?.name ?? 'unknown');
  }

  /** Lanes that suggestions can be taken from. */
  otherLanes() {
    return this.page.lanes.filter((lane) => lane.segments.length);
  }

  /**
   * Changes the draft: `operation(draft)` returns whether it did. The segment at `then`, in ns, is
   * selected afterwards, the one of the same index where it is left out.
   */
  edit(operation, then) {
    if (!operation(this.draft)) return false;
    this.selected =
      then === undefined
        ? Math.min(this.selected, this.draft.segments.length - 1)
        : this.draft.at(then);
    this.changed();
    return true;
  }

  /** Tells the panels and the view that the segments have changed. */
  changed() {
    this.dispatchEvent(new Event('edit'));
    this.refresh();
  }

  /** Draws the lane and tells the panels. */
  refresh() {
    this.showLane();
    this.#loop();
    this.dispatchEvent(new Event('change'));
  }

  showLane() {
    const { segments } = this.draft;
    if (this.#shown !== segments) {
      this.#shown = segments;
      this.view.setLane(
        {
          id: 'draft',
          title: 'your labels',
          kind: 'draft',
          about: ['the segments that you edit'],
          segments: rowsOf(segments),
          accepted: segments.map((segment) => segment.accepted),
          probabilities: null,
          parents: this.page.labels.some((label) => label.parent),
        },
        { before: this.page.lanes[0]?.id ?? null, tall: true },
      );
    }
    this.#highlight();
    this.view.redraw();
  }

  /** Selects a segment of the draft and shows it; -1: none. */
  select(index, { show = true } = {}) {
    const segment = this.draft.segments[index];
    this.selected = segment ? index : -1;
    if (segment && show) this.view.time.show(segment.start / SECOND, segment.end / SECOND);
    this.refresh();
  }

  /** Index of the selected segment; where none is, the one at the cursor is selected. */
  chosen() {
    if (this.selected < 0) this.select(this.draft.at(this.now), { show: false });
    return this.selected;
  }

  /** Selects a segment and moves the cursor to its start. */
  goTo(index) {
    const segment = this.draft.segments[index];
    if (!segment) return false;
    this.edge = 'start';
    this.select(index);
    this.seek(segment.start / SECOND);
    return true;
  }

  seek(seconds) {
    this.playback.seek(seconds);
    this.view.time.show(this.playback.time, this.playback.time);
  }

  showFrame(seconds) {
    for (const screen of this.screens)
      screen.show(seconds, this.playback.playing ? this.playback.rate : 0);
  }

  /** Labels [live.start, now) with what was begun, and begins `label` where it is given. */
  mark(label = null) {
    const { now, live } = this;
    if (live && now > live.start)
      this.edit((draft) => draft.paint(live.start, now, live.label), live.start);
    this.live = label === null ? null : { start: now, label };
    this.selected = -1;
    this.refresh();
  }

  /** Ends what is dragged, and labels what was begun while playing up to now. */
  settle() {
    this.laneMouse.cancel();
    if (this.live) this.mark(this.live.label);
  }

  /** Takes a newer overview of the server. */
  update(page) {
    this.progress = page.progress ?? 1;
    this.events = eventTimes(page.events ?? []);
    this.view.update(page);
    for (const lane of this.page.lanes) {
      const probabilities = page.probabilities?.[lane.id];
      if (probabilities) this.view.setLane({ ...lane, probabilities }, { page });
    }
    this.dispatchEvent(new Event('change'));
  }

  close() {
    this.playback.close();
    this.laneMouse.close();
    for (const screen of this.screens) screen.close();
    this.view.close();
  }

  #highlight() {
    this.#highlighting = true;
    this.view.select('draft', this.selected);
    this.#highlighting = false;
  }

  #loop() {
    const segment = this.draft.segments[this.selected];
    if (this.playback.loop && segment)
      this.playback.loop = { start: segment.start / SECOND, end: segment.end / SECOND };
  }

  #listen() {
    this.playback.addEventListener('time', () => {
      const { time } = this.playback;
      this.#moving = true;
      this.view.setCursor(time);
      this.#moving = false;
      if (this.playback.playing && time > this.view.time.end)
        this.view.time.pan(time - this.view.time.start - this.view.time.span * 0.05);
      this.showFrame(time);
      if (this.live) this.view.redraw();
    });
    this.playback.addEventListener('state', () => {
      this.showFrame(this.playback.time);
      this.dispatchEvent(new Event('change'));
    });
    this.view.addEventListener('cursor', ({ detail }) => {
      if (this.#moving || detail.t === null) return;
      if (detail.pinned) this.playback.seek(detail.t);
      else if (!this.playback.playing && !this.laneMouse.drag) this.showFrame(detail.t);
    });
    this.view.addEventListener('select', ({ detail }) => {
      if (this.#highlighting || !detail) return;
      if (detail.lane === 'draft') {
        this.marks = null;
        this.select(detail.index, { show: false });
      } else if (detail.index >= 0) {
        this.source = detail.lane;
        const { segments } = this.view.lane(detail.lane).lane;
        const [start, end] = segments[detail.index];
        this.marks = { start, end };
        this.selected = -1;
        this.refresh();
      }
    });
  }
}
