// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { ACTIONS } from 'm2r2/actions.js';
import { api } from 'm2r2/api.js';
import { TitleBar, Transport } from 'm2r2/controls.js';
import { make } from 'm2r2/dom.js';
import { Drafts } from 'm2r2/drafts.js';
import { FolderList, nextWork } from 'm2r2/folder.js';
import { FolderReader } from 'm2r2/folder_reader.js';
import { Inspector } from 'm2r2/inspector.js';
import { UnsavedWork } from 'm2r2/unsaved_work.js';
import { listenToKeys } from 'm2r2/keyboard.js';
import { askLabelSet, askName } from 'm2r2/label_set.js';
import { Messages } from 'm2r2/messages.js';
import { readOverview } from 'm2r2/overview_reader.js';
import { PAGE_ACTIONS } from 'm2r2/page_actions.js';
import { saveLayer } from 'm2r2/saving.js';
import { Session } from 'm2r2/session.js';
import { shortcutBar } from 'm2r2/shortcuts.js';

/**
 * Opens the review page.
 * @param {HTMLElement} root
 */
export async function openReview(root) {
  const review = new Review(root);
  await review.start();
}

class Review {
  #opening = 0;
  #saving = false;

  constructor(root) {
    const act = (action, value) => this.act(action, value);
    this.title = new TitleBar(act);
    this.list = new FolderList();
    this.list.addEventListener('open', ({ detail }) => this.open(detail));
    this.inspector = new Inspector(act);
    this.transport = new Transport(act);
    this.cameras = make('div', { id: 'cameras' });
    this.viewRoot = make('div', { id: 'view' });
    this.messages = new Messages();
    this.stage = make('section', { id: 'stage' }, this.cameras, this.inspector.element);
    this.work = make(
      'div',
      { id: 'work', hidden: true },
      this.stage,
      this.transport.element,
      this.viewRoot,
    );
    root.classList.add('m2r2-review');
    root.append(
      this.title.element,
      this.list.element,
      this.work,
      this.messages.element,
      shortcutBar(),
    );
    this.root = root;
    this.session = null;
    this.folder = null;
    this.reader = new FolderReader(api, (folder) => this.#takeFolder(folder));
    listenToKeys(act, () => this.session);
    this.#listen();
  }

  async start() {
    try {
      await this.reader.read();
    } catch (error) {
      this.messages.show(error.message, 'error');
      return;
    }
    this.drafts = new Drafts(this.folder.folder);
    this.unsavedWork = new UnsavedWork(this.drafts);
    this.root.classList.toggle('no-list', this.drafts.listHidden);
    this.annotator = this.folder.annotator || this.drafts.annotator;
    window.m2r2 = { review: this };
    while (!this.annotator) await this.askAnnotator();
    const first = await this.reader.first();
    if (first === undefined) {
      this.messages.show('No recording of this folder can be read.', 'error');
      this.#update();
    } else await this.open(first);
  }

  /** Runs an action of the shortcuts or of a button. */
  async act(action, value) {
    const own = PAGE_ACTIONS[action];
    if (own) own(this, value);
    else if (this.session) {
      const session = this.session;
      const message = await ACTIONS[action]?.(session, value);
      // a label may be new: the next recordings have it too
      if (action === 'palette') this.drafts.labelSet = session.book.saved();
      if (typeof message === 'string' && message) this.messages.show(message);
      if (session === this.session) this.#update();
    }
  }

  /** Opens a recording; what is unsaved of the one before is kept. */
  async open(id) {
    if (id === null || id === undefined) return;
    this.#opening += 1;
    const turn = this.#opening;
    let page;
    try {
      page = await api.recording(id);
    } catch (error) {
      if (turn === this.#opening)
        this.messages.show(`${this.#recording(id)?.name ?? ''}: ${error.message}`, 'error');
      return;
    }
    if (turn !== this.#opening) return;
    this.#close();
    this.messages.hideError();
    this.work.hidden = false;
    const session = new Session(id, page, this.folder, api, this.viewRoot);
    this.session = session;
    session.book.begin(this.folder.labels, this.drafts.labelSet);
    this.cameras.replaceChildren(...session.screens.map((screen) => screen.element));
    this.stage.classList.toggle('blind', !session.screens.length);
    session.addEventListener('change', () => this.#update());
    session.addEventListener('edit', () => this.unsavedWork.keepSoon(session));
    this.transport.follow(session);
    const { view, draft, playback } = session;
    window.m2r2 = { review: this, session, view, draft, playback };
    this.#update();
    if (page.problems?.length) this.messages.show(page.problems.join('\n'), 'error');
    const open = () => session === this.session;
    readOverview(session, api, open).catch((error) => {
      this.messages.show(`Signals and images cannot be shown: ${error.message}`, 'error');
    });
    await this.unsavedWork.restore(session, open);
    this.#update();
    if (open() && !session.book.order.length) await this.askLabels();
  }

  async save(done) {
    const { session } = this;
    if (!session || this.#saving) return;
    if (!done && !session.draft.changed && !session.live) {
      this.messages.show('Nothing has changed since it was saved.');
      return;
    }
    this.#saving = true;
    this.#update();
    try {
      const answer = await saveLayer(session, api, this.annotator, done);
      this.reader.take(answer.folder);
      this.unsavedWork.drop(session);
      this.unsavedWork.keep(session);
      this.messages.show(`Saved as ${answer.lane.title}${done ? ': done' : ''}.`, 'good');
    } catch (error) {
      this.unsavedWork.keep(session);
      const where = session.kept
        ? 'Your edits are kept in this browser.'
        : 'Keep this page open: your edits are nowhere else.';
      this.messages.show(`Not saved: ${error.message} ${where}`, 'error');
      done = false;
    } finally {
      this.#saving = false;
      this.#update();
    }
    if (!done || session !== this.session) return;
    const next = nextWork(this.folder.recordings, session.id);
    if (next === null)
      this.messages.show('Saved. No other recording of this folder needs work.', 'good');
    else await this.open(next);
  }

  async askLabels() {
    const { session } = this;
    if (!session) return;
    const labels = await askLabelSet(session.book.saved());
    if (!labels) return;
    this.drafts.labelSet = labels;
    session.book.choose(
      labels,
      session.draft.segments.map((segment) => segment.label).filter((index) => index >= 0),
    );
    session.changed();
  }

  #takeFolder(folder) {
    this.folder = folder;
    this.list.update(folder);
    this.#update();
  }

  async askAnnotator() {
    const name = await askName(this.annotator ?? '');
    if (!name) return;
    this.annotator = name;
    this.drafts.annotator = name;
    this.#update();
  }

  #recording(id) {
    return this.folder.recordings.find((recording) => recording.id === id);
  }

  #close() {
    if (!this.session) return;
    this.#settle();
    this.session.close();
    this.session = null;
    this.viewRoot.replaceChildren();
  }

  /** Keeps what is unsaved now. */
  #settle() {
    if (!this.session) return;
    this.session.settle();
    this.unsavedWork.keep(this.session);
  }

  #update() {
    const { session } = this;
    this.title.update(session, {
      name: session ? this.#recording(session.id)?.name : '',
      folder: this.folder?.folder,
      annotator: this.annotator,
      saving: this.#saving,
    });
    if (session) {
      this.inspector.update(session);
      this.transport.update(session);
    }
    const unsaved = this.unsavedWork?.unsaved ?? new Set();
    if (session?.draft.changed) unsaved.add(session.id);
    if (this.folder) this.list.mark(session?.id ?? null, unsaved);
  }

  #listen() {
    const touch = () => this.session?.activity.touch(performance.now() / 1000);
    for (const type of ['keydown', 'pointerdown', 'pointermove', 'wheel'])
      window.addEventListener(type, touch, { capture: true, passive: true });
    window.addEventListener('pagehide', () => this.#settle());
    window.addEventListener('beforeunload', (event) => {
      this.#settle();
      if (this.unsavedWork?.unsaved.size) event.preventDefault();
    });
  }
}
