/** What of an ELF file a built module's facts are read from; see elf(5). */
export interface Section {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** SHF_EXECINSTR. */
  readonly code: boolean;
}

export interface ElfSymbol {
  readonly name: string;
  /** Index of its section; 0 where it is undefined. */
  readonly section: number;
  readonly value: number;
  readonly size: number;
  readonly kind: 'function' | 'object' | 'section' | 'other';
}

export interface Relocation {
  /** Where in its section something is filled in. */
  readonly offset: number;
  readonly symbol: ElfSymbol;
  readonly addend: number;
}

export interface ElfFile {
  readonly littleEndian: boolean;
  readonly sections: readonly Section[];
  readonly symbols: readonly ElfSymbol[];
  /** Relocations by the section that they fill in, sorted by offset. */
  readonly relocations: ReadonlyMap<number, readonly Relocation[]>;
}

const SHT_SYMTAB = 2;
const SHT_RELA = 4;
const SHT_NOBITS = 8;
const SHF_EXECINSTR = 4n;
const EHDR = 64;
const SHDR = 64;
const SYM = 24;
const RELA = 24;
/** The kernel's own names end at 512 characters (KSYM_NAME_LEN). */
const MAX_NAME = 4_096;
const KINDS = ['other', 'object', 'function', 'section'] as const;

/** Reads a relocatable 64-bit ELF file, as kernel modules are. Answers why it cannot, in words for a person. */
export function readElf(bytes: Uint8Array): ElfFile | { readonly problem: string } {
  if (bytes.length < EHDR || bytes[0] !== 0x7f || bytes[1] !== 0x45 || bytes[2] !== 0x4c || bytes[3] !== 0x46)
    return { problem: 'it is not an ELF file' };
  if (bytes[4] !== 2) return { problem: 'it is a 32-bit ELF file, and livepatches exist for 64 bits only' };
  try {
    return new ElfReader(bytes).read();
  } catch (error) {
    // A DataView throws where a header points outside of the file.
    if (error instanceof RangeError) return { problem: 'it is cut off or damaged' };
    throw error;
  }
}

interface Header {
  readonly name: number;
  readonly type: number;
  readonly flags: bigint;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
}

class ElfReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #little: boolean;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#little = bytes[5] === 1;
  }

  read(): ElfFile | { readonly problem: string } {
    if (this.#half(16) !== 1) return { problem: 'it is not a relocatable ELF file, as modules are' };
    const table = this.#word(40);
    const count = this.#half(60);
    const headers: Header[] = [];
    for (let i = 0; i < count; i++) headers.push(this.#header(table + i * SHDR));
    const names = headers[this.#half(62)];
    const sections = headers.map(
      (header): Section => ({
        name: names ? this.#string(names, header.name) : '',
        bytes: header.type === SHT_NOBITS ? new Uint8Array() : this.#content(header),
        code: (header.flags & SHF_EXECINSTR) !== 0n,
      }),
    );
    const at = headers.findIndex((header) => header.type === SHT_SYMTAB);
    const symtab = headers[at];
    if (!symtab) return { problem: 'its symbol table has been stripped away' };
    const symbols = this.#symbols(symtab, headers[symtab.link]);
    const relocations = new Map<number, Relocation[]>();
    // Sections may overlap in a file that somebody made up, and then hold more than the file does.
    let left = this.#bytes.length;
    for (const header of headers) {
      if (header.type !== SHT_RELA || header.link !== at) continue;
      left -= header.size;
      if (left < 0) throw new RangeError('more relocations than the file has room for');
      const list = relocations.get(header.info) ?? [];
      relocations.set(header.info, list);
      for (const relocation of this.#relocations(header, symbols)) list.push(relocation);
    }
    for (const list of relocations.values()) list.sort(byOffset);
    return { littleEndian: this.#little, sections, symbols, relocations };
  }

  #header(at: number): Header {
    return {
      name: this.#view.getUint32(at, this.#little),
      type: this.#view.getUint32(at + 4, this.#little),
      flags: this.#view.getBigUint64(at + 8, this.#little),
      offset: this.#word(at + 24),
      size: this.#word(at + 32),
      link: this.#view.getUint32(at + 40, this.#little),
      info: this.#view.getUint32(at + 44, this.#little),
    };
  }

  #content({ offset, size }: Header): Uint8Array {
    if (offset + size > this.#bytes.length) throw new RangeError('section outside of the file');
    return this.#bytes.subarray(offset, offset + size);
  }

  #string(table: Header, at: number): string {
    return cString(this.#content(table), at) ?? '';
  }

  #symbols(table: Header, strings: Header | undefined): ElfSymbol[] {
    const found: ElfSymbol[] = [];
    for (let at = table.offset; at + SYM <= table.offset + table.size; at += SYM) {
      const section = this.#half(at + 6);
      found.push({
        name: strings ? this.#string(strings, this.#view.getUint32(at, this.#little)) : '',
        section: section < 0xff00 ? section : 0,
        value: this.#word(at + 8),
        size: this.#word(at + 16),
        kind: KINDS[this.#view.getUint8(at + 4) & 15] ?? 'other',
      });
    }
    return found;
  }

  #relocations(table: Header, symbols: readonly ElfSymbol[]): Relocation[] {
    const found: Relocation[] = [];
    for (let at = table.offset; at + RELA <= table.offset + table.size; at += RELA) {
      const symbol = symbols[Number(this.#view.getBigUint64(at + 8, this.#little) >> 32n)];
      if (!symbol) continue;
      const addend = Number(this.#view.getBigInt64(at + 16, this.#little));
      found.push({ offset: this.#word(at), symbol, addend });
    }
    return found;
  }

  #half(at: number): number {
    return this.#view.getUint16(at, this.#little);
  }

  /** A 64-bit number; none that matters here is beyond what a double holds exactly. */
  #word(at: number): number {
    return Number(this.#view.getBigUint64(at, this.#little));
  }
}

function byOffset(a: Relocation, b: Relocation): number {
  return a.offset - b.offset;
}

/** The text from here to the next NUL, no longer than any name, or null outside of the bytes. */
export function cString(bytes: Uint8Array, at: number): string | null {
  if (at < 0 || at >= bytes.length) return null;
  let text = '';
  for (const byte of bytes.subarray(at, at + MAX_NAME)) {
    if (byte === 0) break;
    text += String.fromCharCode(byte);
  }
  return text;
}
