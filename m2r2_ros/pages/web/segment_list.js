// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

/** The shortest segment that an edit may leave, in nanoseconds. */
export const SHORTEST_NS = 1_000_000;

/**
 * Segments of a lane as a draft keeps them: frozen, ordered and apart.
 * @param {Array[]} rows [start_ns, end_ns, label, confidence, margin, reason] each
 * @param {(index: number) => boolean} accepted whether the row was accepted
 * @returns {{start, end, label, confidence, margin, reason, accepted}[]}
 */
export function segmentsOf(rows, accepted = () => false) {
  const entries = rows.map((row, index) => ({
    start: row[0],
    end: row[1],
    label: row[2],
    confidence: row[3] ?? null,
    margin: row[4] ?? null,
    reason: row[5] ?? '',
    accepted: accepted(index),
  }));
  entries.sort((one, other) => one.start - other.start);
  const result = [];
  let free = -Infinity;
  for (const entry of entries) {
    const start = Math.max(entry.start, free);
    if (entry.end - start < SHORTEST_NS) continue;
    result.push(Object.freeze({ ...entry, start }));
    free = entry.end;
  }
  return result;
}

/** Segments as rows of a lane: [start_ns, end_ns, label, confidence, margin, reason] each. */
export function rowsOf(segments) {
  return segments.map((segment) => [
    segment.start,
    segment.end,
    segment.label,
    segment.confidence,
    segment.margin,
    segment.reason,
  ]);
}

/** A segment with changes by hand, which accept it. */
export function edited(segment, changes) {
  return Object.freeze({ ...segment, ...changes, accepted: true });
}

/** A copy of a list with `count` segments from `start` on replaced. */
export function spliced(list, start, count, ...segments) {
  return [...list.slice(0, start), ...segments, ...list.slice(start + count)];
}

/**
 * A copy of a list in which `segments`, cut to [start, end), replace what lies there. What is left
 * of others is dropped where it is too short to be a segment.
 */
export function replaced(list, start, end, segments) {
  const pieces = [];
  for (const segment of list) {
    if (segment.end <= start || segment.start >= end) {
      pieces.push(segment);
      continue;
    }
    if (start - segment.start >= SHORTEST_NS) pieces.push(edited(segment, { end: start }));
    if (segment.end - end >= SHORTEST_NS) pieces.push(edited(segment, { start: end }));
  }
  for (const segment of segments) {
    const from = Math.max(segment.start, start);
    const to = Math.min(segment.end, end);
    if (to - from >= SHORTEST_NS) pieces.push(Object.freeze({ ...segment, start: from, end: to }));
  }
  return pieces.sort((one, other) => one.start - other.start);
}

/** Whether two lists hold equal segments. */
export function same(list, others) {
  if (list.length !== others.length) return false;
  return list.every((segment, index) => {
    const other = others[index];
    return segment === other || Object.keys(segment).every((key) => segment[key] === other[key]);
  });
}

/** Indices of the segments not yet accepted: by margin, or by confidence where there is none. */
export function byDoubt(list) {
  const sureness = ({ label, margin, confidence }) =>
    label < 0 ? -1 : (margin ?? confidence ?? 0);
  return list
    .map((segment, index) => index)
    .filter((index) => !list[index].accepted)
    .sort((one, other) => sureness(list[one]) - sureness(list[other]) || one - other);
}
