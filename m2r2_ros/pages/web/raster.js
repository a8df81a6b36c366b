// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { rgb } from 'm2r2/theme.js';

/** A colour '#rrggbb' as a raster draws it: its parts, and the word of an opaque pixel. */
export function paintOf(colour) {
  const [red, green, blue] = rgb(colour);
  return { red, green, blue, word: (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0 };
}

/**
 * Pixels of a chart that is drawn column by column, which is far quicker than paths for
 * the tens of thousands of columns of a recording's signals.
 */
export class Raster {
  #image = null;
  #bytes = null;
  #words = null;

  width = 0;
  height = 0;

  /** Start an empty image of the given size in device pixels. */
  begin(width, height) {
    if (this.width === width && this.height === height) {
      this.#words.fill(0);
      return;
    }
    this.#image = new ImageData(width, height);
    this.#bytes = this.#image.data;
    this.#words = new Uint32Array(this.#bytes.buffer);
    this.width = width;
    this.height = height;
  }

  /** Fill whole pixels top <= y < bottom of a column. */
  fill(x, top, bottom, paint) {
    const words = this.#words;
    const { width } = this;
    const end = Math.min(bottom, this.height) * width + x;
    for (let k = Math.max(top, 0) * width + x; k < end; k += width) words[k] = paint.word;
  }

  /** Draw a run of a column whose ends may lie within pixels, smoothed. */
  run(x, top, bottom, paint) {
    const first = Math.floor(top);
    const last = Math.floor(bottom);
    if (first === last) {
      this.#blend(x, first, paint, bottom - top);
      return;
    }
    this.#blend(x, first, paint, first + 1 - top);
    if (last > first + 1) this.fill(x, first + 1, last, paint);
    this.#blend(x, last, paint, bottom - last);
  }

  put(context) {
    context.putImageData(this.#image, 0, 0);
  }

  #blend(x, y, paint, share) {
    if (y < 0 || y >= this.height || share <= 0) return;
    const bytes = this.#bytes;
    const k = (y * this.width + x) * 4;
    const below = bytes[k + 3] / 255;
    const alpha = share + below * (1 - share);
    const own = share / alpha;
    bytes[k] += (paint.red - bytes[k]) * own;
    bytes[k + 1] += (paint.green - bytes[k + 1]) * own;
    bytes[k + 2] += (paint.blue - bytes[k + 2]) * own;
    bytes[k + 3] = alpha * 255;
  }
}
