import type { Random } from '../../execution/random';

interface SectionParts {
  readonly name: string;
  readonly type: number;
  readonly flags?: number;
  readonly bytes: Uint8Array;
  readonly link?: number;
  readonly info?: number;
  readonly entry?: number;
}

interface SymbolParts {
  readonly name: string;
  readonly kind: number;
  readonly section: number;
  readonly value: number;
  readonly size: number;
}

class Bytes {
  readonly list: number[] = [];

  put(value: number, size: number): this {
    for (let i = 0, left = value; i < size; i++, left = Math.floor(left / 256)) this.list.push(left & 0xff);
    return this;
  }
}

/** A table of strings and where each of them stands. */
class Strings {
  #text = '\0';
  readonly #at = new Map<string, number>();

  at(text: string): number {
    let at = this.#at.get(text);
    if (at === undefined) {
      at = this.#text.length;
      this.#at.set(text, at);
      this.#text += `${text}\0`;
    }
    return at;
  }

  get bytes(): Uint8Array {
    return Buffer.from(this.#text, 'latin1');
  }
}

const OBJECT = 1;
const FUNCTION = 2;
const FUNC_SIZE = 72;
const OBJECT_SIZE = 112;
/** Which section holds the relocations. */
const RELOCATIONS = 5;

/** How large its tables are; random where that is left out. */
export interface Shape {
  readonly objects: number;
  readonly functions: number;
  /** All objects point to the functions of the first one. */
  readonly shared: boolean;
  /** Headers of relocation sections over the same bytes. */
  readonly overlapping?: number;
}

/** A livepatch as the compiler lays it out for x86-64, with tables of random size and strange names among them. */
export function builtLivepatch(random: Random, shape?: Shape): Uint8Array {
  const name = (usual: string): string =>
    !shape && random.below(8) === 0
      ? random.pick([
          'a"b',
          'x\\',
          'y\n#include "/etc/passwd"',
          '',
          '%s',
          'f.isra.0',
          'é',
          '*/',
          '__proto__',
          'a'.repeat(600),
        ])
      : usual;
  const strings = new Strings();
  const relocations = new Bytes();
  const symbols: SymbolParts[] = [{ name: '', kind: 0, section: 0, value: 0, size: 0 }];
  const symbol = (parts: SymbolParts): number => symbols.push(parts) - 1;
  const [text, strtab, data] = [1, 2, 3];
  const stringSymbol = symbol({ name: '.rodata.str', kind: 3, section: strtab, value: 0, size: 0 });
  const relocate = (at: number, to: number, addend: number): void => {
    relocations.put(at, 8).put(1, 4).put(to, 4).put(addend, 8);
  };
  const layout: { at: number; size: number; variable: string }[] = [];
  let size = 0;
  const room = (variable: string, bytes: number): number => {
    const at = size;
    layout.push({ at, size: bytes, variable });
    size += Math.ceil(bytes / 32) * 32;
    return at;
  };
  const thisModule = symbol({ name: '__this_module', kind: OBJECT, section: 0, value: 0, size: 0 });
  let functions = 0;
  const objects = Array.from({ length: shape?.objects ?? 1 + random.below(3) }, (_, i) => {
    const count = shape?.shared && i > 0 ? 0 : (shape?.functions ?? random.below(4));
    const table = room(`funcs_${i}`, FUNC_SIZE * (count + 1));
    for (let k = 0; k < count; k++) {
      const fn = symbol({
        name: name(`new_${i}_${k}`),
        kind: FUNCTION,
        section: text,
        value: 16 * functions++,
        size: 16,
      });
      relocate(table + k * FUNC_SIZE, stringSymbol, strings.at(name(`old_${i}_${k}`)));
      relocate(table + k * FUNC_SIZE + 8, fn, 0);
    }
    return table;
  });
  const objs = room('objs', OBJECT_SIZE * (objects.length + 1));
  const states = room('states', 24 * (1 + random.below(3)));
  const patch = room('patch', 192);
  const at = new Map(
    layout.map(({ at: value, size: bytes, variable }) => [
      value,
      symbol({ name: name(variable), kind: OBJECT, section: data, value, size: bytes }),
    ]),
  );
  const callback = symbol({
    name: name('callback'),
    kind: FUNCTION,
    section: text,
    value: 16 * functions++,
    size: 16,
  });
  for (const [i, table] of objects.entries()) {
    if (i > 0) relocate(objs + i * OBJECT_SIZE, stringSymbol, strings.at(name(`object_${i}`)));
    relocate(objs + i * OBJECT_SIZE + 8, at.get(shape?.shared ? (objects[0] ?? table) : table) ?? 0, 0);
    if (random.below(2) === 0) relocate(objs + i * OBJECT_SIZE + 16 + 8 * random.below(4), callback, 0);
  }
  relocate(patch, thisModule, 0);
  relocate(patch + 8, at.get(objs) ?? 0, 0);
  if (random.below(2) === 0) relocate(patch + 16, at.get(states) ?? 0, 0);
  for (const alias of ['init_module', 'cleanup_module'])
    symbol({ name: alias, kind: FUNCTION, section: text, value: 16 * functions, size: 16 });
  symbol({ name: name('m_init'), kind: FUNCTION, section: text, value: 16 * functions, size: 16 });
  const contents = new Uint8Array(size);
  contents[patch + 24] = random.below(2);
  if (random.below(2) === 0) contents[states] = 1 + random.below(9);
  const info = ['license=GPL', 'livepatch=Y', 'vermagic=6.1.0-18-amd64 SMP'].map(name).join('\0');
  return write(
    [
      { name: '', type: 0, bytes: new Uint8Array() },
      { name: '.text', type: 1, flags: 6, bytes: new Uint8Array(16 * (functions + 1)) },
      { name: '.rodata.str', type: 1, flags: 2, bytes: strings.bytes },
      { name: '.data', type: 1, flags: 3, bytes: contents },
      { name: '.modinfo', type: 1, flags: 2, bytes: Buffer.from(`${info}\0`, 'latin1') },
      {
        name: '.rela.data',
        type: 4,
        bytes: Uint8Array.from(relocations.list),
        link: 6,
        info: data,
        entry: 24,
      },
    ],
    symbols,
    shape?.overlapping,
  );
}

function write(
  sections: readonly SectionParts[],
  symbols: readonly SymbolParts[],
  overlapping = 0,
): Uint8Array {
  const names = new Strings();
  const table = new Bytes();
  for (const it of symbols)
    table
      .put(names.at(it.name), 4)
      .put(16 + it.kind, 1)
      .put(0, 1)
      .put(it.section, 2)
      .put(it.value, 8)
      .put(it.size, 8);
  const at = sections.length;
  const all: SectionParts[] = [
    ...sections,
    { name: '.symtab', type: 2, bytes: Uint8Array.from(table.list), link: at + 1, entry: 24 },
    { name: '.strtab', type: 3, bytes: names.bytes },
  ];
  const sectionNames = new Strings();
  for (const { name } of [...all, { name: '.shstrtab' }]) sectionNames.at(name);
  all.push({ name: '.shstrtab', type: 3, bytes: sectionNames.bytes });
  const body: number[] = [];
  const headers = new Bytes();
  for (const it of all) {
    headers
      .put(sectionNames.at(it.name), 4)
      .put(it.type, 4)
      .put(it.flags ?? 0, 8)
      .put(0, 8);
    headers
      .put(64 + body.length, 8)
      .put(it.bytes.length, 8)
      .put(it.link ?? 0, 4)
      .put(it.info ?? 0, 4);
    headers.put(8, 8).put(it.entry ?? 0, 8);
    for (const byte of it.bytes) body.push(byte);
    while (body.length % 8 !== 0) body.push(0);
  }
  const again = headers.list.slice(64 * RELOCATIONS, 64 * (RELOCATIONS + 1));
  for (let n = 0; n < overlapping; n++) headers.list.push(...again);
  const header = new Bytes();
  for (const byte of [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]) header.put(byte, 1);
  header
    .put(1, 2)
    .put(62, 2)
    .put(1, 4)
    .put(0, 8)
    .put(0, 8)
    .put(64 + body.length, 8)
    .put(0, 4);
  header
    .put(64, 2)
    .put(0, 2)
    .put(0, 2)
    .put(64, 2)
    .put(all.length + overlapping, 2)
    .put(all.length - 1, 2);
  return Uint8Array.from([...header.list, ...body, ...headers.list]);
}
