import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { initParser } from '../core/csource/tree';

let started: Promise<void> | null = null;

/** Loads the C grammar once per process. The two wasm files lie beside the bundle, or in node_modules for tests. */
export function startParser(): Promise<void> {
  started ??= initParser({
    core: wasm('web-tree-sitter.wasm', 'web-tree-sitter'),
    language: wasm('tree-sitter-c.wasm', 'tree-sitter-c'),
  });
  return started;
}

function wasm(name: string, from: string): string {
  const beside = join(__dirname, name);
  if (existsSync(beside)) return beside;
  return join(__dirname, '../../../node_modules', from, name);
}
