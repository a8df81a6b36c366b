// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { make, named, setText } from 'm2r2/dom.js';
import { SECOND } from 'm2r2/segments.js';
import { safeColour } from 'm2r2/theme.js';
import { formatTime } from 'm2r2/time.js';

const WHOLE_LIST = 500;
const LINE = 25;
const SPARE = 12;

const COLUMNS = [
  { key: 'lane', title: 'lane', text: true },
  { key: 'label', title: 'label', text: true },
  { key: 'parent', title: 'parent', text: true },
  { key: 'start', title: 'start', show: (row) => formatTime(row.start, 3) },
  { key: 'end', title: 'end', show: (row) => formatTime(row.end, 3) },
  { key: 'length', title: 'length (s)', show: (row) => row.length.toFixed(3) },
  { key: 'confidence', title: 'confidence', show: (row) => share(row.confidence) },
  { key: 'margin', title: 'margin', show: (row) => share(row.margin) },
  { key: 'reason', title: 'reason', text: true },
];

/** A table of all segments of a view's lanes, to sort and filter; a click jumps to one. */
export class SegmentTable {
  #rows = [];
  #shown = [];
  #sort = { key: 'start', down: false };
  #from = -1;
  #selected = '';
  #opening = false;

  constructor(parent, view) {
    this.view = view;
    this.#build(parent);
    this.#collect();
    view.addEventListener('lanes', () => this.#collect());
    view.addEventListener('select', ({ detail }) => this.#mark(detail));
  }

  #build(parent) {
    const text = { type: 'search', placeholder: 'filter text', 'aria-label': 'filter by text' };
    this.text = make('input', text);
    this.label = make('select', { 'aria-label': 'filter by label' });
    this.lane = make('select', { 'aria-label': 'filter by lane' });
    this.count = make('span', { class: 'seg-count', role: 'status' });
    for (const input of [this.text, this.label, this.lane]) {
      input.addEventListener('input', () => this.#filter());
    }
    this.heads = COLUMNS.map((column) => this.#head(column));
    this.body = make('tbody');
    const table = make(
      'table',
      { class: 'seg-table', 'aria-label': 'segments' },
      make('thead', {}, make('tr', {}, ...this.heads)),
      this.body,
    );
    const area = { class: 'seg-scroll', tabindex: '0', role: 'group', 'aria-label': 'segments' };
    this.scroll = make('div', area, table);
    this.scroll.addEventListener('scroll', () => this.#fill());
    const bar = make('div', { class: 'seg-bar' }, this.text, this.label, this.lane, this.count);
    parent.append(bar, this.scroll);
    this.body.addEventListener('click', (event) => {
      const { row } = event.target.closest('tr');
      if (!row) return;
      this.#open(row);
      const lane = this.view.lane(row.id).element;
      lane.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
    });
    this.scroll.addEventListener('keydown', (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step || event.target !== this.scroll) return;
      event.preventDefault();
      this.#step(step);
    });
  }

  #head(column) {
    const button = make('button', { type: 'button' }, column.title);
    const head = make('th', { scope: 'col', class: column.text ? '' : 'number' }, button);
    button.addEventListener('click', () => {
      const same = this.#sort.key === column.key;
      this.#sort = { key: column.key, down: same && !this.#sort.down };
      this.#filter();
    });
    return head;
  }

  #collect() {
    const { labels, lanes } = this.view;
    this.#rows = lanes.flatMap((lane) =>
      lane.segments.map(([start, end, index, confidence, margin, reason], k) => ({
        id: lane.id,
        index: k,
        lane: lane.title,
        label: labels[index]?.name ?? 'unknown',
        parent: labels[index]?.parent ?? '',
        colour: labels[index]?.colour ?? this.view.page.unknown,
        start: start / SECOND,
        end: end / SECOND,
        length: (end - start) / SECOND,
        confidence,
        margin,
        reason: reason ?? '',
      })),
    );
    const names = [...new Set(this.#rows.map((row) => row.label))].sort();
    offer(this.label, 'all labels', names.map((name) => [name, name]));
    offer(this.lane, 'all lanes', lanes.map((lane) => [lane.id, lane.title]));
    this.#filter();
  }

  #filter() {
    const words = this.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const label = this.label.value;
    const lane = this.lane.value;
    const { key, down } = this.#sort;
    this.#shown = this.#rows.filter((row) => {
      if (label && row.label !== label) return false;
      if (lane && row.id !== lane) return false;
      if (words.length === 0) return true;
      const all = `${row.lane} ${row.label} ${row.parent} ${row.reason}`.toLowerCase();
      return words.every((word) => all.includes(word));
    });
    this.#shown.sort((a, b) => (down ? -1 : 1) * compare(a[key], b[key]));
    COLUMNS.forEach((column, k) => {
      const order = column.key !== key ? 'none' : down ? 'descending' : 'ascending';
      this.heads[k].setAttribute('aria-sort', order);
    });
    const total = this.#rows.length;
    const { length } = this.#shown;
    const text = length === total ? `${total} segments` : `${length} of ${total} segments`;
    setText(this.count, text);
    this.#from = -1;
    this.#fill();
  }

  /** Put in the lines that can be seen; all of them where they are few. */
  #fill() {
    const { length } = this.#shown;
    const few = length <= WHOLE_LIST;
    const top = Math.floor(this.scroll.scrollTop / LINE) - SPARE;
    const lines = Math.ceil((this.scroll.clientHeight || 420) / LINE) + 2 * SPARE;
    // An even start keeps the stripes of the lines in place.
    const from = few ? 0 : Math.max(0, Math.min(top, length - lines)) & ~1;
    const to = few ? length : Math.min(from + lines + 1, length);
    if (from === this.#from) return;
    this.#from = from;
    const lined = this.#shown.slice(from, to).map((row) => this.#line(row));
    this.body.replaceChildren(spacer(from), ...lined, spacer(length - to));
    if (length === 0) {
      const none = make('td', { colspan: COLUMNS.length, class: 'seg-none' }, 'No segments.');
      this.body.append(make('tr', {}, none));
    }
  }

  #line(row) {
    const line = make('tr', { 'data-key': keyOf(row.id, row.index) });
    line.row = row;
    if (keyOf(row.id, row.index) === this.#selected) line.classList.add('selected');
    for (const column of COLUMNS) {
      const cell = make('td', { class: column.text ? '' : 'number' });
      if (column.key === 'label') {
        const swatch = make('span', { class: 'swatch' });
        swatch.style.background = safeColour(row.colour);
        cell.append(swatch);
      }
      const text = column.show ? column.show(row) : String(row[column.key]);
      cell.append(column.text ? named(text, { title: text }) : text);
      line.append(cell);
    }
    return line;
  }

  #open({ id, index, start, end }) {
    this.#opening = true;
    this.view.select(id, index);
    this.#opening = false;
    this.view.time.focus(start, end);
    this.view.setCursor(start);
  }

  /** Go to the next or the previous line from the selected one. */
  #step(step) {
    const order = this.#shown.findIndex((row) => keyOf(row.id, row.index) === this.#selected);
    const row = this.#shown[order < 0 ? 0 : order + step];
    if (!row) return;
    this.#open(row);
    this.#reveal(row.id, row.index);
  }

  /** Scroll the table, not the page, to a segment. */
  #reveal(lane, index) {
    const order = this.#shown.findIndex((row) => row.id === lane && row.index === index);
    if (order < 0) return;
    const { scrollTop, clientHeight } = this.scroll;
    const top = order * LINE;
    if (top > scrollTop && top < scrollTop + clientHeight - 3 * LINE) return;
    this.scroll.scrollTop = Math.max(0, top - clientHeight / 3);
  }

  #mark({ lane, index }) {
    this.#selected = keyOf(lane, index);
    if (!this.#opening) this.#reveal(lane, index);
    for (const line of this.body.rows) {
      line.classList.toggle('selected', line.dataset.key === this.#selected);
    }
  }
}

function keyOf(lane, index) {
  return `${index} ${lane}`;
}

function offer(select, all, options) {
  const { value } = select;
  const made = options.map(([key, text]) => make('option', { value: key }, text.slice(0, 60)));
  select.replaceChildren(make('option', { value: '' }, all), ...made);
  select.value = value;
  if (select.selectedIndex < 0) select.value = '';
}

function spacer(lines) {
  const row = make('tr', { class: 'seg-spacer', 'aria-hidden': 'true' });
  row.style.height = `${lines * LINE}px`;
  row.hidden = lines === 0;
  return row;
}

function compare(a, b) {
  if (typeof a === 'string') return a.localeCompare(b);
  const first = Number.isFinite(a) ? a : Infinity;
  const second = Number.isFinite(b) ? b : Infinity;
  return first === second ? 0 : first - second;
}

function share(value) {
  return Number.isFinite(value) ? value.toFixed(3) : '';
}
