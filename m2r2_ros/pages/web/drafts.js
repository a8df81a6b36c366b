// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

const PREFIX = 'm2r2.review';

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** What the browser keeps: unsaved work, the folder's label set, the annotator's name. */
export class Drafts {
  /** @param {string} folder name of the folder */
  constructor(folder) {
    this.folder = folder;
  }

  /**
   * Keeps the unsaved work on a recording.
   * @param {string} name
   * @param {{labels, segments, from, edits, seconds}} work
   * @returns {boolean} false where the browser has no room for it
   */
  keep(name, work) {
    return write(this.#key('draft', name), { ...work, at: Date.now() });
  }

  /** The unsaved work on a recording with `at`, when it was kept (ms since 1970), or null. */
  find(name) {
    const work = read(this.#key('draft', name));
    return work && Array.isArray(work.segments) && Array.isArray(work.labels) ? work : null;
  }

  drop(name) {
    localStorage.removeItem(this.#key('draft', name));
  }

  get labelSet() {
    return read(this.#key('labels', '')) ?? [];
  }

  set labelSet(labels) {
    write(this.#key('labels', ''), labels);
  }

  get annotator() {
    return read(`${PREFIX}.annotator`) ?? '';
  }

  set annotator(name) {
    write(`${PREFIX}.annotator`, name);
  }

  get listHidden() {
    return read(`${PREFIX}.list`) === false;
  }

  set listHidden(hidden) {
    write(`${PREFIX}.list`, !hidden);
  }

  #key(kind, name) {
    return `${PREFIX}.${kind}/${this.folder}/${name}`;
  }
}
