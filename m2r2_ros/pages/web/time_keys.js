// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

const SHARE = 0.1;
const FAR_SHARE = 0.5;
const ZOOM = 1.4;

/**
 * Move or zoom a TimeView by a key; zooms keep the time `cursor` in place.
 * @returns {boolean} whether the key was one of these
 */
export function pressTimeKey(event, time, cursor) {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const seen = cursor !== null && cursor >= time.start && cursor <= time.end;
  const at = seen ? cursor : undefined;
  const step = time.span * (event.shiftKey ? FAR_SHARE : SHARE);
  const actions = {
    ArrowLeft: () => time.pan(-step),
    ArrowRight: () => time.pan(step),
    ArrowUp: () => time.zoom(1 / ZOOM, at),
    ArrowDown: () => time.zoom(ZOOM, at),
    '+': () => time.zoom(1 / ZOOM, at),
    '=': () => time.zoom(1 / ZOOM, at),
    '-': () => time.zoom(ZOOM, at),
    Home: () => time.set(0, time.span),
    End: () => time.set(time.whole - time.span, time.whole),
    0: () => time.showAll(),
  };
  if (!Object.hasOwn(actions, event.key)) return false;
  event.preventDefault();
  actions[event.key]();
  return true;
}
