'use strict';

/*
 * Becomes dist/load.js: runs one of the scripts that stand compressed with Brotli in an archive in dist/, and hands out
 * what it exports. Nothing is written to disk. In a stack trace the script is called dist/extension.js and the like.
 */

const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { compileFunction } = require('node:vm');
const { brotliDecompressSync } = require('node:zlib');

module.exports = (archive, script) => {
  const bytes = brotliDecompressSync(readFileSync(join(__dirname, `${archive}.br`)));
  const head = bytes.indexOf(10) + 1;
  const places = JSON.parse(bytes.toString('latin1', 0, head));
  let protocol;

  /** What client and server share is in a script of its own. */
  const find = (name) => {
    if (!places['protocol.js'] || !name.startsWith('vscode-languageserver-protocol')) return require(name);
    protocol ??= run('protocol.js');
    return protocol[name];
  };

  const run = (name) => {
    const filename = join(__dirname, name);
    const [from, to] = places[name];
    const text = bytes.toString('utf8', head + from, head + to);
    const names = ['exports', 'require', 'module', '__filename', '__dirname'];
    const loaded = { exports: {} };
    // A file that exists, because the program may ask the file system about it.
    compileFunction(text, names, { filename })(loaded.exports, find, loaded, __filename, __dirname);
    return loaded.exports;
  };

  return run(script);
};
