import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { initParser } from '../core/csource/tree';
import { unpackTables } from './unpack-tables';

let started: Promise<void> | null = null;

/** Loads the C grammar once per process. The two wasm files lie packed beside the bundle, or in node_modules for tests. */
export function startParser(): Promise<void> {
  started ??= initParser({
    core: wasm('web-tree-sitter.wasm', 'web-tree-sitter'),
    language: wasm('tree-sitter-c.wasm', 'tree-sitter-c'),
  });
  return started;
}

function wasm(name: string, from: string): string | Uint8Array {
  const packed = join(__dirname, `${name}.br`);
  if (existsSync(packed)) return unpackTables(brotliDecompressSync(readFileSync(packed)));
  return join(__dirname, '../../../node_modules', from, name);
}
