// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { NOTHING } from 'm2r2/api.js';
import { make } from 'm2r2/dom.js';
import { formatTime } from 'm2r2/time.js';

const IN_FLIGHT = 3;
const KEPT_PIXELS = 24e6;
const KEPT_LEAST = 8;
const FRAMES_PER_SECOND = 15;
/** A camera that begins so much later still has an image at the start, in seconds. */
const FIRST_S = 0.25;
const NOT_READ_YET = 503;
const RETRY_MS = 1000;

/** The large image of a camera at the cursor: the last one asked for wins, playback asks ahead. */
export class CameraScreen {
  #kept = [];
  #pending = new Set();
  #want = null;
  #ahead = [];
  #shown = null;
  #failed = 0;

  /**
   * @param {{id, topic, width, height}} camera
   * @param {(seconds: number) => Promise<{blob: Blob, time: number}>} fetchFrame
   */
  constructor(camera, fetchFrame) {
    this.fetchFrame = fetchFrame;
    this.canvas = make('canvas', { width: camera.width || 4, height: camera.height || 3 });
    this.caption = make('figcaption', { title: camera.topic }, camera.topic);
    this.topic = camera.topic;
    this.element = make(
      'figure',
      { class: 'camera', 'data-camera': camera.id },
      this.canvas,
      this.caption,
    );
  }

  /** Shows the frame at or before a time; `rate` > 0: playback, which fetches ahead. */
  show(seconds, rate = 0) {
    this.#want = seconds;
    const step = rate / FRAMES_PER_SECOND;
    this.#ahead = rate
      ? [1, 2, 3, 4, 5, 6].map((count) => (Math.floor(seconds / step) + count) * step)
      : [];
    this.#draw();
    this.#fetch();
  }

  close() {
    this.#want = null;
    this.#ahead = [];
    for (const frame of this.#kept.splice(0)) frame.bitmap.close();
  }

  /** The frame known to be the newest at `seconds`; playback makes do with one a little older. */
  #frameAt(seconds, slack = 1e-6) {
    return this.#kept
      .filter((frame) => frame.from <= seconds + 1e-6 && seconds <= frame.until + slack)
      .sort((one, other) => other.time - one.time)[0];
  }

  #draw() {
    if (this.#want === null) return;
    const frame =
      this.#frameAt(this.#want) ?? this.#frameAt(this.#want, this.#ahead.length ? 0.5 : 1e-6);
    if (!frame || frame === this.#shown) return;
    this.#shown = frame;
    const { bitmap } = frame;
    if (this.canvas.width !== bitmap.width) this.canvas.width = bitmap.width;
    if (this.canvas.height !== bitmap.height) this.canvas.height = bitmap.height;
    this.canvas.getContext('2d').drawImage(bitmap, 0, 0);
    this.caption.textContent = `${this.topic}  ${formatTime(frame.time, 3)}`;
  }

  #fetch() {
    const asked = [this.#want, ...this.#ahead].find(
      (seconds) => seconds !== null && !this.#pending.has(seconds) && !this.#frameAt(seconds),
    );
    if (asked === undefined || this.#pending.size >= IN_FLIGHT) return;
    this.#load(asked);
    this.#fetch();
  }

  /** The frame at or before a time; before the first, the first one. */
  async #newest(seconds) {
    try {
      return await this.fetchFrame(seconds);
    } catch (error) {
      if (error.status !== NOTHING) throw error;
      return this.fetchFrame(seconds + FIRST_S);
    }
  }

  async #load(seconds) {
    this.#pending.add(seconds);
    try {
      const { blob, time } = await this.#newest(seconds);
      const known = this.#kept.find((frame) => frame.time === time);
      const bitmap = known ? known.bitmap : await createImageBitmap(blob);
      if (!known) this.#keep({ time, from: time, until: time, bitmap });
      const frame = known ?? this.#kept.at(-1);
      frame.from = Math.min(frame.from, seconds);
      frame.until = Math.max(frame.until, seconds);
      this.#failed = 0;
      this.#draw();
    } catch (error) {
      this.#failed += 1;
      if (seconds === this.#want) this.#blank(error);
    } finally {
      this.#pending.delete(seconds);
    }
    // a camera without an image here is asked again when the cursor moves
    if (this.#failed === 0) this.#fetch();
  }

  /** Shows no image rather than one of another time. */
  #blank(error) {
    this.#shown = null;
    this.canvas.getContext('2d').clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.caption.textContent = `${this.topic}  ${error.message}`;
    const { status } = error;
    if (status === NOT_READ_YET) setTimeout(() => this.#fetch(), RETRY_MS);
  }

  #keep(frame) {
    this.#kept.push(frame);
    const most = Math.max(KEPT_LEAST, KEPT_PIXELS / (frame.bitmap.width * frame.bitmap.height));
    while (this.#kept.length > most) this.#kept.shift().bitmap.close();
  }
}
