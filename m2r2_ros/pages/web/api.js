// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { openContainer, Page } from 'm2r2/container.js';

/** Status of an answer where there is no image yet, or no sound. */
export const NOTHING = 204;

/** What the server answered in place of what was asked for; the message is for people. */
export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(`api/${path}`, { cache: 'no-store', ...options });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError('The server does not answer. Is m2r2 review still running?', 0);
  }
  if (response.ok) return response;
  let message = `The server answered ${response.status} ${response.statusText}`;
  try {
    message = (await response.json()).error ?? message;
  } catch {
    /* an answer that is not of the API: its status says enough */
  }
  throw new ApiError(String(message), response.status);
}

const of = (id, rest) => `recordings/${encodeURIComponent(id)}${rest}`;

/** The calls of the review server; all throw ApiError. */
export const api = {
  async folder() {
    return (await ask('folder')).json();
  },

  /** The page of a recording, without signals and images. */
  async recording(id) {
    return new Page(await (await ask(of(id, ''))).json());
  },

  async overview(id) {
    return openContainer(await (await ask(of(id, '/overview'))).arrayBuffer());
  },

  /** Signals of at most 20 s at their full rate. */
  async stretch(id, start, end) {
    return openContainer(
      await (await ask(of(id, `/stretch?start=${start}&end=${end}`))).arrayBuffer(),
    );
  },

  /** The frame at or before `seconds`, and its time in seconds. */
  async frame(id, camera, seconds, signal) {
    const query = new URLSearchParams({ camera, t: seconds });
    const response = await ask(of(id, `/frame?${query}`), { signal });
    if (response.status === NOTHING) throw new ApiError('no image here yet', NOTHING);
    return { blob: await response.blob(), time: Number(response.headers.get('X-Time') ?? seconds) };
  },

  /** The sound of at most 30 s as a WAV file, or null where it is silent. */
  async sound(id, start, end) {
    const response = await ask(of(id, `/sound?start=${start}&end=${end}`));
    return response.status === NOTHING ? null : response.arrayBuffer();
  },

  /** Saves a layer: {lane, folder}. */
  async save(id, layer) {
    const response = await ask(of(id, '/layers'), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(layer),
    });
    return response.json();
  },
};
