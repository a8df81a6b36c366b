// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { make } from 'm2r2/dom.js';
import { labelText } from 'm2r2/elements.js';
import { dialog, parseLabelSet } from 'm2r2/label_set.js';
import { safeColour } from 'm2r2/theme.js';

/**
 * Lets a person find a label by typing a part of its name, or add one.
 * @param {LabelBook} book
 * @returns {Promise<number | null>} index of the label; null where the palette was left
 */
export function askLabel(book) {
  return dialog('palette', 'Label', (box, answer) => {
    const field = make('input', {
      'aria-label': 'label',
      placeholder: 'type a part of a name',
      autocomplete: 'off',
      spellcheck: 'false',
    });
    const list = make('ul', { role: 'listbox' });
    let choices = [];
    let chosen = 0;
    const pick = (choice) => choice && answer(choice.index ?? book.add(choice.label));
    const mark = () =>
      [...list.children].forEach((row, place) => {
        row.setAttribute('aria-selected', String(place === chosen));
        if (place === chosen) row.scrollIntoView({ block: 'nearest' });
      });
    const fill = () => {
      choices = matches(book, field.value.trim());
      chosen = 0;
      list.replaceChildren(
        ...choices.map((choice) => {
          const row = make('li', { role: 'option' });
          const label = choice.label ?? book.labels[choice.index];
          const swatch = make('span', { class: 'swatch' });
          if (label.colour) swatch.style.background = safeColour(label.colour);
          row.append(
            swatch,
            make('bdi', {}, choice.label ? `add “${labelText(label)}”` : labelText(label)),
          );
          const key = choice.label ? '' : book.keyOf(choice.index);
          if (key) row.append(make('kbd', {}, key.toUpperCase()));
          row.addEventListener('click', () => pick(choice));
          return row;
        }),
      );
      mark();
    };
    field.addEventListener('input', fill);
    field.addEventListener('keydown', (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step && choices.length) {
        chosen = (chosen + step + choices.length) % choices.length;
        mark();
      } else if (event.key === 'Enter') pick(choices[chosen]);
      else return;
      event.preventDefault();
    });
    box.append(field, list);
    fill();
  });
}

/** Labels whose name holds a text, those that begin with it first, and a new one of that name. */
function matches(book, text) {
  const wanted = text.toLowerCase();
  const others = book.labels
    .map((label, index) => index)
    .filter((index) => !book.order.includes(index));
  const found = [...book.order, ...others]
    .filter((index) => labelText(book.labels[index]).toLowerCase().includes(wanted))
    .map((index) => ({ index, begins: book.labels[index].name.toLowerCase().startsWith(wanted) }));
  found.sort((one, other) => other.begins - one.begins);
  const typed = parseLabelSet(text).labels;
  if (typed.length === 1 && !book.labels.some((label) => label.name === typed[0].name))
    found.push({ label: typed[0] });
  return found;
}
