// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

const ARRAYS = {
  f4: Float32Array,
  f8: Float64Array,
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
};
const BITMAPS_KEPT = 600;

/**
 * A page: the fields of its JSON and the arrays and images that the JSON refers to.
 *
 * `array(ref)` gives a typed array that shares memory with the container; a ref that
 * points outside the container gives an empty one. `bitmap(ref)` gives a promise of an
 * ImageBitmap, or of null where the image cannot be decoded.
 */
export class Page {
  #blob;
  #bitmaps = new Map();

  constructor(json, blob = new ArrayBuffer(0)) {
    Object.assign(this, json);
    this.#blob = blob;
  }

  array(ref) {
    if (ArrayBuffer.isView(ref)) return ref;
    const [type, offset, count] = ref ?? [];
    const Kind = ARRAYS[type];
    if (!Kind) return new Uint8Array(0);
    if (offset + count * Kind.BYTES_PER_ELEMENT > this.#blob.byteLength) return new Kind(0);
    return new Kind(this.#blob, offset, count);
  }

  /** The bytes of a file ref as a Blob of its media type. */
  file(ref) {
    const [type, offset, size] = ref;
    return new Blob([new Uint8Array(this.#blob, offset, size)], { type });
  }

  bitmap(ref) {
    const key = ref[1];
    let promise = this.#bitmaps.get(key);
    if (promise) {
      this.#bitmaps.delete(key);
    } else {
      promise = this.#decode(ref);
    }
    this.#bitmaps.set(key, promise);
    if (this.#bitmaps.size > BITMAPS_KEPT) {
      this.#bitmaps.delete(this.#bitmaps.keys().next().value);
    }
    return promise;
  }

  async #decode(ref) {
    try {
      return await createImageBitmap(this.file(ref));
    } catch {
      return null;
    }
  }
}

/**
 * Open a container.
 * @param {ArrayBuffer} bytes
 * @returns {Promise<Page>}
 * @throws {Error} where the bytes are not a container
 */
export async function openContainer(bytes) {
  if (bytes.byteLength < 4) throw new Error('its data is cut short');
  const length = new DataView(bytes).getUint32(0, true);
  if (4 + length > bytes.byteLength) throw new Error('its data is cut short');
  const json = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
  return new Page(json, bytes.slice(4 + length));
}

/**
 * Decode base64 text of gzipped bytes.
 * @param {string} base64
 * @returns {Promise<ArrayBuffer>}
 * @throws {Error} where the text is damaged
 */
export async function inflate(base64) {
  try {
    const stream = new Blob([decode(base64.trim())]).stream();
    return await new Response(stream.pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
  } catch {
    throw new Error('its data is damaged');
  }
}

function decode(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k += 1) bytes[k] = text.charCodeAt(k);
  return bytes;
}
