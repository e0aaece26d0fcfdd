import type { Part } from "./parts.ts"

/** A small drawing of a part around (x, y), some 48 units wide. */
export function symbolOf(symbol: Part["symbol"], x: number, y: number, colour: string): string {
  return `<g transform="translate(${x} ${y})" fill="none" stroke="#444" stroke-width="1.5">${SHAPES[symbol](colour)}</g>`
}

const SHAPES: Readonly<Record<Part["symbol"], (colour: string) => string>> = {
  sensor: (colour) =>
    `<circle r="20" fill="#fff"/><path d="M-20 0A20 20 0 0 1 20 0M-14 -14L14 14M14 -14L-14 14M-20 0H20M0 -20V20" stroke="${colour}"/>`,
  button: (colour) => `<circle r="20" fill="#fff"/><circle r="12" fill="${colour}"/>`,
  light: (colour) =>
    `<path d="M-11 12V-4a11 11 0 0 1 22 0V12z" fill="${colour}" fill-opacity=".35"/><path d="M-15 12H15M-6 12V24M6 12V20"/>`,
  filter: (colour) =>
    `<rect x="-20" y="-16" width="40" height="32" rx="4" fill="#fff"/><circle r="11" fill="#ddd"/><path d="M0 -11A11 11 0 0 1 0 11z" fill="${colour}"/>`,
  servo: (colour) =>
    `<rect x="-20" y="-10" width="40" height="26" rx="2" fill="#fff"/><circle cx="9" cy="-4" r="7" fill="${colour}"/><path d="M9 -4L-14 -20" stroke-width="5" stroke-linecap="round"/>`,
}
