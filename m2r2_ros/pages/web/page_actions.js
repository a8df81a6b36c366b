// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { nextWork } from 'm2r2/folder.js';
import { showHelp } from 'm2r2/shortcuts.js';

const neighbour = (review, step) =>
  review.open(nextWork(review.folder.recordings, review.session?.id ?? null, step));

/** What each action does to the page; those of a recording are in actions.js. */
export const PAGE_ACTIONS = {
  save: (review) => review.save(false),
  done: (review) => review.save(true),
  help: () => showHelp(),
  annotator: (review) => review.askAnnotator(),
  labelSet: (review) => review.askLabels(),
  nextRecording: (review) => neighbour(review, 1),
  previousRecording: (review) => neighbour(review, -1),
  rate: ({ session }, rate) => session?.playback.setRate(rate),
  list: (review) => {
    review.drafts.listHidden = review.root.classList.toggle('no-list');
  },
};
