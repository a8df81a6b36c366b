// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { byDoubt, edited, replaced, same, SHORTEST_NS, spliced } from 'm2r2/segment_list.js';

/**
 * The segments that a person is editing, with unlimited undo. Each operation returns whether it
 * changed something; each that did counts as one edit, undo and redo too.
 */
export class Draft {
  #now;
  #past = [];
  #future = [];
  #held = null;
  #saved;

  /**
   * @param {{start: number, end: number}} range where segments may lie, in ns
   * @param {object[]} segments as segmentsOf returns them
   * @param {string} from id of the lane they come from, '' for none
   */
  constructor(range, segments = [], from = '') {
    this.range = range;
    this.from = from;
    this.edits = 0;
    this.#now = segments;
    this.#saved = segments;
  }

  /** The segments in order; do not change them in place. */
  get segments() {
    return this.#now;
  }

  /** Whether something differs from what was last saved. */
  get changed() {
    return this.#now !== this.#saved;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  /** Index of the segment at a time, or -1. */
  at(ns) {
    return this.#now.findIndex((segment) => segment.start <= ns && ns < segment.end);
  }

  /** The empty time around a time as {start, end}, or null within a segment. */
  gapAt(ns) {
    if (this.at(ns) >= 0) return null;
    const next = this.#now.findIndex((segment) => segment.start > ns);
    const before = next < 0 ? this.#now.length - 1 : next - 1;
    return {
      start: before < 0 ? Math.min(this.range.start, ns) : this.#now[before].end,
      end: next < 0 ? Math.max(this.range.end, ns) : this.#now[next].start,
    };
  }

  /** Moves the 'start' or 'end' of a segment, and the neighbour's with it where the two touch. */
  moveBoundary(index, side, ns) {
    const list = this.#base();
    const segment = list[index];
    if (!segment) return false;
    const step = side === 'start' ? -1 : 1;
    const other = side === 'start' ? 'end' : 'start';
    const neighbour = list[index + step];
    const joined = neighbour !== undefined && neighbour[other] === segment[side];
    const own = segment[other] + step * SHORTEST_NS;
    const far = joined
      ? neighbour[side] - step * SHORTEST_NS
      : (neighbour?.[other] ?? this.range[side]);
    const [least, most] = [Math.min(own, far), Math.max(own, far)];
    if (step * (far - own) < 0) return false;
    const at = Math.min(Math.max(Math.round(ns), least), most);
    if (at === segment[side]) return this.#set(list);
    const next = [...list];
    next[index] = edited(segment, { [side]: at });
    if (joined) next[index + step] = edited(neighbour, { [other]: at });
    return this.#set(next);
  }

  /** Splits the segment at a time in two of the same label. */
  split(ns) {
    const list = this.#base();
    const at = Math.round(ns);
    const index = this.at(at);
    const segment = list[index];
    if (!segment || at - segment.start < SHORTEST_NS || segment.end - at < SHORTEST_NS)
      return false;
    return this.#set(
      spliced(list, index, 1, edited(segment, { end: at }), edited(segment, { start: at })),
    );
  }

  /** Joins a segment with the next (1) or previous (-1); the label of `index` stays. */
  merge(index, step) {
    const list = this.#base();
    const [segment, other] = [list[index], list[index + step]];
    if (!segment || !other) return false;
    const whole = edited(segment, {
      start: Math.min(segment.start, other.start),
      end: Math.max(segment.end, other.end),
    });
    return this.#set(spliced(list, Math.min(index, index + step), 2, whole));
  }

  /** Gives a segment a label; the label that it has already accepts it. */
  relabel(index, label) {
    const segment = this.#base()[index];
    if (!segment) return false;
    if (segment.label === label) return this.accept(index);
    const next = edited(segment, { label, confidence: 1, margin: null, reason: '' });
    return this.#set(spliced(this.#base(), index, 1, next));
  }

  /** Labels [start, end), whatever was there. */
  paint(start, end, label) {
    return this.#replace(start, end, [
      { start, end, label, confidence: 1, margin: null, reason: '', accepted: true },
    ]);
  }

  /** Deletes a segment: its time becomes unlabelled. */
  remove(index) {
    if (!this.#base()[index]) return false;
    return this.#set(spliced(this.#base(), index, 1));
  }

  /** Deletes a segment and gives its time to the next (1) or previous (-1). */
  give(index, step) {
    const list = this.#base();
    if (!list[index] || !list[index + step]) return false;
    const side = step > 0 ? 'start' : 'end';
    const heir = edited(list[index + step], { [side]: list[index][side] });
    return this.#set(spliced(list, Math.min(index, index + step), 2, heir));
  }

  accept(index) {
    const segment = this.#base()[index];
    if (!segment || segment.accepted) return false;
    return this.#set(spliced(this.#base(), index, 1, edited(segment, {})));
  }

  acceptAll() {
    if (this.#base().every((segment) => segment.accepted)) return false;
    return this.#set(
      this.#base().map((segment) => (segment.accepted ? segment : edited(segment, {}))),
    );
  }

  /** Takes other segments within [start, end) in place of what is there. */
  take(segments, start, end, accepted) {
    const inside = segments.map((segment) => ({ ...segment, accepted }));
    return this.#replace(start, end, inside);
  }

  /** Begins anew with other segments. */
  startFrom(segments, from) {
    this.from = from;
    return this.#set(segments);
  }

  /** Indices of the segments not yet accepted, the most doubtful first. */
  doubtful() {
    return byDoubt(this.#now);
  }

  /** The one after (1) or before (-1) `index` in that order, the first for others; or -1. */
  nextDoubtful(index, step = 1) {
    const order = this.doubtful();
    if (!order.length) return -1;
    const place = order.indexOf(index);
    return order[place < 0 ? 0 : (place + step + order.length) % order.length];
  }

  /** Until release(), operations are one edit, and each begins with the segments of now. */
  hold() {
    this.#held = this.#now;
  }

  get held() {
    return this.#held !== null;
  }

  release() {
    const [before, after] = [this.#held, this.#now];
    this.#held = null;
    if (before === null) return false;
    this.#now = before;
    return this.#set(after);
  }

  cancel() {
    if (this.#held !== null) this.#now = this.#held;
    this.#held = null;
  }

  undo() {
    return this.#travel(this.#past, this.#future);
  }

  redo() {
    return this.#travel(this.#future, this.#past);
  }

  /** Notes that `segments`, after so many edits, are saved as the lane `from`. */
  markSaved(from, segments, edits) {
    this.from = from;
    this.edits -= edits;
    this.#saved = segments;
  }

  #base() {
    return this.#held ?? this.#now;
  }

  #travel(source, target) {
    if (!source.length || this.#held !== null) return false;
    target.push(this.#now);
    this.#now = source.pop();
    this.edits += 1;
    return true;
  }

  #replace(start, end, segments) {
    [start, end] = [
      Math.max(this.range.start, Math.round(start)),
      Math.min(this.range.end, Math.round(end)),
    ];
    if (end - start < SHORTEST_NS) return false;
    return this.#set(replaced(this.#base(), start, end, segments));
  }

  #set(next) {
    if (same(next, this.#now)) return false;
    if (this.#held === null) {
      this.#past.push(this.#now);
      this.#future.length = 0;
      this.edits += 1;
    }
    this.#now = next;
    return true;
  }
}
