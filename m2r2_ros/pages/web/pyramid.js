// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

export const MISSING = 65535;
export const TOP = 65534;
const FACTOR = 4;
const GAP_STEPS = 4;

/**
 * Least and greatest quantised values of a channel, over buckets and over powers of four of
 * them, so that any zoom needs only a few reads for each pixel.
 */
export class Pyramid {
  /**
   * @param {Uint16Array} lows of the buckets, 65535 where there is no value
   * @param {Uint16Array} highs
   */
  constructor(lows, highs) {
    this.levels = [{ lows, highs, size: 1 }];
    this.count = Math.min(lows.length, highs.length);
    this.longestGap = longestGap(lows, this.count);
    let level = this.levels[0];
    while (level.lows.length > 64) {
      level = coarser(level);
      this.levels.push(level);
    }
  }

  /** The coarsest level whose entries are no wider than `buckets`. */
  level(buckets) {
    let found = this.levels[0];
    for (const level of this.levels) if (level.size <= buckets) found = level;
    return found;
  }
}

function coarser({ lows, highs, size }) {
  const count = Math.ceil(lows.length / FACTOR);
  const low = new Uint16Array(count);
  const high = new Uint16Array(count);
  for (let k = 0; k < count; k += 1) {
    const end = Math.min((k + 1) * FACTOR, lows.length);
    let least = MISSING;
    let greatest = -1;
    for (let m = k * FACTOR; m < end; m += 1) {
      if (lows[m] < least) least = lows[m];
      if (highs[m] !== MISSING && highs[m] > greatest) greatest = highs[m];
    }
    low[k] = least;
    high[k] = greatest < 0 ? MISSING : greatest;
  }
  return { lows: low, highs: high, size: size * FACTOR };
}

/** Buckets between neighbouring values up to which a line joins them. */
function longestGap(lows, count) {
  const steps = new Uint32Array(256);
  let last = -1;
  let found = 0;
  for (let k = 0; k < count; k += 1) {
    if (lows[k] === MISSING) continue;
    if (last >= 0) {
      steps[Math.min(k - last, 255)] += 1;
      found += 1;
    }
    last = k;
  }
  let passed = 0;
  for (let step = 1; step < 256; step += 1) {
    passed += steps[step];
    if (passed * 2 > found) return step === 1 ? 2 : step * GAP_STEPS;
  }
  return 2;
}
