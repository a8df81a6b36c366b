// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

const CHUNK_S = 5;
const AHEAD = 3;
const KEPT = 24;
const RESUME_MS = 400;

let context = null;

/** The sound of a recording, fetched in chunks and scheduled ahead on the sound card's clock. */
export class SoundTrack {
  #chunks = new Map();
  #sources = new Map();
  #anchor = null;

  /** @see Playback */
  constructor(duration, fetchSound) {
    this.duration = duration;
    this.fetchSound = fetchSound;
  }

  /** Wakes the sound card up; resolves with whether there is one to hear. */
  async start() {
    context ??= new AudioContext({ latencyHint: 'interactive' });
    const late = new Promise((resolve) => {
      setTimeout(resolve, RESUME_MS);
    });
    await Promise.race([context.resume().catch(() => {}), late]);
    return context.state === 'running';
  }

  /** Plays from `time` on at a rate; returns heard() of the first sample. */
  begin(time, rate) {
    this.stop();
    const audio = context.currentTime + 0.03;
    this.#anchor = { time, rate, audio };
    this.feed(time);
    return audio;
  }

  /** The time of the sound card, in seconds, of what is heard now. */
  heard() {
    return context.currentTime - (context.outputLatency || 0);
  }

  /** Fetches and schedules what follows `time`. */
  feed(time) {
    const first = Math.floor(time / CHUNK_S);
    for (let index = first; index <= first + AHEAD && index * CHUNK_S < this.duration; index += 1) {
      const chunk = this.#chunk(index);
      if (chunk.buffer && this.#anchor && !this.#sources.has(index))
        this.#schedule(index, chunk.buffer);
    }
  }

  stop() {
    this.#anchor = null;
    for (const source of this.#sources.values()) source.stop();
    this.#sources.clear();
  }

  close() {
    this.stop();
    this.#chunks.clear();
  }

  #chunk(index) {
    let chunk = this.#chunks.get(index);
    this.#chunks.delete(index);
    if (!chunk) {
      chunk = { buffer: null };
      this.#load(index, chunk);
    }
    this.#chunks.set(index, chunk);
    if (this.#chunks.size > KEPT) this.#chunks.delete(this.#chunks.keys().next().value);
    return chunk;
  }

  async #load(index, chunk) {
    try {
      const bytes = await this.fetchSound(
        index * CHUNK_S,
        Math.min((index + 1) * CHUNK_S, this.duration),
      );
      if (bytes) chunk.buffer = await context.decodeAudioData(bytes);
    } catch {
      // asked for again when this time is played again
      this.#chunks.delete(index);
    }
  }

  #schedule(index, buffer) {
    const { time, rate, audio } = this.#anchor;
    const begins = audio + (index * CHUNK_S - time) / rate;
    const late = Math.max(0, context.currentTime - begins) * rate;
    const skip = Math.max(late, time - index * CHUNK_S, 0);
    if (skip >= buffer.duration) return;
    const source = new AudioBufferSourceNode(context, { buffer, playbackRate: rate });
    source.connect(context.destination);
    source.start(Math.max(begins + skip / rate, context.currentTime), skip);
    this.#sources.set(index, source);
  }
}
