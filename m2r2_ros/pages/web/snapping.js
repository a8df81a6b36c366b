// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { SECOND } from 'm2r2/segments.js';

/**
 * The value of an ascending list that is nearest to `value`, or null where none is within `reach`.
 * @param {number[]} sorted
 */
export function nearest(sorted, value, reach) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  const candidates = [sorted[low - 1], sorted[low]].filter((other) => other !== undefined);
  candidates.sort((one, other) => Math.abs(one - value) - Math.abs(other - value));
  return candidates.length && Math.abs(candidates[0] - value) <= reach ? candidates[0] : null;
}

/** Ascending times in seconds of a page's events. */
export function eventTimes(events) {
  return events.map((event) => event.t).sort((one, other) => one - other);
}

/**
 * Where a boundary that is dragged to a time comes to lie.
 * @param {number} seconds where the pointer is
 * @param {number[]} times ascending times of events in seconds
 * @param {number} reach seconds that ten pixels or so cover
 * @returns {{ns: number, snapped: boolean}}
 */
export function snap(seconds, times, reach) {
  const event = nearest(times, seconds, reach);
  return { ns: Math.round((event ?? seconds) * SECOND), snapped: event !== null };
}
