/** Characters that would move the cursor, recolour or reorder the line they are printed in. */
const UNPRINTABLE =
  // oxlint-disable-next-line no-control-regex -- these are what it is about
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Text of a workspace made safe for a terminal: control and bidirectional characters become visible escapes. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The same for what has one line to itself: nothing in it begins another one. */
export function printableLine(text: string): string {
  return printable(text).replace(/[\n\t]/g, (c) => (c === '\n' ? '\\n' : '\\t'));
}

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
  green(text: string): string;
  blue(text: string): string;
}

const plain = (text: string): string => text;

const code =
  (on: number, off: number) =>
  (text: string): string =>
    `\u001b[${on}m${text}\u001b[${off}m`;

/** Colours for a terminal that wants them (NO_COLOR and pipes do not). */
export function styleFor(terminal: boolean): Style {
  return terminal
    ? {
        bold: code(1, 22),
        dim: code(2, 22),
        red: code(31, 39),
        yellow: code(33, 39),
        green: code(32, 39),
        blue: code(34, 39),
      }
    : { bold: plain, dim: plain, red: plain, yellow: plain, green: plain, blue: plain };
}
