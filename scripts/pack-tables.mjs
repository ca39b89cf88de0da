/**
 * Writes the large tables of the C grammar in an order that compresses better; server/src/host/unpack-tables.ts undoes
 * it. Neighbours in a column of the parse table are more alike than those in a row, and two lists of states nearly
 * count up. Where the tables stand is known for one build of the grammar: any other file stays as it is.
 */

import { createHash } from 'node:crypto';

/** tree-sitter-c 0.24.1. */
const GRAMMAR = 'c852c2a85ebf2beb636aa3b0ef7f7e70458684d74f6741b20dcb296885bed9f9';

/** ts_parse_table, ts_small_parse_table_map and ts_primary_state_ids; as in `PackedTable`. */
const TABLES = [
  { at: 237_600, rows: 455, columns: 360 },
  { at: 205_946, count: 1560, bits: 32 },
  { at: 227_678, count: 2015, bits: 16 },
];

/** `bytes` (a Buffer) with its tables packed and a first line that says so; null where the file is not known. */
export function packTables(bytes) {
  if (createHash('sha256').update(bytes).digest('hex') !== GRAMMAR) return null;
  const packed = Buffer.from(bytes);
  for (const table of TABLES) {
    if ('rows' in table) transpose(bytes, packed, table);
    else differences(bytes, packed, table);
  }
  return Buffer.concat([Buffer.from(`${JSON.stringify(TABLES)}\n`), packed]);
}

function transpose(bytes, packed, { at, rows, columns }) {
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      bytes.copy(
        packed,
        at + 2 * (column * rows + row),
        at + 2 * (row * columns + column),
        at + 2 * (row * columns + column) + 2,
      );
}

function differences(bytes, packed, { at, count, bits }) {
  const size = bits / 8;
  for (let i = 1; i < count; i++) {
    const [before, now] = [i - 1, i].map((place) => bytes.readUIntLE(at + place * size, size));
    packed.writeUIntLE((now - before + 2 ** bits) % 2 ** bits, at + i * size, size);
  }
}
