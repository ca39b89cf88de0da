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
  const from = new DataView(new Uint8Array(bytes).buffer);
  for (const table of tables) {
    const { at } = table;
    if ('rows' in table) {
      const { rows, columns } = table;
      for (let i = 0; i < rows * columns; i++) {
        const place = (i % rows) * columns + Math.floor(i / rows);
        to.setUint16(at + 2 * place, from.getUint16(at + 2 * i));
      }
      continue;
    }
    let sum = 0;
    for (let i = 0; i < table.count; i++) {
      const place = at + (i * table.bits) / 8;
      sum += table.bits === 16 ? from.getUint16(place, true) : from.getUint32(place, true);
      if (table.bits === 16) to.setUint16(place, sum, true);
      else to.setUint32(place, sum, true);
    }
  }
  return bytes;
}
