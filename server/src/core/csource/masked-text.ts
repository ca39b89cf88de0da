const SHIFT = 7;
const BLOCK = 1 << SHIFT;

/**
 * A text that characters are written over. Only the blocks that something is written into are ever taken apart:
 * most of a file stays as it is.
 */
export class MaskedText {
  private readonly chars: Uint16Array;
  private readonly touched: Uint8Array;

  constructor(private readonly text: string) {
    this.chars = new Uint16Array(text.length);
    this.touched = new Uint8Array((text.length >> SHIFT) + 1);
  }

  /** Spaces from `start` to `end`, line breaks excepted. */
  spaces(start: number, end: number): void {
    if (start >= end) return;
    this.touch(start, end);
    const { chars } = this;
    for (let k = start; k < end; k++) {
      const c = chars[k];
      if (c !== 10 && c !== 13) chars[k] = 32;
    }
  }

  /** Writes `text` over what stands from `start` on. */
  write(start: number, text: string): void {
    this.touch(start, start + text.length);
    for (let k = 0; k < text.length; k++) this.chars[start + k] = text.charCodeAt(k);
  }

  toString(): string {
    const { text, chars, touched } = this;
    let out = '';
    let from = 0;
    for (let block = 0; block < touched.length; block++) {
      if (touched[block] === 0) continue;
      const start = block << SHIFT;
      if (start > from) out += text.slice(from, start);
      from = Math.min(start + BLOCK, text.length);
      out += String.fromCharCode.apply(null, chars.subarray(start, from) as unknown as number[]);
    }
    return from === 0 ? text : out + text.slice(from);
  }

  private touch(start: number, end: number): void {
    for (let block = start >> SHIFT; block <= (end - 1) >> SHIFT; block++) {
      if (this.touched[block] !== 0) continue;
      this.touched[block] = 1;
      const last = Math.min((block + 1) << SHIFT, this.text.length);
      for (let k = block << SHIFT; k < last; k++) this.chars[k] = this.text.charCodeAt(k);
    }
  }
}
