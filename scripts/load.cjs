'use strict';

/*
 * Becomes dist/load.js: runs dist/program.js.br, which is one script compressed with Brotli, and hands out what it
 * exports. Nothing is written to disk. In a stack trace the script is called dist/program.js.
 */

const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { compileFunction } = require('node:vm');
const { brotliDecompressSync } = require('node:zlib');

const filename = join(__dirname, 'program.js');
const text = brotliDecompressSync(readFileSync(`${filename}.br`)).toString('utf8');
const run = compileFunction(text, ['exports', 'require', 'module', '__filename', '__dirname'], { filename });
// A file that exists, because the program may ask the file system about it.
run(exports, require, module, __filename, __dirname);
