// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Make an element. Text of the children is always set as text, never as markup.
 * @param {string} tag
 * @param {object} [attributes] attributes of the element; `class` included
 * @param {...(Node|string)} children
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children);
  return element;
}

/** A name that people typed, isolated from the direction of the text around it. */
export function named(text, attributes = {}) {
  return make('bdi', attributes, text);
}

/** Set the text of an element only where it changes. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
