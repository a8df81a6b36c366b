// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { SoundTrack } from 'm2r2/sound.js';

export const RATES = [0.25, 0.5, 1, 2, 4];
const STALLED_MS = 500;

/**
 * The clock that camera and sound follow, in seconds from the start of the recording. It is that of
 * the sound card where there is sound, the computer's elsewhere. Dispatches 'time' at each
 * animation frame and 'state' when it starts, stops or changes its rate.
 */
export class Playback extends EventTarget {
  playing = false;
  rate = 1;
  /** null or {start, end}: what is played again and again. */
  loop = null;
  #time = 0;
  #anchor = null;
  #sound = null;
  #frame = 0;

  /**
   * @param {number} duration seconds
   * @param {null | ((start: number, end: number) => Promise<ArrayBuffer | null>)} fetchSound
   */
  constructor(duration, fetchSound) {
    super();
    this.duration = duration;
    if (fetchSound && globalThis.AudioContext) this.#sound = new SoundTrack(duration, fetchSound);
  }

  get time() {
    return this.playing ? this.#read() : this.#time;
  }

  /** Which clock runs: 'sound' or 'computer'. */
  get clock() {
    return this.#anchor?.audio !== undefined ? 'sound' : 'computer';
  }

  async play() {
    if (this.playing) return;
    if (this.#time >= this.duration - 0.01) this.#time = 0;
    if (this.loop && !(this.#time >= this.loop.start && this.#time < this.loop.end))
      this.#time = this.loop.start;
    this.playing = true;
    this.#changed('state');
    const audible = await this.#sound?.start();
    if (!this.playing || this.#anchor) return;
    this.#begin(audible);
    this.#frame = requestAnimationFrame(() => this.#tick());
  }

  pause() {
    if (!this.playing) return;
    this.#time = this.#read();
    this.playing = false;
    this.#anchor = null;
    this.#sound?.stop();
    cancelAnimationFrame(this.#frame);
    this.#changed('state');
  }

  toggle() {
    return this.playing ? this.pause() : this.play();
  }

  seek(seconds) {
    this.#time = Math.min(Math.max(seconds, 0), this.duration);
    if (this.#anchor) this.#begin(this.clock === 'sound');
    this.#changed('time');
  }

  /** Goes to the next slower (-1) or faster (1) rate. */
  changeRate(step) {
    const next = RATES[RATES.indexOf(this.rate) + step];
    if (next !== undefined) this.setRate(next);
  }

  setRate(rate) {
    this.#time = this.time;
    this.rate = rate;
    if (this.#anchor) this.#begin(this.clock === 'sound');
    this.#changed('state');
  }

  close() {
    this.pause();
    this.#sound?.close();
  }

  #begin(audible) {
    const wall = performance.now();
    this.#anchor = { time: this.#time, wall };
    if (audible)
      Object.assign(this.#anchor, { audio: this.#sound.begin(this.#time, this.rate), moved: wall });
  }

  #read() {
    if (!this.#anchor) return this.#time;
    const { time, wall, audio } = this.#anchor;
    const passed =
      audio === undefined ? (performance.now() - wall) / 1000 : this.#sound.heard() - audio;
    return Math.min(Math.max(time, time + passed * this.rate), this.duration);
  }

  #tick() {
    if (!this.playing) return;
    const before = this.#time;
    this.#time = this.#read();
    const now = performance.now();
    if (this.clock === 'sound') {
      if (this.#time !== before) this.#anchor.moved = now;
      else if (now - this.#anchor.moved > STALLED_MS && this.#time < this.duration) {
        // no sound device takes the samples: go on without sound
        this.#sound.stop();
        this.#begin(false);
      }
      this.#sound.feed(this.#time);
    }
    if (this.loop && this.#time >= this.loop.end) this.seek(this.loop.start);
    else this.#changed('time');
    if (this.#time >= this.duration && !this.loop) this.pause();
    else this.#frame = requestAnimationFrame(() => this.#tick());
  }

  #changed(what) {
    this.dispatchEvent(new Event(what));
  }
}
