import { gunzipSync } from 'node:zlib';
import { builtAsC } from '../core/built/as-c';
import { readBuiltModule } from '../core/built/built-module';
import type { Reading } from '../core/csource/dialects/dialect';
import type { Place } from '../core/place';
import type { Files } from './files';

/** A module with debug information unpacks to some tens of megabytes. */
const MAX_BUILT_BYTES = 256 * 1024 * 1024;

/**
 * A built module (.ko, .ko.gz) as a reading: its tables as C. Everything in it is shown at the place in the manifest
 * that names it, for there is no source to show. Answers why it cannot be read, in words for a person.
 */
export function readBuilt(path: string, files: Files, place: Place): Reading | { readonly problem: string } {
  const read = files.bytes(path);
  if ('reason' in read) return { problem: read.reason };
  const bytes = unpacked(read);
  if ('problem' in bytes) return bytes;
  const module = readBuiltModule(bytes);
  if ('problem' in module) return module;
  if (!module.livepatchInfo) return { problem: 'it is not a livepatch: its modinfo lacks "livepatch=Y"' };
  const name = `built:${path}`;
  const reading: Reading = {
    units: [name],
    texts: new Map([[name, builtAsC(module)]]),
    relocate: () => place,
    problems: [],
  };
  return reading;
}

function unpacked(bytes: Uint8Array): Uint8Array | { readonly problem: string } {
  const starts = (...magic: number[]): boolean => magic.every((byte, i) => bytes[i] === byte);
  if (starts(0xfd, 0x37, 0x7a)) return { problem: 'it is compressed: unpack it with xz -dk' };
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return { problem: 'it is compressed: unpack it with zstd -d' };
  if (!starts(0x1f, 0x8b)) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_BUILT_BYTES });
  } catch {
    return { problem: 'its compression is damaged, or it unpacks to more than 256 MiB' };
  }
}
