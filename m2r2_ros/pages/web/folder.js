// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { make } from 'm2r2/dom.js';
import { button } from 'm2r2/elements.js';
import { formatTime } from 'm2r2/time.js';

const STATES = [
  ['done', 'done'],
  ['started', 'started'],
  ['doubtful', 'doubtful'],
  ['todo', 'to do'],
  ['unreadable', 'unreadable'],
];
const NEEDS_WORK = new Set(['started', 'doubtful', 'todo']);

/**
 * The id of the recording that needs work next after (1) or before (-1) `id`, around the end of
 * the list; null where none but `id` itself does.
 */
export function nextWork(recordings, id, step = 1) {
  const place = recordings.findIndex((recording) => recording.id === id);
  const count = recordings.length;
  for (let offset = 1; offset <= count; offset += 1) {
    const start = place < 0 && step > 0 ? -1 : Math.max(place, 0);
    const other = recordings[(((start + step * offset) % count) + count) % count];
    if (other.id !== id && NEEDS_WORK.has(other.state)) return other.id;
  }
  return null;
}

/** The list of a folder's recordings; dispatches 'open' with detail id when one is clicked. */
export class FolderList extends EventTarget {
  #folder = null;
  #current = null;
  #unsaved = new Set();
  #state = '';

  constructor() {
    super();
    this.title = make('h1', {});
    this.counts = make('div', { class: 'counts' });
    this.bar = make('div', {
      class: 'progress',
      role: 'progressbar',
      'aria-label': 'recordings done',
    });
    this.filter = make('input', {
      id: 'folder-filter',
      type: 'search',
      placeholder: 'filter',
      'aria-label': 'filter recordings',
    });
    this.filter.addEventListener('input', () => this.#fill());
    this.list = make('ol', { id: 'recordings' });
    this.element = make(
      'aside',
      { id: 'folder' },
      this.title,
      this.bar,
      this.counts,
      this.filter,
      this.list,
    );
  }

  /** Shows the answer of api/folder. */
  update(folder) {
    this.#folder = folder;
    this.title.textContent = folder.folder;
    this.title.title = folder.folder;
    this.#fill();
  }

  /** Marks the recording that is open and those with unsaved work. */
  mark(current, unsaved) {
    const moved = current !== this.#current;
    this.#current = current;
    this.#unsaved = unsaved;
    for (const row of this.list.children) this.#markRow(row);
    if (moved) this.list.querySelector('.current')?.scrollIntoView({ block: 'nearest' });
  }

  #markRow(row) {
    const id = Number(row.dataset.id);
    row.classList.toggle('current', id === this.#current);
    row.classList.toggle('unsaved', this.#unsaved.has(id));
  }

  #fill() {
    const { recordings, counts } = this.#folder;
    this.bar.setAttribute('aria-valuemax', recordings.length);
    this.bar.setAttribute('aria-valuenow', counts.done ?? 0);
    this.bar.replaceChildren(
      ...STATES.filter(([state]) => counts[state]).map(([state]) => {
        const part = make('span', { class: state });
        part.style.flexGrow = counts[state];
        return part;
      }),
    );
    const all = button(`all ${recordings.length}`, 'show all recordings', () => this.#choose(''));
    all.classList.toggle('on', !this.#state);
    this.counts.replaceChildren(
      all,
      ...STATES.filter(([state]) => counts[state]).map(([state, words]) => {
        const choice = button(
          `${counts[state]} ${words}`,
          `show only: ${words}`,
          () => this.#choose(state),
          { class: state },
        );
        choice.classList.toggle('on', this.#state === state);
        return choice;
      }),
    );
    const wanted = this.filter.value.trim().toLowerCase();
    this.list.replaceChildren(
      ...recordings
        .filter(
          (recording) =>
            (!this.#state || recording.state === this.#state) &&
            recording.name.toLowerCase().includes(wanted),
        )
        .map((recording) => this.#row(recording)),
    );
    this.list.querySelector('.current')?.scrollIntoView({ block: 'nearest' });
  }

  #choose(state) {
    this.#state = state === this.#state ? '' : state;
    this.#fill();
  }

  #row(recording) {
    const words = STATES.find(([state]) => state === recording.state)?.[1] ?? recording.state;
    const detail =
      recording.problem ||
      [
        recording.duration ? formatTime(recording.duration, 0) : '',
        recording.segments ? `${recording.segments} segments` : '',
        recording.doubtful ? `${recording.doubtful} doubtful` : '',
        recording.layers ? `${recording.layers} saved` : '',
      ]
        .filter(Boolean)
        .join(' · ');
    const row = make(
      'li',
      {
        class: recording.state,
        'data-id': recording.id,
        'data-state': recording.state,
        title: recording.problem
          ? `${recording.name}: ${recording.problem}`
          : `${recording.name}: ${words}`,
      },
      make('bdi', { class: 'name' }, recording.name),
      make('span', { class: 'state' }, words),
      make('span', { class: 'detail' }, detail),
    );
    if (recording.state !== 'unreadable') {
      row.addEventListener('click', () =>
        this.dispatchEvent(new CustomEvent('open', { detail: recording.id })),
      );
    } else row.setAttribute('aria-disabled', 'true');
    this.#markRow(row);
    return row;
  }
}
