// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { make } from 'm2r2/dom.js';
import { button } from 'm2r2/elements.js';

/**
 * Reads a label set that a person typed: a label a line, `parent: label, label` for two levels.
 * @returns {{labels: {name, parent}[], problem: string}} `problem` is '' or for people
 */
export function parseLabelSet(text) {
  const labels = [];
  const seen = new Set();
  for (const line of text
    .split('\n')
    .map((part) => part.trim())
    .filter(Boolean)) {
    const colon = line.indexOf(':');
    const parent = colon < 0 ? '' : line.slice(0, colon).trim();
    const names =
      colon < 0
        ? [line]
        : line
            .slice(colon + 1)
            .split(',')
            .map((part) => part.trim())
            .filter(Boolean);
    if (colon >= 0 && (!parent || !names.length))
      return { labels, problem: `“${line}” needs a parent and at least one label` };
    for (const name of names) {
      if (seen.has(name)) return { labels, problem: `“${name}” is there twice` };
      seen.add(name);
      labels.push({ name, parent });
    }
  }
  return { labels, problem: labels.length ? '' : 'Type at least one label' };
}

/** The text that parseLabelSet reads as these labels. */
export function formatLabelSet(labels) {
  const parents = [...new Set(labels.map((label) => label.parent ?? ''))];
  return parents
    .flatMap((parent) => {
      const names = labels
        .filter((label) => (label.parent ?? '') === parent)
        .map((label) => label.name);
      return parent ? [`${parent}: ${names.join(', ')}`] : names;
    })
    .join('\n');
}

/** A modal dialog; resolves with its value, null where it was left with Escape. */
export function dialog(id, title, fill) {
  return new Promise((resolve) => {
    const box = make(
      'dialog',
      { id, class: 'm2r2-dialog', 'aria-label': title },
      make('h2', {}, title),
    );
    let value = null;
    fill(box, (answer) => {
      value = answer;
      box.close();
    });
    // the key that closes a dialog must not act on the recording below it too
    box.addEventListener('keydown', (event) => event.stopPropagation());
    box.addEventListener('close', () => {
      box.remove();
      resolve(value);
    });
    document.body.append(box);
    box.showModal();
  });
}

/** Asks for a label set, beginning with `labels`; resolves with labels or null. */
export function askLabelSet(labels) {
  return dialog('label-set', 'Labels', (box, answer) => {
    const text = make('textarea', {
      rows: 12,
      spellcheck: 'false',
      'aria-label': 'labels',
      placeholder: 'idle\nassembly: pick, insert, place',
    });
    text.value = formatLabelSet(labels);
    const problem = make('p', { class: 'problem', role: 'alert' });
    const send = () => {
      const set = parseLabelSet(text.value);
      problem.textContent = set.problem;
      if (!set.problem) answer(set.labels);
    };
    text.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        send();
      }
    });
    box.append(
      make('p', {}, 'One label a line. For two levels: ', make('code', {}, 'parent: label, label')),
      text,
      problem,
      make(
        'div',
        { class: 'row' },
        button('Use these labels', 'Ctrl+Enter', send, { class: 'primary' }),
        button('Cancel', 'Esc', () => answer(null)),
      ),
    );
  });
}

/** Asks for the annotator's name; resolves with a name or null. */
export function askName(name) {
  return dialog('annotator', 'Who is labelling?', (box, answer) => {
    const field = make('input', {
      value: name,
      maxlength: 100,
      'aria-label': 'name',
      autocomplete: 'name',
    });
    const send = () => field.value.trim() && answer(field.value.trim());
    field.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') {
        event.preventDefault();
        send();
      }
    });
    box.append(
      make('p', {}, 'Your name is kept with the labels that you save.'),
      field,
      make('div', { class: 'row' }, button('Continue', 'Enter', send, { class: 'primary' })),
    );
  });
}

/** Asks whether unsaved work is to be restored; resolves with true, false or null (not decided). */
export function askRestore(at, edits) {
  const when = new Date(at);
  const day =
    when.toDateString() === new Date().toDateString() ? '' : `${when.toLocaleDateString()} `;
  const time = when.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hour12: false });
  return dialog('restore', 'Unsaved work', (box, answer) => {
    box.append(
      make(
        'p',
        {},
        `Unsaved work of ${day}${time} (${edits} ${edits === 1 ? 'edit' : 'edits'}). Restore it?`,
      ),
      make(
        'div',
        { class: 'row' },
        button('Restore', 'Enter', () => answer(true), { class: 'primary', autofocus: true }),
        button('Discard', 'The work is deleted', () => answer(false)),
      ),
    );
  });
}
