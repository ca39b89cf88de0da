/**
 * Zip archives of a few small files (APPNOTE 6.3, no zip64). Those that are written are the same for the same content:
 * they tell no times, and nothing twice.
 */

import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_SIZE = 22;
const STORED = 0;
const DEFLATED = 8;
/** Names are in UTF-8. */
const UTF8 = 0x0800;
/** Version 2.0 is what deflated entries need; the attributes are those of Unix. */
const NEEDED = 20;
const MADE_BY = (3 << 8) | NEEDED;
/** The first day that there is. */
const DATE = (1 << 5) | 1;

/** The entries in the order of the archive's directory. Throws where it is none or an entry is damaged. */
export function readArchive(archive) {
  const end = archive.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0) throw new Error('this is no zip archive');
  const count = archive.readUInt16LE(end + 10);
  const entries = [];
  let at = archive.readUInt32LE(end + 16);
  for (let i = 0; i < count; i++) {
    if (archive.readUInt32LE(at) !== CENTRAL) throw new Error('the directory of this archive is damaged');
    const [name, extra, comment] = [28, 30, 32].map((field) => archive.readUInt16LE(at + field));
    const method = archive.readUInt16LE(at + 10);
    const [sum, size] = [16, 20].map((field) => archive.readUInt32LE(at + field));
    const local = archive.readUInt32LE(at + 42);
    const from = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const packed = archive.subarray(from, from + size);
    const entry = {
      name: archive.toString('utf8', at + 46, at + 46 + name),
      bytes: method === STORED ? Buffer.from(packed) : inflateRawSync(packed),
      attributes: archive.readUInt32LE(at + 38),
    };
    if (crc32(entry.bytes) !== sum) throw new Error(`${entry.name} is damaged`);
    entries.push(entry);
    at += 46 + name + extra + comment;
  }
  return entries;
}

/** An archive of these entries, each deflated or stored, whichever is smaller. */
export function writeArchive(entries) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, bytes, attributes } of entries) {
    const title = Buffer.from(name);
    const deflated = deflateRawSync(bytes, { level: 9, memLevel: 9 });
    const smaller = deflated.length < bytes.length;
    const packed = smaller ? deflated : bytes;
    // What the header of an entry and that of the directory have in common, from "version needed" on.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(NEEDED, 0);
    common.writeUInt16LE(UTF8, 2);
    common.writeUInt16LE(smaller ? DEFLATED : STORED, 4);
    common.writeUInt16LE(DATE, 8);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(title.length, 22);
    const local = Buffer.alloc(4);
    local.writeUInt32LE(LOCAL);
    parts.push(local, common, title, packed);
    const head = Buffer.alloc(6);
    head.writeUInt32LE(CENTRAL, 0);
    head.writeUInt16LE(MADE_BY, 4);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(attributes, 6);
    rest.writeUInt32LE(offset, 10);
    directory.push(head, common, rest, title);
    offset += 30 + title.length + packed.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(END_SIZE);
  end.writeUInt32LE(END, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(listing.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, listing, end]);
}
