// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

const POLL_MS = 1000;
const TRIES = 3;

/**
 * Shows more and more of a recording while the server reads it.
 * @param {Session} session
 * @param {object} api calls of the server
 * @param {() => boolean} open whether the session is still open
 * @throws {ApiError} signals and images cannot be shown
 */
export async function readOverview(session, api, open) {
  let failures = 0;
  while (open()) {
    try {
      const page = await api.overview(session.id);
      if (!open()) return;
      session.update(page);
      if (session.progress >= 1) return;
      failures = 0;
    } catch (error) {
      failures += 1;
      if (failures > TRIES || error.status >= 400) throw error;
    }
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}
