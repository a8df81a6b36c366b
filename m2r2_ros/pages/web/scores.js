// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { make, named } from 'm2r2/dom.js';

const MOST_LABELS = 60;

/**
 * Show how well lanes agree with the truth: metrics, and the confusion of the labels.
 * @param {HTMLElement} parent
 * @param {Array} scores as in the page
 */
export function showScores(parent, scores) {
  for (const score of scores) {
    const block = make('section', { class: 'score' }, make('h3', {}, named(score.title)));
    if (score.intro) block.append(make('p', { class: 'score-intro' }, score.intro));
    const metrics = (score.metrics ?? []).map(([name, value]) =>
      make('div', { class: 'metric' }, make('dt', {}, name), make('dd', {}, String(value))),
    );
    if (metrics.length > 0) block.append(make('dl', { class: 'metrics' }, ...metrics));
    if (score.confusion?.labels.length > 0) block.append(confusionTable(score.confusion));
    parent.append(block);
  }
}

/** Show tables of facts, such as those of the model. */
export function showFacts(parent, facts) {
  for (const { title, rows } of facts) {
    const lines = rows.map(([name, value]) => {
      const head = make('th', { scope: 'row' }, named(String(name)));
      return make('tr', {}, head, make('td', {}, named(String(value))));
    });
    const table = make('table', {}, make('tbody', {}, ...lines));
    parent.append(make('section', { class: 'fact' }, make('h3', {}, title), table));
  }
}

function confusionTable({ labels, rows }) {
  const shown = labels.slice(0, MOST_LABELS);
  const heads = shown.map((name) =>
    make('th', { scope: 'col', title: name }, make('div', {}, named(name))),
  );
  const corner = make('td', { class: 'corner' }, 'true \\ predicted');
  const body = shown.map((name, k) => {
    const total = rows[k].reduce((sum, value) => sum + value, 0);
    const cells = shown.map((other, m) => cell(rows[k][m], total, name, other, k === m));
    return make('tr', {}, make('th', { scope: 'row', title: name }, named(name)), ...cells);
  });
  const table = make(
    'table',
    { class: 'confusion', 'aria-label': 'confusion of the labels' },
    make('thead', {}, make('tr', {}, corner, ...heads)),
    make('tbody', {}, ...body),
  );
  const box = make('div', { class: 'confusion-box' }, table);
  if (labels.length > MOST_LABELS) {
    box.append(make('p', {}, `The first ${MOST_LABELS} of ${labels.length} labels.`));
  }
  return box;
}

function cell(count, total, truth, other, right) {
  const share = total > 0 ? count / total : 0;
  const percent = `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
  const text = count > 0 ? short(count) : '';
  const made = make('td', { title: `${truth} taken for ${other}: ${count} (${percent})` }, text);
  if (count > 0) {
    made.classList.add(right ? 'right' : 'wrong');
    made.style.setProperty('--share', `${Math.round(8 + share * 77)}%`);
    if (share > 0.6) made.classList.add('strong');
  }
  return made;
}

function short(count) {
  if (!Number.isInteger(count)) return count.toFixed(2);
  if (count < 10000) return String(count);
  return count < 1e6 ? `${Math.round(count / 1e3)}k` : `${(count / 1e6).toFixed(1)}M`;
}
