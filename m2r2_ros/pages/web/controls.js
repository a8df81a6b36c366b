// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { make, setText } from 'm2r2/dom.js';
import { button } from 'm2r2/elements.js';
import { RATES } from 'm2r2/playback.js';
import { formatTime } from 'm2r2/time.js';

/** The bar at the top: the recording, what is unsaved, save and done. */
export class TitleBar {
  /** @param {(action: string) => void} act */
  constructor(act) {
    this.name = make('bdi', { id: 'recording-name' });
    this.state = make('span', { id: 'recording-state' });
    this.saved = make('span', { id: 'save-state', role: 'status' });
    this.reading = make('span', { id: 'reading' });
    this.annotator = button('', 'who is labelling: click to change', () => act('annotator'), {
      id: 'annotator-name',
      class: 'plain',
    });
    this.save = button('Save', 'Ctrl+S', () => act('save'), { id: 'save' });
    this.done = button(
      'Done, next',
      'Ctrl+Enter: save as done and open the next recording',
      () => act('done'),
      { id: 'done', class: 'primary' },
    );
    this.element = make(
      'header',
      { id: 'title-bar' },
      button('☰', 'B: list of recordings', () => act('list'), {
        id: 'toggle-list',
        class: 'plain',
        'aria-label': 'list of recordings',
      }),
      this.name,
      this.state,
      this.reading,
      make('span', { class: 'spacer' }),
      this.saved,
      this.annotator,
      this.save,
      this.done,
      button('?', 'all shortcuts', () => act('help'), {
        id: 'help-button',
        class: 'plain',
        'aria-label': 'help',
      }),
    );
  }

  /** Shows the state of a session, null: of none. */
  update(session, { name = '', saving = false, annotator = '', folder = '' }) {
    document.title = name ? `${name} – m2r2 review` : 'm2r2 review';
    setText(this.name, name || folder);
    setText(this.annotator, annotator);
    this.annotator.hidden = !annotator;
    this.save.disabled = !session || saving;
    this.done.disabled = !session || saving;
    if (!session) {
      for (const element of [this.state, this.saved, this.reading]) setText(element, '');
      return;
    }
    const { draft, page } = session;
    setText(this.state, stateOf(draft));
    const count = Math.max(draft.edits, 1);
    const edits = `${count} unsaved ${count === 1 ? 'edit' : 'edits'}`;
    setText(
      this.saved,
      saving
        ? 'saving …'
        : draft.changed
          ? `${edits}${session.kept ? '' : ' (no room in this browser to keep them: save)'}`
          : session.savedAs
            ? `saved as ${session.savedAs}`
            : '',
    );
    this.saved.classList.toggle('unsaved', draft.changed && !saving);
    const progress = session.progress ?? page.progress ?? 1;
    setText(
      this.reading,
      progress < 1 ? `reading the recording: ${Math.floor(progress * 100)} %` : '',
    );
  }
}

function stateOf(draft) {
  const count = draft.segments.length;
  if (!count) return 'no segments';
  const left = draft.doubtful().length;
  const segments = count === 1 ? '1 segment' : `${count} segments`;
  return `${segments}, ${left ? `${left} to accept` : 'all accepted'}`;
}

/** The bar under the cameras: play, time, speed, loop, labelling while playing. */
export class Transport {
  #session = null;

  constructor(act) {
    this.play = button('', 'Space', () => act('play'), {
      id: 'play',
      'aria-label': 'play or pause',
    });
    this.time = make('output', { id: 'time' });
    this.rates = RATES.map((rate) =>
      button(`${rate}×`, ', slower   . faster', () => act('rate', rate), { 'data-rate': rate }),
    );
    this.loop = button('loop', 'G: over the selected segment', () => act('loop'), { id: 'loop' });
    this.record = button(
      'label while playing',
      'R: a label’s key ends a segment and begins the next',
      () => act('record'),
      { id: 'record' },
    );
    this.sound = make('span', { id: 'sound' });
    this.element = make(
      'div',
      { id: 'transport' },
      this.play,
      this.time,
      make('span', { class: 'group', role: 'group', 'aria-label': 'speed' }, ...this.rates),
      this.loop,
      this.record,
      this.sound,
      make('span', { class: 'spacer' }),
      button('↶ undo', 'Ctrl+Z', () => act('undo'), { id: 'undo' }),
      button('↷ redo', 'Ctrl+Shift+Z', () => act('redo'), { id: 'redo' }),
      button('accept all', 'Shift+Enter', () => act('acceptAll'), { id: 'accept-all' }),
    );
    this.undo = this.element.querySelector('#undo');
    this.redo = this.element.querySelector('#redo');
  }

  /** Follows the playback of a session. */
  follow(session) {
    this.#session = session;
    session.playback.addEventListener('time', () => this.#tick());
    this.update(session);
  }

  update(session) {
    const { playback, page } = session;
    setText(this.play, playback.playing ? '❚❚' : '▶');
    this.play.classList.toggle('on', playback.playing);
    for (const choice of this.rates)
      choice.classList.toggle('on', Number(choice.dataset.rate) === playback.rate);
    this.loop.classList.toggle('on', playback.loop !== null);
    this.record.classList.toggle('on', session.recording);
    this.undo.disabled = !session.draft.canUndo;
    this.redo.disabled = !session.draft.canRedo;
    setText(this.sound, page.sound ? '' : 'no sound recorded');
    this.#tick();
  }

  #tick() {
    const { playback, page } = this.#session;
    setText(this.time, `${formatTime(playback.time, 2)} / ${formatTime(page.duration, 2)}`);
  }
}
