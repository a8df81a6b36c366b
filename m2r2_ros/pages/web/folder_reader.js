// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { nextWork } from 'm2r2/folder.js';

const POLL_MS = 1000;
const wait = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** Reads the list of recordings until the server has looked at all of them. */
export class FolderReader {
  folder = null;

  /**
   * @param {object} api calls of the server
   * @param {(folder: object) => void} taken called with each newer list
   */
  constructor(api, taken) {
    this.api = api;
    this.taken = taken;
  }

  /** Takes a newer list. */
  take(folder) {
    this.folder = folder;
    this.taken(folder);
  }

  /**
   * Reads the list once, and goes on in the background while recordings have not been looked at.
   * @throws {ApiError} the server does not answer
   */
  async read() {
    this.take(await this.api.folder());
    this.#readOn();
  }

  /** The id of the recording to begin with; undefined where none can be read. */
  async first() {
    // one that has not been looked at yet may be done
    const known = () => this.folder.recordings.filter((recording) => recording.duration !== null);
    while (nextWork(known(), null) === null && !this.#complete) await wait(POLL_MS / 4);
    const readable = this.folder.recordings.find((recording) => recording.state !== 'unreadable');
    return nextWork(known(), null) ?? readable?.id;
  }

  get #complete() {
    return (this.folder.progress ?? 1) >= 1;
  }

  async #readOn() {
    while (!this.#complete) {
      await wait(POLL_MS);
      try {
        this.take(await this.api.folder());
      } catch {
        // the next request of the page says that the server is gone
      }
    }
  }
}
