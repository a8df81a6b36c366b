// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { actionOf, keyOf } from 'm2r2/shortcuts.js';

const REPEATED = new Set([
  'view',
  'stepBack',
  'stepOn',
  'secondBack',
  'secondOn',
  'nudgeBack',
  'nudgeOn',
  'nudgeFarBack',
  'nudgeFarOn',
  'undo',
  'redo',
  'previousSegment',
  'nextSegment',
  'nextDoubtful',
  'previousDoubtful',
]);
const ALWAYS = new Set(['save', 'done']);

/** Index of the label whose key was pressed, or -1. */
function labelOf(book, event) {
  const label = book.ofKey(keyOf(event));
  // some keyboards need Shift for digits
  const digit =
    /^Digit[1-9]$/.test(event.code) && !event.ctrlKey && !event.altKey && !event.metaKey;
  return label < 0 && digit ? book.ofKey(event.code.at(-1)) : label;
}

/**
 * Sends keys to actions.
 * @param {(action: string, value?: any) => void} act
 * @param {() => Session | null} current the open session, whose labels have keys
 */
export function listenToKeys(act, current) {
  window.addEventListener('keydown', (event) => {
    if (event.isComposing || document.querySelector('dialog[open]')) return;
    const action = actionOf(event);
    const typing = event.target.closest?.('input, textarea, select');
    if (typing && !ALWAYS.has(action)) {
      if (event.key === 'Escape' || event.key === 'Enter') event.target.blur();
      return;
    }
    const pressed =
      event.target.closest?.('button') &&
      (event.key === ' ' || event.key === 'Enter') &&
      !event.ctrlKey &&
      !event.shiftKey;
    if (pressed) return;
    const session = current();
    if (action === 'view') {
      if (session?.view.handleKey(event)) event.preventDefault();
      return;
    }
    const label = action || !session ? -1 : labelOf(session.book, event);
    if (!action && label < 0) {
      session?.view.handleKey(event);
      return;
    }
    event.preventDefault();
    if (event.repeat && !REPEATED.has(action)) return;
    if (action) act(action);
    else act('label', label);
  });
}
