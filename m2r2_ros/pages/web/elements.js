// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { make } from 'm2r2/dom.js';

/** A button that does not take the focus from the recording when it is clicked. */
export function button(text, title, action, attributes = {}) {
  const element = make('button', { type: 'button', title, ...attributes }, text);
  element.addEventListener('click', action);
  element.addEventListener('mousedown', (event) => event.preventDefault());
  return element;
}

/** A label with its parent in front, where it has one. */
export function labelText(label) {
  return label.parent ? `${label.parent}: ${label.name}` : label.name;
}
