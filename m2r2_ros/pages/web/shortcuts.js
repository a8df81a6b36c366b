// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { make } from 'm2r2/dom.js';
import { dialog } from 'm2r2/label_set.js';

/**
 * Every key: [action, keys, what it does, group, words for the bar ('' for help only)].
 * A key is the event's key with Ctrl+ (also for Cmd), Alt+, Shift+ in front; letters in lower case.
 */
export const SHORTCUTS = [
  ['play', [' '], 'play or pause', 'Watch', 'play'],
  ['slower', [','], 'slower: 4, 2, 1, 0.5, 0.25 times', 'Watch', ''],
  ['faster', ['.'], 'faster', 'Watch', 'slower, faster'],
  ['loop', ['g'], 'loop over the selected segment', 'Watch', 'loop'],
  ['stepBack', ['j'], 'cursor back by 40 ms', 'Watch', ''],
  ['stepOn', ['l'], 'cursor on by 40 ms', 'Watch', ''],
  ['secondBack', ['Shift+j'], 'cursor back by 1 s', 'Watch', ''],
  ['secondOn', ['Shift+l'], 'cursor on by 1 s', 'Watch', ''],
  ['nextDoubtful', ['n'], 'next doubtful segment, lowest margin first', 'Find', 'next doubtful'],
  ['previousDoubtful', ['Shift+n'], 'back to the doubtful segment before', 'Find', ''],
  ['previousSegment', ['a'], 'segment to the left', 'Find', ''],
  ['nextSegment', ['d'], 'segment to the right', 'Find', 'left, right'],
  ['fit', ['f'], 'zoom to the selected segment', 'Find', 'zoom to it'],
  ['view', ['ArrowLeft', 'ArrowRight'], 'pan', 'Find', ''],
  ['view', ['ArrowUp', 'ArrowDown', '+', '-'], 'zoom', 'Find', ''],
  ['view', ['Home', 'End', '0'], 'start, end, whole recording', 'Find', ''],
  ['accept', ['Enter'], 'accept the segment and go to the next doubtful one', 'Edit', 'accept'],
  ['acceptAll', ['Shift+Enter'], 'accept all segments', 'Edit', ''],
  ['palette', ['/'], 'find a label by name, or type a new one', 'Edit', 'find label'],
  ['split', ['s'], 'split at the cursor', 'Edit', 'split'],
  ['mergeNext', ['m'], 'merge with the next segment', 'Edit', 'merge'],
  ['mergePrevious', ['Shift+m'], 'merge with the previous segment', 'Edit', ''],
  ['remove', ['x', 'Delete'], 'delete: the time becomes unlabelled', 'Edit', 'delete'],
  ['givePrevious', ['Backspace'], 'delete and give the time to the previous segment', 'Edit', ''],
  ['giveNext', ['Shift+Backspace'], 'delete and give the time to the next segment', 'Edit', ''],
  ['edgeStart', ['['], 'go to the start of the segment', 'Edit', ''],
  ['edgeEnd', [']'], 'go to the end of the segment', 'Edit', 'start, end'],
  ['nudgeBack', ['Shift+ArrowLeft'], 'boundary back by 10 ms', 'Edit', ''],
  ['nudgeOn', ['Shift+ArrowRight'], 'boundary on by 10 ms', 'Edit', 'nudge'],
  ['nudgeFarBack', ['Ctrl+Shift+ArrowLeft'], 'boundary back by 100 ms', 'Edit', ''],
  ['nudgeFarOn', ['Ctrl+Shift+ArrowRight'], 'boundary on by 100 ms', 'Edit', ''],
  ['edgeHere', ['e'], 'boundary to the cursor', 'Edit', 'boundary here'],
  ['markIn', ['i'], 'mark from the cursor; a label’s key then labels it', 'Edit', ''],
  ['markOut', ['o'], 'mark up to the cursor', 'Edit', 'mark in, out'],
  [
    'take',
    ['t'],
    'take the suggestion for the segment or the marked time',
    'Edit',
    'take suggestion',
  ],
  [
    'record',
    ['r'],
    'label while playing: a label’s key ends a segment and begins the next, X only ends it',
    'Edit',
    'label while playing',
  ],
  ['undo', ['Ctrl+z'], 'undo', 'Edit', 'undo'],
  ['redo', ['Ctrl+Shift+z', 'Ctrl+y'], 'redo', 'Edit', ''],
  ['escape', ['Escape'], 'drop the mark or the selection; end labelling while playing', 'Edit', ''],
  ['save', ['Ctrl+s'], 'save', 'Recordings', 'save'],
  ['done', ['Ctrl+Enter'], 'save as done and open the next recording', 'Recordings', 'done, next'],
  ['nextRecording', ['PageDown'], 'next recording that needs work', 'Recordings', ''],
  ['previousRecording', ['PageUp'], 'previous recording that needs work', 'Recordings', ''],
  ['list', ['b'], 'show or hide the list of recordings', 'Recordings', 'list'],
  ['help', ['?'], 'all shortcuts', 'Recordings', 'all keys'],
];

