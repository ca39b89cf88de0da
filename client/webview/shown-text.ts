/** Turning names that other people chose into text that is safe and small enough to show. */

/** Controls, bidirectional overrides and other invisible characters: they could reorder or hide what stands around them. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\uFFFE\uFFFF]/gu;

/** Longest text any single label may have, in UTF-16 units; the whole is never needed to recognise a name. */
export const LONGEST_LABEL = 240;

/** `text` with invisible and reordering characters made visible as U+FFFD, cut after `longest` units with an ellipsis. */
export function shown(text: string, longest: number = LONGEST_LABEL): string {
  const cut = text.length > longest ? `${text.slice(0, Math.max(0, longest - 1))}…` : text;
  return cut.replace(UNSEEN, '\uFFFD');
}

const NARROW = new Set("iljtfrI.,:;'|!()[]{}/- ");
const WIDE = new Set('mwMW@%—→↑↓⇄');

/** Estimated width in pixels of one character; errs on the wide side so that boxes made from it hold their text. */
function characterWidth(character: string, size: number, mono: boolean): number {
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0x1100 && code !== 0x2026 && (code < 0x2000 || code > 0x2bff)) return size * 1.15;
  if (mono) return size * 0.62;
  if (NARROW.has(character)) return size * 0.42;
  if (WIDE.has(character)) return size;
  return code >= 0x41 && code <= 0x5a ? size * 0.74 : size * 0.64;
}

/** Estimated width of `text` in pixels at font size `size`. Linear in the text. */
export function textWidth(text: string, size: number, mono = false): number {
  let width = 0;
  for (const character of text) width += characterWidth(character, size, mono);
  return width;
}

/** The longest beginning of `text` that fits `space` pixels, with an ellipsis where something was cut; '' if nothing fits. */
export function fit(text: string, space: number, size: number, mono = false): string {
  const safe = shown(text);
  if (textWidth(safe, size, mono) <= space) return safe;
  const dots = textWidth('…', size, mono);
  let width = dots;
  let kept = '';
  for (const character of safe) {
    width += characterWidth(character, size, mono);
    if (width > space) break;
    kept += character;
  }
  return kept === '' ? '' : `${kept.trimEnd()}…`;
}

/** `text` broken at blanks into at most `most` lines of `space` pixels each; the last line carries the ellipsis. */
export function wrap(text: string, space: number, size: number, most: number): string[] {
  const words = shown(text, 2000).split(' ');
  const lines: string[] = [];
  let line = '';
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || textWidth(longer, size) <= space) {
      line = longer;
      continue;
    }
    if (lines.length === most - 1) {
      lines.push(fit(`${line} ${words.slice(i).join(' ')}`, space, size));
      return lines;
    }
    lines.push(fit(line, space, size));
    line = word;
  }
  if (line !== '') lines.push(fit(line, space, size));
  return lines;
}
