// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

export const SECOND = 1e9;

/** Index of the segment [start_ns, end_ns, …] that holds a time in seconds, or -1. */
export function segmentAt(segments, seconds) {
  const index = firstEndingAfter(segments, seconds);
  return index < segments.length && segments[index][0] <= seconds * SECOND ? index : -1;
}

/** Index of the first segment that ends after a time in seconds; the count if none. */
export function firstEndingAfter(segments, seconds) {
  const ns = seconds * SECOND;
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (segments[middle][1] <= ns) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Boundaries of segments in order of time.
 *
 * A boundary is {index, left, right, t}: `left` is the segment that ends there and `right`
 * the one that starts there, -1 where none does; `index` is the number of segments
 * that end at or before it; `t` is in seconds.
 */
export function boundariesOf(segments) {
  const found = [];
  for (let k = 0; k < segments.length; k += 1) {
    const [start, end] = segments[k];
    const last = found.at(-1);
    if (last && last.left === k - 1 && segments[k - 1][1] === start) last.right = k;
    else found.push({ index: k, left: -1, right: k, t: start / SECOND });
    found.push({ index: k + 1, left: k, right: -1, t: end / SECOND });
  }
  return found;
}

/** The boundary nearest to a time, within `reach` seconds, or null. */
export function nearestBoundary(boundaries, seconds, reach) {
  let low = 0;
  let high = boundaries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (boundaries[middle].t < seconds) low = middle + 1;
    else high = middle;
  }
  let best = null;
  for (const found of [boundaries[low - 1], boundaries[low]]) {
    if (!found) continue;
    const distance = Math.abs(found.t - seconds);
    if (distance > reach) continue;
    if (!best || distance < Math.abs(best.t - seconds)) best = found;
  }
  return best;
}

/** Stretches [start_ns, end_ns] that both lists label, and label differently. */
export function differences(segments, truth) {
  const found = [];
  let k = 0;
  for (const [start, end, label] of segments) {
    while (k < truth.length && truth[k][1] <= start) k += 1;
    for (let m = k; m < truth.length && truth[m][0] < end; m += 1) {
      if (truth[m][2] < 0 || truth[m][2] === label) continue;
      const from = Math.max(start, truth[m][0]);
      const to = Math.min(end, truth[m][1]);
      const last = found.at(-1);
      if (last && last[1] === from) last[1] = to;
      else if (to > from) found.push([from, to]);
    }
  }
  return found;
}

/** Neighbouring segments of one parent, joined: [start_ns, end_ns, label or -1, parent]. */
export function parentsOf(segments, labels) {
  const found = [];
  for (const [start, end, index] of segments) {
    const name = index < 0 ? '' : (labels[index]?.parent ?? '');
    const last = found.at(-1);
    if (last && last[3] === name && last[1] === start) last[1] = end;
    else found.push([start, end, name ? index : -1, name]);
  }
  return found;
}
