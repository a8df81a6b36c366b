// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

import { SECOND } from 'm2r2/segments.js';
import { safeColour } from 'm2r2/theme.js';
import { formatTime } from 'm2r2/time.js';

/**
 * Draws over the lane that is edited: the handles of the selected segment, marked time, what is
 * labelled while playing and what is dragged.
 * @param {{top: number, height: number}} band where the segments are drawn
 */
export function drawHandles(session, context, time, band) {
  const { theme } = session.view;
  const segment = session.draft.segments[session.selected];
  const { drag } = session.laneMouse;
  if (segment) {
    for (const side of ['start', 'end']) {
      handle(
        context,
        time.toX(segment[side] / SECOND),
        band,
        side === session.edge ? theme.accent : theme.panel,
        theme.accent,
      );
    }
  }
  for (const other of session.draft.segments) {
    if (!other.accepted && (other.reason || other.label < 0))
      doubt(context, time, other, band, theme);
  }
  if (session.marks) {
    const { start, end } = session.marks;
    stripe(context, time.toX(start / SECOND), time.toX((end ?? session.now) / SECOND), band, theme.accent);
  }
  if (session.live) {
    const colour = safeColour(session.page.labels[session.live.label]?.colour);
    stripe(
      context,
      time.toX(session.live.start / SECOND),
      time.toX(session.now / SECOND),
      band,
      colour,
      0.85,
    );
  }
  if (drag)
    tag(
      context,
      time.toX(drag.seconds),
      band,
      `${formatTime(drag.seconds, 3)}${drag.snapped ? ' event' : ''}`,
      time.width,
      theme,
    );
}

function handle(context, x, { top, height }, fill, stroke) {
  context.fillStyle = fill;
  context.strokeStyle = stroke;
  context.lineWidth = 1.5;
  context.beginPath();
  context.roundRect(x - 3, top + height / 2 - 9, 6, 18, 3);
  context.fill();
  context.stroke();
}

/** A dotted foot under a segment that there is a reason to doubt. */
function doubt(context, time, segment, { top, height }, theme) {
  const [left, right] = [
    Math.max(time.toX(segment.start / SECOND), 0),
    Math.min(time.toX(segment.end / SECOND), time.width),
  ];
  if (right - left < 1) return;
  context.strokeStyle = theme.danger;
  context.lineWidth = 2.5;
  context.setLineDash([3, 3]);
  context.beginPath();
  context.moveTo(left, top + height - 1.5);
  context.lineTo(right - 1, top + height - 1.5);
  context.stroke();
  context.setLineDash([]);
}

function stripe(context, left, right, { top, height }, colour, opacity = 0.25) {
  context.fillStyle = colour;
  context.globalAlpha = opacity;
  context.fillRect(left, top, right - left, height);
  context.globalAlpha = 1;
  context.fillRect(left - 0.75, top, 1.5, height);
  context.fillRect(right - 0.75, top, 1.5, height);
}

function tag(context, x, { top }, text, width, theme) {
  context.font = `11px ${theme.font}`;
  const wide = context.measureText(text).width + 10;
  const left = Math.min(Math.max(x - wide / 2, 0), width - wide);
  context.fillStyle = theme.accent;
  context.beginPath();
  context.roundRect(left, top + 1, wide, 16, 3);
  context.fill();
  context.fillStyle = theme.panel;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.fillText(text, left + 5, top + 9.5);
}
