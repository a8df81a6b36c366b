// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { rowsOf, segmentsOf } from 'm2r2/segment_list.js';

/** The unsaved work of a session, as the browser keeps it: with names, since indices may change. */
export function workOf({ draft, book, activity }) {
  return {
    labels: book.labels.map(({ name, parent }) => ({ name, parent })),
    segments: rowsOf(draft.segments).map((row, index) => [...row, draft.segments[index].accepted]),
    from: draft.from,
    edits: draft.edits,
    seconds: activity.seconds,
  };
}

/** Puts unsaved work back into a session, as one step that can be undone. */
export function restoreWork(session, work) {
  const { draft, book } = session;
  const used = new Set(work.segments.map((row) => row[2]));
  const indices = work.labels.map((label, index) => (used.has(index) ? book.add(label) : -1));
  const rows = work.segments.map((row) => [
    row[0],
    row[1],
    indices[row[2]] ?? -1,
    ...row.slice(3, 6),
  ]);
  session.edit((edited) =>
    edited.startFrom(
      segmentsOf(rows, (index) => Boolean(work.segments[index][6])),
      work.from,
    ),
  );
  draft.edits = work.edits;
  session.activity.seconds += work.seconds;
  session.select(-1);
}

/** A confidence of 1 is kept for what a person has accepted. */
function sureness(segment) {
  return segment.accepted ? 1 : Math.min(segment.confidence ?? 0, 0.9999);
}

/** The layer to save: what the API of layers takes. */
export function layerOf(session, annotator, done) {
  const { draft, book, activity } = session;
  const segments = draft.segments.filter((segment) => segment.label >= 0);
  const labels = book.saved(segments.map((segment) => segment.label));
  const places = new Map(labels.map((label, place) => [label.name, place]));
  return {
    annotator,
    labels,
    segments: segments.map((segment) => [
      segment.start,
      segment.end,
      places.get(book.labels[segment.label].name),
      sureness(segment),
      segment.accepted,
    ]),
    from: draft.from,
    done,
    edits: draft.edits,
    seconds: Math.round(activity.seconds * 10) / 10,
  };
}

/**
 * Saves the segments of a session as a layer.
 * @returns {Promise<{lane, folder}>} of the server
 * @throws {ApiError} nothing is saved, and nothing of the session has changed
 */
export async function saveLayer(session, api, annotator, done) {
  session.settle();
  const { draft, activity } = session;
  const { segments } = draft;
  const layer = layerOf(session, annotator, done);
  const answer = await api.save(session.id, layer);
  // edits that were made meanwhile belong to the next layer
  draft.markSaved(answer.lane.id, segments, layer.edits);
  activity.seconds = Math.max(0, activity.seconds - layer.seconds);
  session.savedAs = answer.lane.title;
  const lane = {
    ...answer.lane,
    probabilities: null,
    // its labels have the indices of the label set that was saved, these those of the page
    segments: segments
      .filter((segment) => segment.label >= 0)
      .map((segment) => [segment.start, segment.end, segment.label, sureness(segment), null, '']),
  };
  session.view.setLane(lane, { before: session.page.lanes[0]?.id ?? null });
  session.page.lanes.unshift(lane);
  session.refresh();
  return answer;
}
