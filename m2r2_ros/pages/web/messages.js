// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { make } from 'm2r2/dom.js';
import { button } from 'm2r2/elements.js';

const SHOWN_MS = 6000;

/** One message at a time: 'note' and 'good' pass, an 'error' stays until it is closed. */
export class Messages {
  #timer = 0;

  constructor() {
    this.element = make('div', { id: 'message', role: 'alert', hidden: true });
  }

  show(text, kind = 'note') {
    clearTimeout(this.#timer);
    this.element.className = kind;
    this.element.replaceChildren(text);
    this.element.hidden = false;
    if (kind === 'error') {
      const attributes = { class: 'plain', 'aria-label': 'close' };
      this.element.append(button('×', 'close', () => this.hide(), attributes));
    } else {
      this.#timer = setTimeout(() => this.hide(), SHOWN_MS);
    }
  }

  hideError() {
    if (this.element.className === 'error') this.hide();
  }

  hide() {
    this.element.hidden = true;
  }
}