const ACTIONS = new Map(SHORTCUTS.flatMap(([action, keys]) => keys.map((key) => [key, action])));
const NAMES = {
  ' ': 'Space',
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  Escape: 'Esc',
  PageDown: 'PgDn',
  PageUp: 'PgUp',
  Delete: 'Del',
  Backspace: '⌫',
};

/** Keys for labels, in the order in which labels get them: no shortcut has one of them. */
export const LABEL_KEYS = [...'123456789qwyupzcvhk'];

/** The key of an event as SHORTCUTS writes it. */
export function keyOf(event) {
  const named = event.key.length > 1;
  let key = named ? event.key : event.key.toLowerCase();
  // letters of other scripts are known by their place on the keyboard
  if (!named && key > '~' && event.code.startsWith('Key')) key = event.code.at(-1).toLowerCase();
  const letter = named || key !== key.toUpperCase();
  // AltGr, which some keyboards need for brackets, counts as Ctrl and Alt
  const plain = event.getModifierState('AltGraph');
  const control = !plain && (event.ctrlKey || event.metaKey) ? 'Ctrl+' : '';
  const alt = !plain && event.altKey ? 'Alt+' : '';
  return `${control}${alt}${event.shiftKey && letter ? 'Shift+' : ''}${key}`;
}

/** The action of a keyboard event, or undefined. */
export function actionOf(event) {
  return ACTIONS.get(keyOf(event));
}

function keycaps(keys) {
  return keys.map((key) =>
    make(
      'kbd',
      {},
      key
        .split(/\+(?=.)/)
        .map((part) => NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : part))
        .join('+'),
    ),
  );
}

/** The bar of the shortcuts that are used most. */
export function shortcutBar() {
  const bar = make('div', { id: 'shortcut-bar', 'aria-label': 'shortcuts' });
  let keys = [];
  for (const [, own, , , words] of SHORTCUTS) {
    // a pair such as slower and faster shares the words of its second
    keys.push(own[0]);
    const pair = words.includes(', ');
    if (words)
      bar.append(
        make(
          'span',
          {},
          ...keycaps(pair && keys.length > 1 ? keys.slice(-2) : keys.slice(-1)),
          ` ${words}`,
        ),
      );
    if (words) keys = [];
  }
  bar.prepend(make('span', {}, make('kbd', {}, '1'), '…', make('kbd', {}, 'K'), ' label'));
  return bar;
}

/** The help that ? shows; resolves when it is closed. */
export function showHelp() {
  return dialog('help', 'Keyboard and mouse', (box, answer) => {
    const columns = make('div', { class: 'columns' });
    for (const group of ['Watch', 'Find', 'Edit', 'Recordings']) {
      const table = make('table');
      for (const [, keys, text, own] of SHORTCUTS) {
        if (own === group)
          table.append(make('tr', {}, make('th', {}, ...keycaps(keys)), make('td', {}, text)));
      }
      columns.append(make('section', {}, make('h3', {}, group), table));
    }
    const mouse = [
      ['drag a boundary', 'move it; it snaps to gripper, velocity and force events, not with Alt'],
      ['drag over empty time', 'mark it; a label’s key then labels it'],
      ['click a segment', 'select it; in another lane it becomes the suggestion that T takes'],
      ['wheel', 'zoom at the pointer; with Shift: pan'],
      ['1 … 9, Q …', 'the label with that key: relabels the segment or labels the mark'],
    ];
    columns.append(
      make(
        'section',
        {},
        make('h3', {}, 'Mouse and labels'),
        make(
          'table',
          {},
          ...mouse.map(([what, text]) =>
            make('tr', {}, make('th', {}, what), make('td', {}, text)),
          ),
        ),
      ),
    );
    box.append(columns);
    box.addEventListener('click', (event) => event.target === box && answer(null));
    box.addEventListener('keydown', (event) => event.key === '?' && answer(null));
  });
}
