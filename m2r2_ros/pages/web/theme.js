// Copyright 2026 The m2r2_ros authors
// SPDX-License-Identifier: Apache-2.0

const HEX = /^#[0-9a-f]{6}$/i;
const NAMES = ['text', 'muted', 'line', 'panel', 'accent', 'danger', 'boundary'];
const CHANNELS = 8;

/** Colours for canvases, read from the CSS variables that hold at `element`. */
export function readTheme(element) {
  const style = getComputedStyle(element);
  const theme = { font: style.fontFamily };
  for (const name of NAMES) theme[name] = style.getPropertyValue(`--${name}`).trim();
  theme.channels = [];
  for (let k = 0; k < CHANNELS; k += 1) {
    theme.channels.push(style.getPropertyValue(`--channel-${k}`).trim());
  }
  return theme;
}

/** '#rrggbb' as [red, green, blue]; grey where the text is not a colour. */
export function rgb(colour) {
  const number = HEX.test(colour) ? parseInt(colour.slice(1), 16) : 0x909090;
  return [number >> 16, (number >> 8) & 255, number & 255];
}

/** `colour` moved by `share` towards `other`. */
export function mix(colour, other, share) {
  const target = rgb(other);
  const mixed = rgb(colour).map((value, k) => Math.round(value + (target[k] - value) * share));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

/** Black or white, whichever reads better on `colour`. */
export function ink(colour) {
  const [red, green, blue] = rgb(colour);
  return red * 0.299 + green * 0.587 + blue * 0.114 > 140 ? '#111111' : '#ffffff';
}

/** `colour` where it is one, else grey: keeps other CSS out of styles. */
export function safeColour(colour) {
  return HEX.test(colour) ? colour : '#909090';
}
