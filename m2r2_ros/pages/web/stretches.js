// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

const PAUSE = 180;
const LONGEST = 20;

/** Replies whose samples are kept. */
export const REPLIES_KEPT = 12;

/** Asks for raw samples when the view is zoomed in further than the overview can show. */
export class StretchLoader {
  #timer = 0;
  #busy = false;
  #asked = [];

  /** null, or async (start, end) giving an opened container with `signals`, or null. */
  fetch = null;

  /** `signalRows()` gives the rows to fill. */
  constructor(view, signalRows) {
    this.view = view;
    this.signalRows = signalRows;
  }

  /** Ask again for what was asked before, because there may be more of it now. */
  forget() {
    this.#asked = [];
    this.look();
  }

  /** Look, after a pause, whether raw samples are missing. */
  look() {
    if (!this.fetch) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#load(), PAUSE);
  }

  async #load() {
    const { time } = this.view;
    const { start, end, span } = time;
    if (this.#busy || span > LONGEST || !this.fetch) return;
    if (this.#asked.some(([from, to]) => from <= start && to >= end)) return;
    const rows = this.signalRows();
    if (!rows.some((row) => row.isCoarse(time) && !row.covers(start, end))) return;
    const spare = Math.min(span / 2, (LONGEST - span) / 2);
    const from = Math.max(0, start - spare);
    const to = Math.min(time.whole, end + spare);
    this.#busy = true;
    const found = await this.#ask(from, to);
    this.#busy = false;
    if (found) {
      this.#asked = [...this.#asked, [from, to]].slice(-REPLIES_KEPT);
      this.#fill(found);
    }
    if (time.start !== start || time.end !== end) this.look();
  }

  async #ask(from, to) {
    try {
      return await this.fetch(from, to);
    } catch {
      return null;
    }
  }

  #fill(found) {
    const page = Array.isArray(found) ? { array: (ref) => ref } : found;
    const signals = Array.isArray(found) ? found : found.signals;
    const rows = this.signalRows();
    for (const signal of signals) {
      rows.find((row) => row.signal.id === signal.id)?.add(signal, page);
    }
    this.view.redraw();
  }
}
