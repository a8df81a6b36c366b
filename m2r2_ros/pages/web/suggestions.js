// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { laneSegments } from 'm2r2/bases.js';

function sourceOf(session) {
  return session.page.lanes.find((lane) => lane.id === session.source);
}

/** Takes what the chosen lane says within the marked time or the selected segment. */
export function take(session) {
  const lane = sourceOf(session);
  if (!lane) return 'There is no other lane to take from.';
  const range = session.marks ?? session.draft.segments[session.chosen()];
  if (!range || range.end === null) return 'Select a segment or mark time first.';
  const { start, end } = range;
  session.marks = null;
  if (session.edit((draft) => draft.take(laneSegments(lane), start, end, true), start)) return '';
  session.refresh();
  return `“${lane.title}” says the same here.`;
}

/** Begins anew with all segments of the chosen lane. */
export function takeAll(session) {
  const lane = sourceOf(session);
  if (!lane) return 'There is no other lane to take from.';
  session.edit((draft) => draft.startFrom(laneSegments(lane), lane.id));
  session.goTo(session.draft.nextDoubtful(-1));
  return `Your labels begin anew with “${lane.title}”; Ctrl+Z takes that back.`;
}
