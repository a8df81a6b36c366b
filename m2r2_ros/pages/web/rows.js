// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

/** The rows of a view by id, and which of them can be seen. */
export class Rows {
  #rows = new Map();
  #sight;

  /** `appeared(row)` is called when a row that needs drawing comes into sight. */
  constructor(appeared) {
    const seen = ({ target, isIntersecting }) => {
      const row = this.#rows.get(target.dataset.id);
      if (!row) return;
      row.visible = isIntersecting;
      if (isIntersecting && row.dirty) appeared(row);
    };
    this.#sight = new IntersectionObserver((entries) => entries.forEach(seen), {
      rootMargin: '80px',
    });
  }

  get(id) {
    return this.#rows.get(id);
  }

  keys() {
    return this.#rows.keys();
  }

  /** The rows of a class, from top to bottom within their box. */
  of(Kind) {
    const found = [...this.#rows.values()].filter((row) => row instanceof Kind);
    const follows = Node.DOCUMENT_POSITION_FOLLOWING;
    const isBefore = (a, b) => a.element.compareDocumentPosition(b.element) & follows;
    return found.sort((a, b) => (isBefore(a, b) ? -1 : 1));
  }

  /** Call `action` with each row that can be seen. */
  forVisible(action) {
    for (const row of this.#rows.values()) if (row.visible) action(row);
  }

  /** Put a row into a box, before the element `before` or last. */
  add(row, box, before = null) {
    row.element.dataset.id = row.id;
    this.#rows.set(row.id, row);
    box.insertBefore(row.element, before);
    this.#sight.observe(row.element);
  }

  drop(id) {
    const row = this.#rows.get(id);
    this.#sight.unobserve(row.element);
    row.remove();
    this.#rows.delete(id);
  }

  /**
   * Make the rows of one class those of `items`, keeping the rows of items that stay.
   * An item is {id, data}; `make(data)` makes its row.
   */
  keep(Kind, items, box, page, make) {
    const wanted = new Set(items.map((item) => item.id));
    for (const row of this.of(Kind)) if (!wanted.has(row.id)) this.drop(row.id);
    for (const { id, data } of items) {
      const row = this.#rows.get(id);
      if (row) {
        row.set(data, page);
      } else {
        const made = make(data);
        made.id = id;
        this.add(made, box);
      }
    }
  }
}
