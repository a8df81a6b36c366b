// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { make } from 'm2r2/dom.js';

export const VIEW_KEYS = [
  ['←  →', 'move, with Shift by half a screen'],
  ['↑  ↓  +  −', 'zoom at the cursor'],
  ['Home  End', 'beginning, end'],
  ['0', 'whole recording'],
  ['wheel', 'zoom at the pointer'],
  ['Shift + wheel', 'move'],
  ['drag', 'move'],
  ['click', 'pin the cursor, select a segment'],
  ['click a title', 'fold or unfold a row'],
  ['click a channel', 'show or hide it'],
  ['↑  ↓ in the table', 'next or previous segment'],
  ['Esc', 'unpin the cursor'],
  ['?', 'this help'],
];

/** Show a dialog with the keys; `rows` are pairs of keys and what they do. */
export function openHelp(rows = VIEW_KEYS) {
  const lines = rows.map(([keys, text]) =>
    make('tr', {}, make('th', { scope: 'row' }, make('kbd', {}, keys)), make('td', {}, text)),
  );
  const close = make('button', { type: 'submit' }, 'Close');
  const dialog = make(
    'dialog',
    { class: 'help', 'aria-label': 'keys and mouse' },
    make('h2', {}, 'Keys and mouse'),
    make('table', {}, make('tbody', {}, ...lines)),
    make('form', { method: 'dialog' }, close),
  );
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
