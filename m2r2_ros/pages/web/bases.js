// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { Draft } from 'm2r2/edit.js';
import { segmentsOf } from 'm2r2/segment_list.js';
import { SECOND } from 'm2r2/segments.js';

/** The draft that a page's base begins, an empty one where it has none. */
export function draftOf(page) {
  const base = page.lanes.find((lane) => lane.id === page.base?.lane);
  return new Draft(rangeOf(page), base ? laneSegments(base) : [], base?.id ?? '');
}

/**
 * Segments of a lane for a draft. Those of a ground truth count as accepted; of a layer, those of
 * which somebody was sure.
 */
export function laneSegments({ kind, segments }) {
  const accepted = (index) => kind === 'truth' || (kind === 'layer' && segments[index][3] >= 1);
  return segmentsOf(segments, accepted);
}

/** Where segments may lie, in ns: within the recording, and as far as its lanes go. */
function rangeOf(page) {
  const rows = page.lanes.flatMap((lane) => lane.segments);
  return {
    start: rows.reduce((least, row) => Math.min(least, row[0]), 0),
    end: rows.reduce((most, row) => Math.max(most, row[1]), Math.floor(page.duration * SECOND)),
  };
}
