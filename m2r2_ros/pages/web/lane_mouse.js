// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { SECOND } from 'm2r2/segments.js';
import { snap } from 'm2r2/snapping.js';

const GRAB_PX = 6;
const SNAP_PX = 10;
const STILL_PX = 3;

/** The mouse on the lane that is edited: drags boundaries and marks empty time. */
export class LaneMouse {
  #session;
  #drag = null;
  #ending = new AbortController();

  /** @param {Session} session */
  constructor(session, root) {
    this.#session = session;
    const { signal } = this.#ending;
    // captured, so that the view does not pan with what is dragged here
    root.addEventListener('pointerdown', (event) => this.#down(event), { capture: true, signal });
    root.addEventListener('pointermove', (event) => this.#hover(event), { signal });
    window.addEventListener('pointermove', (event) => this.#move(event), { capture: true, signal });
    window.addEventListener('pointerup', (event) => this.#up(event), { capture: true, signal });
    window.addEventListener('pointercancel', () => this.cancel(), { signal });
  }

  /** What is dragged, or null: {kind: 'boundary' | 'mark', seconds, snapped}. */
  get drag() {
    return this.#drag?.moved ? this.#drag : null;
  }

  /** Drops what is dragged; returns whether something was. */
  cancel() {
    const drag = this.#drag;
    this.#drag = null;
    if (!drag) return false;
    if (drag.kind === 'boundary') this.#session.draft.cancel();
    else this.#session.marks = null;
    this.#session.refresh();
    return true;
  }

  close() {
    this.#ending.abort();
  }

  #place(event) {
    const lane = this.#session.view.lane('draft');
    if (!lane || event.target !== lane.canvas) return null;
    return {
      lane,
      seconds: this.#seconds(event, lane),
      near: lane.boundaryNear(this.#seconds(event, lane), GRAB_PX),
    };
  }

  #seconds(event, lane) {
    return this.#session.view.time.toTime(event.clientX - lane.canvas.getBoundingClientRect().left);
  }

  #hover(event) {
    const place = this.#drag ? null : this.#place(event);
    if (!place) return;
    const inside = this.#session.draft.at(place.seconds * SECOND) >= 0;
    place.lane.canvas.style.cursor = place.near ? 'col-resize' : inside ? 'pointer' : 'crosshair';
  }

  #down(event) {
    const place = event.button === 0 && !event.shiftKey ? this.#place(event) : null;
    if (!place) return;
    const { near, seconds } = place;
    const { draft } = this.#session;
    if (near) {
      this.#drag = {
        kind: 'boundary',
        index: near.left >= 0 ? near.left : near.right,
        side: near.left >= 0 ? 'end' : 'start',
        near,
      };
      draft.hold();
    } else if (draft.at(seconds * SECOND) < 0)
      this.#drag = { kind: 'mark', gap: draft.gapAt(seconds * SECOND) };
    else return;
    Object.assign(this.#drag, {
      x: event.clientX,
      from: near ? near.t : seconds,
      seconds,
      moved: false,
      snapped: false,
    });
    event.stopPropagation();
    event.preventDefault();
    document.activeElement?.blur?.();
  }

  #move(event) {
    const drag = this.#drag;
    if (!drag) return;
    event.stopPropagation();
    if (!drag.moved && Math.abs(event.clientX - drag.x) < STILL_PX) return;
    const { view, draft } = this.#session;
    // nothing of what the pointer is over is to cover what is dragged
    if (!drag.moved) view.hover(null, null);
    drag.moved = true;
    const lane = view.lane('draft');
    const second = view.time.width / view.time.span;
    const at =
      drag.kind === 'boundary'
        ? drag.from + (event.clientX - drag.x) / second
        : this.#seconds(event, lane);
    const { ns, snapped } = snap(at, event.altKey ? [] : this.#session.events, SNAP_PX / second);
    drag.snapped = snapped;
    if (drag.kind === 'boundary') {
      draft.moveBoundary(drag.index, drag.side, ns);
      drag.seconds = draft.segments[drag.index][drag.side] / SECOND;
      this.#session.selected = drag.index;
    } else {
      const ends = [drag.from * SECOND, ns].map((end) =>
        Math.round(Math.min(Math.max(end, drag.gap.start), drag.gap.end)),
      );
      drag.seconds = ns / SECOND;
      this.#session.selected = -1;
      this.#session.marks = { start: Math.min(...ends), end: Math.max(...ends) };
    }
    view.setCursor(drag.seconds, { pinned: false });
    this.#session.showFrame(drag.seconds);
    this.#session.refresh();
  }

  #up(event) {
    const drag = this.#drag;
    if (!drag) return;
    event.stopPropagation();
    this.#drag = null;
    const session = this.#session;
    if (drag.kind === 'boundary') {
      const changed = session.draft.release();
      session.edge = drag.side;
      session.select(drag.index, { show: false });
      session.playback.seek(session.draft.segments[drag.index][drag.side] / SECOND);
      if (changed) session.changed();
    } else if (!drag.moved) {
      session.marks = null;
      session.select(-1);
      session.playback.seek(drag.seconds);
    }
    session.refresh();
  }
}
