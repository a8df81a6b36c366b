// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { askLabel } from 'm2r2/palette.js';
import { SECOND } from 'm2r2/segments.js';
import { take, takeAll } from 'm2r2/suggestions.js';

const STEP_S = 0.04;
const NUDGE_NS = 10_000_000;
const FAR_NS = 100_000_000;

function accept(session) {
  if (session.selected < 0) return next(session, 1);
  session.edit((draft) => draft.accept(session.selected));
  return next(session, 1);
}

function next(session, step) {
  const index = session.draft.nextDoubtful(session.selected, step);
  if (index < 0) return 'All segments are accepted. Ctrl+Enter saves the recording as done.';
  session.goTo(index);
  return '';
}

function neighbour(session, step) {
  const { segments } = session.draft;
  if (session.selected >= 0) {
    session.goTo(Math.min(Math.max(session.selected + step, 0), segments.length - 1));
    return;
  }
  const { now } = session;
  const after = segments.findIndex((segment) => segment.end > now);
  const inside = after >= 0 && segments[after].start <= now;
  const place = after < 0 ? segments.length : after;
  session.goTo(Math.min(Math.max(step > 0 || inside ? place : place - 1, 0), segments.length - 1));
}

function onSegment(operation, then) {
  return (session) => {
    const index = session.chosen();
    if (index < 0) return 'No segment is selected, nor is there one at the cursor.';
    const segment = session.draft.segments[index];
    session.edit((draft) => operation(draft, index, session), then?.(segment, session));
    return '';
  };
}

function edge(side) {
  return (session) => {
    const segment = session.draft.segments[session.chosen()];
    if (!segment) return;
    session.edge = side;
    session.seek(segment[side] / SECOND);
    session.refresh();
  };
}

function nudge(ns) {
  return (session) => {
    const index = session.chosen();
    if (index < 0) return 'Select a segment first; [ and ] choose its start or end.';
    moveEdge(session, index, session.draft.segments[index][session.edge] + ns);
    return '';
  };
}

function moveEdge(session, index, ns) {
  if (session.edit((draft) => draft.moveBoundary(index, session.edge, ns)))
    session.seek(session.draft.segments[index][session.edge] / SECOND);
}

function mark(side) {
  return (session) => {
    const { now, marks } = session;
    const start = side === 'start' ? now : (marks?.start ?? session.draft.gapAt(now)?.start ?? now);
    const end = side === 'end' ? now : marks?.end > now ? marks.end : null;
    session.marks = end === null || end > start ? { start, end } : { start: end, end: start };
    session.selected = -1;
    session.refresh();
  };
}

function label(session, index) {
  if (session.recording) {
    session.mark(index);
    return '';
  }
  if (session.marks) {
    const { start, end } = session.marks;
    const range = [start, end ?? session.now].sort((one, other) => one - other);
    session.marks = null;
    if (!session.edit((draft) => draft.paint(...range, index), range[0])) session.refresh();
    return '';
  }
  return (
    onSegment((draft, selected) => draft.relabel(selected, index))(session) &&
    'Select a segment, or mark time first: drag over empty time, or press I and O.'
  );
}

function loop(session) {
  const segment = session.draft.segments[session.chosen()];
  session.playback.loop =
    session.playback.loop || !segment ? null : { start: segment.start / SECOND, end: segment.end / SECOND };
  session.refresh();
}

function record(session) {
  if (session.recording) session.mark();
  session.recording = !session.recording;
  session.marks = null;
  if (session.recording && !session.playback.playing) session.playback.play();
  session.refresh();
}

function escape(session) {
  if (session.laneMouse.cancel()) return;
  if (session.recording) record(session);
  else if (session.marks) {
    session.marks = null;
    session.refresh();
  } else session.select(-1);
}

const step = (seconds) => (session) => session.seek(session.playback.time + seconds);

/** What each action does to a session. One may return a message for the person. */
export const ACTIONS = {
  play: (session) => {
    session.playback.toggle();
  },
  slower: (session) => {
    session.playback.changeRate(-1);
  },
  faster: (session) => {
    session.playback.changeRate(1);
  },
  loop,
  stepBack: step(-STEP_S),
  stepOn: step(STEP_S),
  secondBack: step(-1),
  secondOn: step(1),
  nextDoubtful: (session) => next(session, 1),
  previousDoubtful: (session) => next(session, -1),
  previousSegment: (session) => neighbour(session, -1),
  nextSegment: (session) => neighbour(session, 1),
  fit: onSegment((draft, index, { view }) => {
    const { start, end } = draft.segments[index];
    const margin = (end - start) * 0.3;
    view.time.set((start - margin) / SECOND, (end + margin) / SECOND);
    return false;
  }),
  accept,
  acceptAll: (session) => {
    session.edit((draft) => draft.acceptAll());
  },
  palette: async (session) => {
    const index = await askLabel(session.book);
    return index === null ? '' : label(session, index);
  },
  label,
  split(session) {
    if (session.edit((draft) => draft.split(session.now), session.now)) session.edge = 'start';
    else return 'The cursor is not within a segment: click where to split it.';
    session.refresh();
    return '';
  },
  mergeNext: onSegment(
    (draft, index) => draft.merge(index, 1),
    (segment) => segment.start,
  ),
  mergePrevious: onSegment(
    (draft, index) => draft.merge(index, -1),
    (segment) => segment.start,
  ),
  remove: (session) => (session.recording ? session.mark() : remove(session)),
  givePrevious: onSegment(
    (draft, index) => draft.give(index, -1),
    (segment) => segment.start,
  ),
  giveNext: onSegment(
    (draft, index) => draft.give(index, 1),
    (segment) => segment.start,
  ),
  edgeStart: edge('start'),
  edgeEnd: edge('end'),
  nudgeBack: nudge(-NUDGE_NS),
  nudgeOn: nudge(NUDGE_NS),
  nudgeFarBack: nudge(-FAR_NS),
  nudgeFarOn: nudge(FAR_NS),
  edgeHere: (session) => {
    if (session.chosen() >= 0) moveEdge(session, session.selected, session.now);
  },
  markIn: mark('start'),
  markOut: mark('end'),
  take,
  takeAll,
  source: (session, id) => {
    session.source = id;
  },
  record,
  undo: (session) => {
    travel(session, (draft) => draft.undo());
  },
  redo: (session) => {
    travel(session, (draft) => draft.redo());
  },
  escape,
};

const remove = onSegment(
  (draft, index) => draft.remove(index),
  () => -1,
);

function travel(session, operation) {
  if (session.laneMouse.cancel()) return;
  session.live = null;
  session.edit(operation, session.draft.segments[session.selected]?.start ?? session.now);
}
