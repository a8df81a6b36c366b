// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

const LONGEST_PAUSE_S = 30;

/** Seconds that a person was at work: pauses over 30 s without input are not counted. */
export class Activity {
  seconds = 0;
  #last = null;

  /** Notes an input at a time in seconds. */
  touch(now) {
    const pause = this.#last === null ? 0 : now - this.#last;
    if (pause <= LONGEST_PAUSE_S) this.seconds += pause;
    this.#last = now;
  }

  /** Ends the stretch of work, so that what follows is not counted until the next input. */
  leave() {
    this.#last = null;
  }
}
