// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { askRestore } from 'm2r2/label_set.js';
import { restoreWork, workOf } from 'm2r2/saving.js';

const PAUSE_MS = 250;

/**
 * Keeps the unsaved work of all recordings in the browser, and in this page where the browser has
 * no room.
 */
export class UnsavedWork {
  #works = new Map();
  #timer = 0;

  /** @param {Drafts} drafts */
  constructor(drafts) {
    this.drafts = drafts;
  }

  /** Ids of the recordings with unsaved work that this page knows of. */
  get unsaved() {
    return new Set(this.#works.keys());
  }

  /** Keeps the work of a session soon. */
  keepSoon(session) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.keep(session), PAUSE_MS);
  }

  keep(session) {
    clearTimeout(this.#timer);
    if (session.draft.held) return;
    if (session.draft.changed) {
      const work = workOf(session);
      this.#works.set(session.id, work);
      session.kept = this.drafts.keep(nameOf(session), work);
    } else if (this.#works.has(session.id)) {
      this.drop(session);
    }
  }

  /** Forgets the work of a session, which is saved or not wanted. */
  drop(session) {
    this.#works.delete(session.id);
    this.drafts.drop(nameOf(session));
    session.kept = true;
  }

  /**
   * Puts back what was unsaved of a session: without asking where this page left it.
   * @param {() => boolean} open whether the session is still open
   */
  async restore(session, open) {
    const own = this.#works.get(session.id);
    const work = own ?? this.drafts.find(nameOf(session));
    if (!work) return;
    let wanted = own ? true : null;
    while (wanted === null && open()) wanted = await askRestore(work.at, work.edits);
    if (!open()) return;
    if (wanted) restoreWork(session, work);
    else this.drop(session);
  }
}

function nameOf({ page }) {
  return `${page.name}/${page.start_ns}`;
}
