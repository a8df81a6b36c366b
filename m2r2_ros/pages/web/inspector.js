// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { make } from 'm2r2/dom.js';
import { button, labelText } from 'm2r2/elements.js';
import { SECOND } from 'm2r2/segments.js';
import { safeColour } from 'm2r2/theme.js';
import { formatTime } from 'm2r2/time.js';

const time = (ns) => formatTime(ns / SECOND, 3);

/** The panel beside the camera: the labels with their keys, and the selected segment. */
export class Inspector {
  #shown = '';

  /** @param {(action: string, value?: any) => void} act runs an action of the shortcuts */
  constructor(act) {
    this.act = act;
    this.labels = make('div', { id: 'labels', role: 'group', 'aria-label': 'labels' });
    this.segment = make('div', { id: 'segment', 'aria-live': 'polite' });
    this.source = make('select', { id: 'source', title: 'lane that suggestions are taken from' });
    this.source.addEventListener('change', () => {
      act('source', this.source.value);
      this.source.blur();
    });
    this.suggestion = make(
      'div',
      { id: 'suggestion' },
      make('span', {}, 'suggestion '),
      this.source,
      button('take', 'T: take it for the segment or the marked time', () => act('take'), {
        id: 'take',
      }),
      button(
        'take all',
        'begin anew: all segments of this lane in place of yours',
        () => act('takeAll'),
        { id: 'take-all' },
      ),
    );
    this.element = make(
      'div',
      { id: 'panel' },
      make(
        'div',
        { class: 'head' },
        make('h2', {}, 'Labels'),
        button('edit', 'change the label set', () => act('labelSet'), { id: 'edit-labels' }),
      ),
      this.labels,
      this.segment,
      this.suggestion,
    );
  }

  /** Shows the state of a session. */
  update(session) {
    const { draft, selected } = session;
    const current = session.live?.label ?? draft.segments[selected]?.label;
    this.#showLabels(session, current);
    this.segment.replaceChildren(...describe(session));
    const lanes = session.otherLanes();
    this.suggestion.hidden = !lanes.length;
    const state = lanes.map((lane) => lane.id).join('\n');
    if (this.source.dataset.lanes !== state) {
      this.source.dataset.lanes = state;
      this.source.replaceChildren(
        ...lanes.map((lane) => make('option', { value: lane.id }, lane.title)),
      );
    }
    this.source.value = session.source ?? '';
  }

  /** Leaves the buttons alone where nothing has changed: one of them may be pressed just now. */
  #showLabels(session, current) {
    const { book } = session;
    const state = JSON.stringify([
      session.id,
      current ?? null,
      book.order.map((index) => book.labels[index]),
    ]);
    if (state === this.#shown) return;
    this.#shown = state;
    this.labels.replaceChildren(
      ...book.order.map((index) => this.#label(session, index, index === current)),
    );
    this.labels.querySelector('.current')?.scrollIntoView({ block: 'nearest' });
  }

  #label(session, index, current) {
    const label = session.book.labels[index];
    const swatch = make('span', { class: 'swatch' });
    swatch.style.background = safeColour(label.colour);
    const choice = button('', labelText(label), () => this.act('label', index), {
      class: current ? 'label current' : 'label',
      'data-label': label.name,
    });
    choice.append(
      make('kbd', {}, session.book.keyOf(index).toUpperCase()),
      swatch,
      make('bdi', { class: 'name' }, label.name),
    );
    if (label.parent) choice.append(make('bdi', { class: 'parent' }, label.parent));
    return choice;
  }
}

function describe(session) {
  const { draft, selected, marks, live, recording } = session;
  if (recording) {
    const words = live
      ? `“${session.nameOf(live.label)}” since ${time(live.start)}`
      : 'press the label of what happens now';
    return [make('p', { class: 'live' }, make('b', {}, 'Labelling while playing. '), words)];
  }
  if (marks) {
    return [
      make(
        'p',
        { class: 'marked' },
        make(
          'b',
          {},
          `Marked ${time(marks.start)} – ${marks.end === null ? '…' : time(marks.end)}. `,
        ),
        'Press a label’s key.',
      ),
    ];
  }
  const segment = draft.segments[selected];
  if (!segment) {
    const left = draft.doubtful().length;
    const count = draft.segments.length;
    if (!draft.segments.length)
      return [
        make(
          'p',
          {},
          'No segments yet. Press R and label while playing, or drag over the time of a segment.',
        ),
      ];
    return [
      make(
        'p',
        {},
        left
          ? `${left} of ${count} segments are not accepted yet: N goes to the most doubtful one.`
          : `All ${count} segments are accepted: Ctrl+Enter saves the recording as done.`,
      ),
    ];
  }
  const facts = [segment.accepted ? 'accepted' : 'not accepted'];
  if (segment.confidence !== null) facts.push(`confidence ${segment.confidence.toFixed(2)}`);
  if (segment.margin !== null) facts.push(`margin ${segment.margin.toFixed(2)}`);
  if (segment.reason) facts.push(segment.reason);
  const length = ((segment.end - segment.start) / SECOND).toFixed(3);
  return [
    make(
      'h3',
      {},
      make('bdi', {}, session.nameOf(segment.label)),
      ` ${selected + 1} of ${draft.segments.length}`,
    ),
    make('p', { class: 'times' }, `${time(segment.start)} – ${time(segment.end)}, ${length} s`),
    make('p', {}, facts.join(', ')),
  ];
}
