// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { make } from 'm2r2/dom.js';
import { CameraRow, Preview } from 'm2r2/media.js';
import { SegmentTip } from 'm2r2/tip.js';

/** What shows the cursor: its lines, the values in the gutter, the tip, the camera image. */
export class CursorMarks {
  constructor(view, { preview }) {
    this.view = view;
    this.line = make('div', { class: 'rv-cursor', hidden: true });
    this.pin = make('div', { class: 'rv-cursor pinned', hidden: true });
    this.lines = make('div', { class: 'rv-lines', 'aria-hidden': 'true' }, this.pin, this.line);
    this.preview = preview ? new Preview(view.element) : null;
    this.tip = new SegmentTip(view, view.element);
  }

  /**
   * Show the cursor and the pinned time, each in seconds or null.
   * @param {object|null} pointer {x, y, target}: where the mouse is in the window
   */
  draw(rows, cursor, pinned, pointer) {
    const { view } = this;
    place(this.line, cursor, view.time);
    place(this.pin, pinned === cursor ? null : pinned, view.time);
    rows.forVisible((row) => row.readAt(cursor));
    this.preview?.show(rows.of(CameraRow), pointer && cursor, pointer?.x ?? 0);
    const row = pointer && view.lane(pointer.target.closest?.('.rv-row')?.dataset.id);
    const index = row && cursor !== null ? row.segmentAt(cursor) : -1;
    if (index >= 0) this.tip.show(row, index, pointer.x, pointer.y);
    else this.tip.hide();
  }
}

function place(line, seconds, time) {
  const seen = seconds !== null && seconds >= time.start && seconds <= time.end;
  line.hidden = !seen;
  if (seen) line.style.transform = `translateX(${time.toX(seconds)}px)`;
}
