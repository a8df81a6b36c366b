// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { drawSegments } from 'm2r2/blocks.js';
import { make, setText } from 'm2r2/dom.js';
import { ProbabilityChart } from 'm2r2/probabilities.js';
import { Row } from 'm2r2/row.js';
import {
  boundariesOf,
  differences,
  nearestBoundary,
  parentsOf,
  SECOND,
  segmentAt,
} from 'm2r2/segments.js';
import { mix } from 'm2r2/theme.js';

const PARENTS = 14;
const MISTAKES = 6;
const USUAL = 28;
const TALL = 52;

/**
 * A lane of labels: a coarse band of the parents, the segments, a strip of mistakes
 * and a chart of probabilities, where the lane has them.
 */
export class LaneRow extends Row {
  constructor(view, lane) {
    super(view, { id: lane.id, title: lane.title, height: USUAL, kind: 'lane' });
    this.overlay = null;
    this.selected = -1;
    this.chart = null;
    this.value = make('bdi', { class: 'rv-label' });
    this.readout.append(this.value);
    this.mistakes = [];
  }

  /** Show a lane; `page` is the one whose arrays its probabilities refer to. */
  set(lane, page, tall) {
    this.lane = lane;
    this.tall = tall;
    const { labels } = this.view;
    const coarse = lane.parents ? parentsOf(lane.segments, labels) : [];
    this.parents = coarse.some((segment) => segment[3]) ? coarse : [];
    this.boundaries = boundariesOf(lane.segments);
    this.setTitle(lane.title, '', (lane.about ?? []).join('\n'));
    if (this.selected >= lane.segments.length) this.selected = -1;
    this.#setProbabilities(lane.probabilities, page);
    this.layout();
  }

  /** Compare with the segments of the truth, or with nothing. */
  compare(truth) {
    const own = this.lane.kind !== 'truth' && truth;
    this.hasTruth = Boolean(own);
    this.mistakes = own ? differences(this.lane.segments, truth) : [];
    this.layout();
  }

  layout() {
    const top = this.parents.length > 0 ? PARENTS + 1 : 0;
    this.band = { top, height: this.tall ? TALL : USUAL };
    const strip = this.hasTruth ? MISTAKES + 1 : 0;
    this.setHeight(top + this.band.height + strip);
  }

  isAccepted(index) {
    const accepted = this.lane.accepted;
    if (!accepted) return false;
    return accepted instanceof Set ? accepted.has(index) : Boolean(accepted[index]);
  }

  segmentAt(seconds) {
    return segmentAt(this.lane.segments, seconds);
  }

  boundaryNear(seconds, px) {
    const { time } = this.view;
    return nearestBoundary(this.boundaries, seconds, (px / time.width) * time.span);
  }

  draw(context, time, height) {
    const { labels, theme, page, highlight } = this.view;
    const unknown = page.unknown;
    const { band } = this;
    const common = { unknown, text: theme.text };
    if (this.parents.length > 0) {
      drawSegments(context, time, this.parents, {
        ...common,
        top: 0,
        height: PARENTS,
        font: `10.5px ${theme.font}`,
        colourOf: (segment) => this.#parentColour(segment[3]),
        nameOf: (segment) => segment[3] || 'unknown',
        faded: highlight === null ? null : () => true,
      });
    }
    drawSegments(context, time, this.lane.segments, {
      ...common,
      ...band,
      font: `12px ${theme.font}`,
      colourOf: (segment) => labels[segment[2]]?.colour,
      nameOf: (segment) => labels[segment[2]]?.name ?? 'unknown',
      faded: highlight === null ? null : (segment) => segment[2] !== highlight,
      accepted: this.lane.accepted ? (index) => this.isAccepted(index) : null,
    });
    if (this.hasTruth) this.#drawMistakes(context, time, height - MISTAKES);
    this.#drawSelected(context, time);
    if (this.overlay) {
      context.save();
      this.overlay(context, time, height, band);
      context.restore();
    }
  }

  paint() {
    super.paint();
    this.chart?.paint(this.view);
  }

  readAt(seconds) {
    const index = seconds === null ? -1 : this.segmentAt(seconds);
    if (index < 0) {
      setText(this.value, '');
      return;
    }
    const [, , label, confidence] = this.lane.segments[index];
    const name = this.view.labels[label]?.name ?? 'unknown';
    const sure = Number.isFinite(confidence) ? `  ${confidence.toFixed(2)}` : '';
    setText(this.value, `${name.slice(0, 60)}${sure}`);
  }

  /** One colour for each parent: that of its first label, nearer to the background. */
  #parentColour(name) {
    if (!name) return undefined;
    const { labels, theme } = this.view;
    return mix(labels.find((label) => label.parent === name)?.colour, theme.panel, 0.5);
  }

  #drawMistakes(context, time, top) {
    context.fillStyle = this.view.theme.line;
    context.globalAlpha = 0.5;
    context.fillRect(0, top, time.width, MISTAKES);
    context.globalAlpha = 1;
    context.fillStyle = this.view.theme.danger;
    for (const [start, end] of this.mistakes) {
      const left = time.toX(start / SECOND);
      const right = time.toX(end / SECOND);
      if (right < 0 || left > time.width) continue;
      const from = Math.max(left, 0);
      context.fillRect(from, top, Math.max(Math.min(right, time.width) - from, 1), MISTAKES);
    }
  }

  #drawSelected(context, time) {
    const segment = this.lane.segments[this.selected];
    if (!segment) return;
    const left = Math.max(time.toX(segment[0] / SECOND), -4);
    const right = Math.min(time.toX(segment[1] / SECOND), time.width + 4);
    if (right < left) return;
    const { top, height } = this.band;
    const wide = Math.max(right - left - 0.75, 2);
    context.lineWidth = 2;
    context.strokeStyle = this.view.theme.panel;
    context.strokeRect(left + 2.5, top + 2.5, Math.max(wide - 5, 0), height - 5);
    context.strokeStyle = this.view.theme.accent;
    context.strokeRect(left + 1, top + 1, Math.max(wide - 2, 0), height - 2);
  }

  #setProbabilities(probabilities, page) {
    if (!probabilities || page.array(probabilities.stamps).length === 0) {
      this.chart?.remove();
      this.chart = null;
      return;
    }
    this.chart ??= new ProbabilityChart(this);
    this.chart.set(probabilities, page);
  }
}
