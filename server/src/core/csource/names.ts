/**
 * Numbers for texts: two equal texts have the same number, for the life of the process. Tokens carry numbers, so
 * that comparing a name, finding a macro or a keyword is an integer operation. The table only grows; it holds
 * each distinct identifier (and each literal of a lowered item) once.
 */
class NameTable {
  private texts: string[] = [''];
  private hashes: number[] = [0];
  private slots = new Int32Array(1 << 14);
  private mask = (1 << 14) - 1;

  /** The number of `text[start, end)`, whose `hash` is that of `hashOf`. */
  slice(text: string, start: number, end: number, hash: number): number {
    const length = end - start;
    let slot = (hash ^ (hash >>> 15)) & this.mask;
    for (;;) {
      const id = this.slots[slot] as number;
      if (id === 0) return this.add(text.slice(start, end), hash, slot);
      if (this.hashes[id] === hash) {
        const known = this.texts[id] as string;
        if (known.length === length && text.startsWith(known, start)) return id;
      }
      slot = (slot + 1) & this.mask;
    }
  }

  /** The number of a text. */
  id(text: string): number {
    return text === '' ? 0 : this.slice(text, 0, text.length, hashOf(text));
  }

  /** The text of a number; empty for 0 and for numbers that were never given out. */
  text(id: number): string {
    return this.texts[id] ?? '';
  }

  /** A hash of the text, the same in every process. */
  hash(id: number): number {
    return this.hashes[id] ?? 0;
  }

  /** How many texts there are; every number is below. */
  get size(): number {
    return this.texts.length;
  }

  private add(text: string, hash: number, slot: number): number {
    const id = this.texts.length;
    // A slice would keep the whole file's text alive.
    this.texts.push(text.length < 13 ? text : ` ${text}`.slice(1));
    this.hashes.push(hash);
    this.slots[slot] = id;
    if (id * 2 > this.mask) this.grow();
    return id;
  }

  private grow(): void {
    const size = this.slots.length * 2;
    this.slots = new Int32Array(size);
    this.mask = size - 1;
    for (let id = 1; id < this.texts.length; id++) {
      const hash = this.hashes[id] as number;
      let slot = (hash ^ (hash >>> 15)) & this.mask;
      while (this.slots[slot] !== 0) slot = (slot + 1) & this.mask;
      this.slots[slot] = id;
    }
  }
}

/** The hash that the lexer computes along the way. */
export function hashOf(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

export const names = new NameTable();

/** A set of names, by number. */
export function nameSet(list: string): ReadonlySet<number> {
  return new Set(
    list
      .trim()
      .split(/\s+/)
      .map((text) => names.id(text)),
  );
}
