/**
 * Tables of a file that scripts/pack-tables.mjs wrote in an order that compresses better. Offsets are bytes from the
 * start of the file. `rows` × `columns` numbers of 16 bits stand column by column; `count` numbers of `bits` bits each
 * say by how much they are greater than the one before.
 */
export type PackedTable =
  | { readonly at: number; readonly rows: number; readonly columns: number }
  | { readonly at: number; readonly count: number; readonly bits: 16 | 32 };

const OPENING_BRACKET = 0x5b;
const NEWLINE = 0x0a;

/** The file as it was before its tables were packed: what they are stands in its first line. Any other file as it is. */
export function unpackTables(packed: Uint8Array): Uint8Array {
  if (packed[0] !== OPENING_BRACKET) return packed;
  const end = packed.indexOf(NEWLINE);
  const tables = JSON.parse(new TextDecoder().decode(packed.subarray(0, end))) as readonly PackedTable[];
  // Copies: the slices of a Buffer would share its memory.
  const bytes = new Uint8Array(packed.subarray(end + 1));
  const to = new DataView(bytes.buffer);
  for (const table of tables) {
    const { at } = table;
    if ('rows' in table) {
      const { rows, columns } = table;
      // Numbers are moved, not read: the order of their two bytes does not matter. A copy is aligned.
      const from = new Uint16Array(bytes.slice(at, at + 2 * rows * columns).buffer);
      const turned = new Uint16Array(from.length);
      for (let column = 0, i = 0; column < columns; column++)
        for (let place = column; place < turned.length; place += columns) turned[place] = from[i++] ?? 0;
      bytes.set(new Uint8Array(turned.buffer), at);
      continue;
    }
    let sum = 0;
    for (let i = 0; i < table.count; i++) {
      const place = at + (i * table.bits) / 8;
      sum += table.bits === 16 ? to.getUint16(place, true) : to.getUint32(place, true);
      if (table.bits === 16) to.setUint16(place, sum, true);
      else to.setUint32(place, sum, true);
    }
  }
  return bytes;
}
