// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { LABEL_KEYS } from 'm2r2/shortcuts.js';

/** The labels of an open recording: their indices, the label set to choose from and its keys. */
export class LabelBook {
  /** Indices of the labels to choose from, those of the label set first. */
  order = [];

  /**
   * @param {{name, parent, colour}[]} labels those of the page; new ones are added in place
   * @param {string[]} palette colours of new labels
   */
  constructor(labels, palette) {
    this.labels = labels;
    this.palette = palette;
  }

  /** Index of a label, which is added where it is new. Names tell labels apart. */
  index({ name, parent = '', colour }) {
    const known = this.labels.findIndex((label) => label.name === name);
    if (known >= 0) return known;
    const own = colour ?? this.palette[this.labels.length % this.palette.length] ?? '#808080';
    return this.labels.push({ name, parent: parent ?? '', colour: own }) - 1;
  }

  /** Makes `labels` the label set; `others` are indices of labels that get keys after it. */
  choose(labels, others = []) {
    this.set = labels.map((label) => this.index(label));
    this.order = [...new Set([...this.set, ...others])];
  }

  /**
   * Chooses the labels of the folder and those that were typed here; where there are none, all of
   * the page.
   */
  begin(offered, typed) {
    const names = new Set(offered.map((label) => label.name));
    const set = [...offered, ...typed.filter((label) => !names.has(label.name))];
    const own = this.labels.map((label, index) => index);
    this.choose(set.length ? set : [...this.labels], own);
  }

  /** Adds a label to the set; returns its index. */
  add(label) {
    const index = this.index(label);
    if (!this.set.includes(index)) this.set.push(index);
    if (!this.order.includes(index)) this.order.push(index);
    return index;
  }

  /** The key of a label, '' where it has none. */
  keyOf(index) {
    const place = this.order.indexOf(index);
    return place < 0 ? '' : (LABEL_KEYS[place] ?? '');
  }

  /** Index of the label with a key, or -1. */
  ofKey(key) {
    return this.order[LABEL_KEYS.indexOf(key)] ?? -1;
  }

  /** {name, parent} of the set's labels, and of those that are used beside it. */
  saved(used = []) {
    return [...new Set([...this.set, ...used])]
      .filter((index) => index >= 0)
      .map((index) => ({ name: this.labels[index].name, parent: this.labels[index].parent ?? '' }));
  }
}
