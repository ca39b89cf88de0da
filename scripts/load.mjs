/*
 * Becomes a part of dist/server.js: runs one of the scripts in dist/ that are compressed with Brotli, and hands out what it exports.
 * The scripts are ASCII alone, and text of one byte a character is compiled faster. In a stack trace the script is
 * called dist/editor.js or dist/program.js.
 *
 * Compiling a megabyte takes longer than everything else at a start. So what V8 has compiled is kept in the user's own
 * cache folder, as editors do with their own scripts: a file that another user could have written is not read, V8
 * itself refuses what another version of it has made, and without it all goes as before, more slowly.
 */

import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';
import { brotliDecompressSync } from 'node:zlib';

/** When what has been compiled so far is kept: what a start needs has run by then. */
const KEEP_AFTER_MS = 4_000;
const HEAD = '(function(exports,require,module,__filename,__dirname){';

/** What was kept of this script: its source and V8's data. Null where there is nothing, or of another build. */
function kept(file, origin) {
  let open;
  try {
    open = openSync(file);
    const { uid, mode } = fstatSync(open);
    if (process.getuid && (uid !== process.getuid() || mode & 0o22)) return null;
    const bytes = readFileSync(open);
    const start = origin.length + 4;
    if (bytes.latin1Slice(0, origin.length) !== origin) return null;
    const end = start + bytes.readUInt32LE(origin.length);
    return end < bytes.length ? { source: bytes.latin1Slice(start, end), data: bytes.subarray(end) } : null;
  } catch {
    return null;
  } finally {
    if (open !== undefined) closeSync(open);
  }
}

/** Makes a folder and those above it. Node's own way to do that never ends where nothing can be made, as below /proc. */
function made(folder) {
  try {
    statSync(folder);
  } catch {
    made(dirname(folder));
    mkdirSync(folder, 0o700);
  }
}

/** Whole or not at all: V8 does not look through what it is given. */
function keep(folder, file, origin, source, data) {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(source.length);
  try {
    made(folder);
    const temporary = `${file}.${process.pid}`;
    const open = openSync(temporary, 'w', 0o600);
    writeSync(
      open,
      Buffer.concat([Buffer.from(origin, 'latin1'), length, Buffer.from(source, 'latin1'), data]),
    );
    fsyncSync(open);
    closeSync(open);
    renameSync(temporary, file);
  } catch {
    // A folder that cannot be written, a full disk: the next start is as slow as this one.
  }
}

/** The script as a function; `before` is how many bytes are kept before it. */
function unpacked(bytes, part, before) {
  const source = `${HEAD}${brotliDecompressSync(bytes).latin1Slice().split('\0')[part]}\n})`;
  // What is kept behind it lies at a multiple of 8: V8 copies what does not.
  return source + ' '.repeat(-(before + source.length) & 7);
}

/** `part` counts from 0 the scripts that lie in one compressed file; with `as`, what is compiled is kept by that name. */
export function load(name, part, as) {
  const filename = join(__dirname, name);
  const packed = `${filename}.br`;
  const home = process.env.LIVEPATCH_LINEAGE_CACHE || join(homedir(), '.cache', 'livepatch-lineage');
  const folder = join(home, 'code');
  const file = join(folder, `${as}-${process.versions.v8}-${process.arch}`);
  let origin = '';
  if (as) {
    const { size, mtimeMs } = statSync(packed);
    origin = `${size} ${mtimeMs} ${part}\n`;
  }
  const known = as ? kept(file, origin) : null;
  const source = known?.source ?? unpacked(readFileSync(packed), part, origin.length + 4);
  const script = new Script(source, {
    filename,
    columnOffset: -HEAD.length,
    cachedData: known?.data,
  });
  const loaded = { exports: {} };
  // A file name that exists, because the program may ask the file system about it.
  script.runInThisContext()(loaded.exports, require, loaded, __filename, __dirname);
  if (as && (!known || script.cachedDataRejected)) {
    let open = true;
    const once = () => {
      if (open) keep(folder, file, origin, source, script.createCachedData());
      open = false;
    };
    setTimeout(once, KEEP_AFTER_MS).unref();
    process.once('exit', once);
  }
  return loaded.exports;
}
