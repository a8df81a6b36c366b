// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { inflate, openContainer } from 'm2r2/container.js';
import { make, named } from 'm2r2/dom.js';
import { openHelp } from 'm2r2/help.js';
import { showLegend } from 'm2r2/legend.js';
import { showFacts, showScores } from 'm2r2/scores.js';
import { SegmentTable } from 'm2r2/table.js';
import { formatDuration } from 'm2r2/time.js';
import { RecordingView } from 'm2r2/view.js';

/**
 * Show a report.
 *
 * `window.m2r2` gets {view, ready_ms}: the view, and the milliseconds from the start of
 * the navigation until the page was built.
 * @param {HTMLElement} root
 * @param {string} base64 of the gzipped container
 */
export async function openReport(root, base64) {
  try {
    const page = await openContainer(await inflate(base64));
    document.title = page.name || 'recording';
    const view = build(root, page);
    window.m2r2 = { view, ready_ms: performance.now() };
  } catch (error) {
    const text = `This report cannot be shown: ${error.message}`;
    root.replaceChildren(make('p', { class: 'failure', role: 'alert' }, text));
    throw error;
  }
}

function build(root, page) {
  root.classList.add('report');
  const legend = make('div', { class: 'legend-box' });
  const timeline = make('div', { class: 'timeline' });
  root.replaceChildren(header(page), legend, timeline);
  const view = new RecordingView(timeline, page);
  showLegend(legend, view);
  addSections(root, page, view);
  document.addEventListener('keydown', (event) => pressKey(event, view));
  return view;
}

function addSections(root, page, view) {
  if (view.lanes.length > 0) new SegmentTable(section(root, 'Segments'), view);
  if (page.scores?.length > 0) showScores(section(root, 'Scores'), page.scores);
  if (page.facts?.length > 0) {
    const facts = make('div', { class: 'facts' });
    section(root, 'Facts').append(facts);
    showFacts(facts, page.facts);
  }
}

function header(page) {
  const help = make('button', { type: 'button', title: 'Keys and mouse (?)' }, 'Help');
  help.addEventListener('click', () => openHelp());
  const about = [formatDuration(page.duration)];
  if (page.start_utc) about.unshift(page.start_utc.replace('T', ' ').replace('Z', ' UTC'));
  return make(
    'header',
    { class: 'page-head' },
    make('h1', {}, named(page.name)),
    make('p', {}, about.join('  ·  ')),
    help,
  );
}

function section(root, title) {
  const made = make('section', { class: 'block' }, make('h2', {}, title));
  root.append(made);
  return made;
}

function pressKey(event, view) {
  if (event.target.closest('input, select, textarea, dialog')) return;
  if (event.target.closest('.seg-scroll') && /^(Arrow|Home|End)/.test(event.key)) return;
  if (event.key === '?') openHelp();
  else if (event.key === 'Escape') view.setCursor(null);
  else view.handleKey(event);
}
