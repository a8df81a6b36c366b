// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { colourIndex } from 'm2r2/axis.js';
import { make, named } from 'm2r2/dom.js';
import { safeColour } from 'm2r2/theme.js';

/**
 * Show the colours of the labels, by parent. A click on a label dims all others.
 * @param {HTMLElement} parent
 * @param {RecordingView} view
 */
export function showLegend(parent, view) {
  const used = new Set(view.lanes.flatMap((lane) => lane.segments.map((segment) => segment[2])));
  const groups = new Map();
  view.labels.forEach((label, index) => {
    const group = label.parent ?? '';
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push(index);
  });
  const chips = new Map();
  const press = (index) => {
    const next = view.highlight === index ? null : index;
    view.setHighlight(next);
    for (const [key, chip] of chips) chip.setAttribute('aria-pressed', String(key === next));
  };
  const list = make('div', { class: 'legend', role: 'group', 'aria-label': 'labels' });
  for (const [name, indices] of groups) {
    const group = make('div', { class: 'legend-group' });
    if (name) group.append(named(name, { class: 'legend-parent' }));
    for (const index of indices) {
      const chip = makeChip(view.labels[index].name, view.labels[index].colour);
      chip.addEventListener('click', () => press(index));
      chips.set(index, chip);
      group.append(chip);
    }
    list.append(group);
  }
  if (used.has(-1)) {
    const chip = makeChip('unknown', view.page.unknown);
    chip.classList.add('unknown');
    chip.addEventListener('click', () => press(-1));
    chips.set(-1, chip);
    list.append(make('div', { class: 'legend-group' }, chip));
  }
  list.append(...notes(view));
  parent.append(list);
}

/** What the marks other than labels mean. */
function notes(view) {
  const found = [];
  if (view.lanes.some((lane) => view.lane(lane.id).hasTruth)) {
    found.push(note('mistake', 'differs from the ground truth'));
  }
  const kinds = new Set((view.page.events ?? []).map((event) => event.kind));
  for (const kind of kinds) found.push(note(`event channel-${colourIndex(kind)}`, `${kind} event`));
  return found;
}

function note(kind, text) {
  return make('span', { class: 'legend-note' }, make('span', { class: `mark ${kind}` }), text);
}

function makeChip(name, colour) {
  const swatch = make('span', { class: 'swatch' });
  swatch.style.background = safeColour(colour);
  const attributes = { type: 'button', class: 'chip', title: name, 'aria-pressed': 'false' };
  return make('button', attributes, swatch, named(name));
}
