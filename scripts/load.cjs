'use strict';

/*
 * Becomes dist/load.js: runs one of the scripts in dist/ that are compressed with Brotli, and hands out what it exports.
 * Nothing is written to disk. The scripts are ASCII alone, and text of one byte a character is compiled faster. In a stack trace the script is called dist/editor.js or dist/program.js.
 */

const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { compileFunction } = require('node:vm');
const { brotliDecompressSync } = require('node:zlib');

/** `part` counts from 0 the scripts that lie in one compressed file. */
module.exports = (name, part) => {
  const filename = join(__dirname, name);
  const text = brotliDecompressSync(readFileSync(`${filename}.br`))
    .toString('latin1')
    .split('\0')[part];
  const run = compileFunction(text, ['exports', 'require', 'module', '__filename', '__dirname'], {
    filename,
  });
  const loaded = { exports: {} };
  // A file that exists, because the program may ask the file system about it.
  run(loaded.exports, require, loaded, __filename, __dirname);
  return loaded.exports;
};
