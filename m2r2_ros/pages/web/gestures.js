// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

const CLICK = 4;
const WHEEL_RATE = 0.0016;
const SCROLL_PAUSE = 500;

/**
 * Mouse and touch on the tracks: wheel zooms, a drag pans, a click pins the cursor.
 *
 * A handler nearer to the canvas takes a press for itself with preventDefault() on its
 * 'pointerdown'.
 */
export class Gestures {
  #press = null;
  #zoomed = -Infinity;

  constructor(view, element) {
    this.view = view;
    this.element = element;
    element.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    element.addEventListener('pointerdown', (event) => this.#down(event));
    element.addEventListener('pointermove', (event) => this.#move(event));
    element.addEventListener('pointerup', (event) => this.#up(event));
    element.addEventListener('pointercancel', () => this.#end());
    element.addEventListener('pointerleave', () => view.hover(null, null));
  }

  #timeOf(event) {
    return this.view.time.toTime(event.clientX - this.view.trackLeft());
  }

  #wheel(event) {
    if (!event.target.closest('.rv-track')) return;
    const { time } = this.view;
    const scale = event.deltaMode === 1 ? 18 : event.deltaMode === 2 ? 400 : 1;
    const sideways = event.shiftKey ? event.deltaX || event.deltaY : event.deltaX;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      time.pan(((sideways * scale) / time.width) * time.span);
      return;
    }
    // Zoomed out all the way, the wheel scrolls the page, unless it has just zoomed.
    const idle = event.timeStamp - this.#zoomed > SCROLL_PAUSE;
    if (event.deltaY > 0 && time.isWhole && idle && !event.ctrlKey) return;
    event.preventDefault();
    this.#zoomed = event.timeStamp;
    const rate = event.ctrlKey ? WHEEL_RATE * 3 : WHEEL_RATE;
    time.zoom(Math.exp(event.deltaY * scale * rate), this.#timeOf(event));
  }

  #down(event) {
    const track = event.target.closest('.rv-track');
    if (!track || event.button !== 0 || event.defaultPrevented) return;
    const { start, end } = this.view.time;
    this.#press = { x: event.clientX, id: event.pointerId, start, end, target: event.target };
    this.#press.moved = false;
  }

  #move(event) {
    const press = this.#press;
    if (!press || press.id !== event.pointerId) {
      const track = event.target.closest('.rv-track');
      this.view.hover(track ? this.#timeOf(event) : null, event);
      return;
    }
    const shift = event.clientX - press.x;
    if (!press.moved && Math.abs(shift) < CLICK) return;
    if (!press.moved) {
      press.moved = true;
      this.element.setPointerCapture(event.pointerId);
      this.element.classList.add('panning');
    }
    const { time } = this.view;
    const seconds = (-shift / time.width) * (press.end - press.start);
    time.set(press.start + seconds, press.end + seconds);
    this.view.hover(this.#timeOf(event), event);
  }

  #up(event) {
    const press = this.#press;
    this.#end();
    if (press && !press.moved) this.view.click(this.#timeOf(event), press.target);
  }

  #end() {
    this.#press = null;
    this.element.classList.remove('panning');
  }
}
