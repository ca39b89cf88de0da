/**
 * Takes functions out of a WebAssembly module that nobody is going to call.
 *
 * A function stays if an export that stays, the table or the start section leads to it by calls. The bodies of the
 * others become one `unreachable`; nothing is renumbered, so every other section stays as it is.
 */

const HEADER_BYTES = 8;
const SECTION = { import: 2, function: 3, global: 6, export: 7, start: 8, element: 9, code: 10 };
const FUNCTION = 0;
/** Size 3, no locals, `unreachable`, `end`. */
const EMPTY_BODY = Uint8Array.of(3, 0, 0x00, 0x0b);

/** Reads a module's bytes from a position on. */
class Reader {
  constructor(bytes, at = 0, end = bytes.length) {
    Object.assign(this, { bytes, at, end });
  }

  byte() {
    if (this.at >= this.end) throw new Error('the WebAssembly module ends too early');
    return this.bytes[this.at++];
  }

  /** An unsigned LEB128 number; of a longer or signed one only the length is right. */
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      if (shift < 35) value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  numbers(count) {
    for (let i = 0; i < count; i++) this.number();
  }

  list(read) {
    return Array.from({ length: this.number() }, read);
  }

  name() {
    const length = this.number();
    this.at += length;
    return Buffer.from(this.bytes.subarray(this.at - length, this.at)).toString('utf8');
  }

  limits() {
    this.numbers(this.byte() & 1 ? 2 : 1);
  }
}

/** Reads instructions up to the `end` that closes them and adds the functions they name to `named`. */
function readExpression(reader, named) {
  for (let depth = 1; depth > 0; ) {
    const code = reader.byte();
    if (code === 0x0b) depth--;
    else if (code >= 0x02 && code <= 0x04) {
      reader.number();
      depth++;
    } else if (code === 0x0e) reader.numbers(reader.number() + 1);
    else if (code === 0x10 || code === 0x12 || code === 0xd2) named.add(reader.number());
    else if (code === 0x1c) reader.numbers(reader.number());
    else if (code === 0x43) reader.at += 4;
    else if (code === 0x44) reader.at += 8;
    else if (code === 0xfc) reader.numbers(operandsOfExtended(reader.number()));
    else reader.numbers(operandsOf(code));
  }
}

/** How many LEB128 operands a plain instruction has. */
function operandsOf(code) {
  if (code <= 0x01 || code === 0x05 || code === 0x0f || code === 0x1a || code === 0x1b || code === 0xd1)
    return 0;
  if (code >= 0x45 && code <= 0xc4) return 0;
  if (code === 0x0c || code === 0x0d || (code >= 0x20 && code <= 0x26)) return 1;
  if ((code >= 0x3f && code <= 0x42) || code === 0xd0) return 1;
  if (code === 0x11 || code === 0x13 || (code >= 0x28 && code <= 0x3e)) return 2;
  throw new Error(`unknown WebAssembly instruction 0x${code.toString(16)}`);
}

/** The same for those behind the prefix 0xfc: saturating conversions, then bulk memory and tables. */
function operandsOfExtended(code) {
  if (code <= 7) return 0;
  const count = [2, 1, 2, 1, 2, 1, 2, 1, 1, 1][code - 8];
  if (count === undefined) throw new Error(`unknown WebAssembly instruction 0xfc ${code}`);
  return count;
}

function sectionsOf(bytes) {
  const reader = new Reader(bytes, HEADER_BYTES);
  const sections = [];
  while (reader.at < bytes.length) {
    const from = reader.at;
    const id = reader.byte();
    const size = reader.number();
    sections.push({ id, from, start: reader.at, end: reader.at + size });
    reader.at += size;
  }
  return sections;
}

function importedFunctions(reader) {
  const kinds = reader.list(() => {
    reader.name();
    reader.name();
    const kind = reader.byte();
    if (kind === 1) reader.byte();
    if (kind === 1 || kind === 2) reader.limits();
    else reader.numbers(kind === 0 ? 1 : 2);
    return kind;
  });
  return kinds.filter((kind) => kind === FUNCTION).length;
}

/** The functions that a table starts with. */
function functionsInTables(reader, named) {
  reader.list(() => {
    const flags = reader.number();
    if (flags > 3) throw new Error('element segments of expressions are not known here');
    if (flags === 2) reader.number();
    if ((flags & 1) === 0) readExpression(reader, named);
    if (flags !== 0) reader.byte();
    for (const index of reader.list(() => reader.number())) named.add(index);
  });
}

function leb(value) {
  const out = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...out, rest]);
    out.push((rest % 128) | 0x80);
  }
}

function section(id, items) {
  const body = Buffer.concat([leb(items.length), ...items]);
  return Buffer.concat([Uint8Array.of(id), leb(body.length), body]);
}

/**
 * `bytes` without the exports for whose names `isUsed` answers false and without the code of all that only those
 * need. Functions in `unentered`, by their numbers, are taken not to be entered although code leads to them. Throws on what it cannot read: a newer kind of instruction, say.
 */
export function pruneWasm(bytes, isUsed, unentered = new Set()) {
  const sections = sectionsOf(bytes);
  const reading = (id) => {
    const found = sections.find((one) => one.id === id);
    return found === undefined ? new Reader(Uint8Array.of(0)) : new Reader(bytes, found.start, found.end);
  };
  const imported = importedFunctions(reading(SECTION.import));
  const exporting = reading(SECTION.export);
  const exported = exporting.list(() => {
    const from = exporting.at;
    const [name, kind, index] = [exporting.name(), exporting.byte(), exporting.number()];
    return { name, kind, index, bytes: bytes.subarray(from, exporting.at) };
  });
  const kept = exported.filter(({ name }) => isUsed(name));

  const needed = new Set(kept.filter(({ kind }) => kind === FUNCTION).map(({ index }) => index));
  if (sections.some(({ id }) => id === SECTION.start)) needed.add(reading(SECTION.start).number());
  functionsInTables(reading(SECTION.element), needed);
  const globals = reading(SECTION.global);
  globals.list(() => {
    globals.numbers(2);
    readExpression(globals, needed);
  });

  const coding = reading(SECTION.code);
  const bodies = coding.list(() => {
    const from = coding.at;
    const size = coding.number();
    const start = coding.at;
    coding.at += size;
    return { from, start, end: coding.at };
  });
  // A set may grow while it is walked: what is added is visited too.
  for (const index of needed) {
    const body = bodies[index - imported];
    if (body === undefined || unentered.has(index)) continue;
    const reader = new Reader(bytes, body.start, body.end);
    for (let groups = reader.number(); groups > 0; groups--) reader.numbers(2);
    readExpression(reader, needed);
  }

  const parts = sections.map(({ id, from, end }) => {
    if (id === SECTION.export)
      return section(
        id,
        kept.map((one) => one.bytes),
      );
    if (id !== SECTION.code) return bytes.subarray(from, end);
    return section(
      id,
      bodies.map((body, i) =>
        needed.has(i + imported) && !unentered.has(i + imported)
          ? bytes.subarray(body.from, body.end)
          : EMPTY_BODY,
      ),
    );
  });
  return Buffer.concat([bytes.subarray(0, HEADER_BYTES), ...parts]);
}
