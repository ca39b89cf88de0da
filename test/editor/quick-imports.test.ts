import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { compileFunction } from 'node:vm';
import { build } from 'esbuild';
import { afterAll, expect, test } from 'vitest';
import { withCopiedExports, withoutNamesAhead, withSharedImports } from '../../scripts/quick-imports.mjs';

const folder = mkdtempSync(join(tmpdir(), 'livepatch-imports-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a bundle of `main` hands out, as esbuild writes it and with shared imports. */
async function bundled(main: string, files: Readonly<Record<string, string>>): Promise<unknown[]> {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const { outputFiles } = await build({
    stdin: { contents: main, resolveDir: folder, sourcefile: 'main.ts', loader: 'ts' },
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    write: false,
  });
  const text = outputFiles[0]?.text ?? '';
  const shared = withSharedImports(text);
  expect(shared).not.toBe(text);
  return [text, shared].map((code) => {
    const module = { exports: {} as { result?: unknown } };
    compileFunction(code, ['module', 'exports', 'require'])(
      module,
      module.exports,
      createRequire(import.meta.url),
    );
    return module.exports.result;
  });
}

test('names, defaults and whole modules are imported as before', async () => {
  const [before, after] = await bundled(
    `import marked, { one } from './marked.cjs';
     import plain, { two } from './plain.cjs';
     import called from './called.cjs';
     import * as all from './plain.cjs';
     export const result = [marked, one, plain, two, called(), all.two, all.default === plain];`,
    {
      'marked.cjs':
        'Object.defineProperty(exports, "__esModule", { value: true }); exports.one = 1; exports.default = "d";',
      'plain.cjs': 'module.exports = { two: 2 };',
      'called.cjs': 'module.exports = () => 3;',
    },
  );
  expect(before).toEqual(['d', 1, { two: 2 }, 2, 3, 2, true]);
  expect(after).toEqual(before);
});

test('a helper that is not known is no silent loss', () => {
  expect(() => withSharedImports('u=(n,r)=>f(n,"default",{value:n,enumerable:!0})')).toThrow('quick-imports');
});

test('a name that has no value yet is not said, and what is set to undefined later is', () => {
  const head = 'Object.defineProperty(e,"__esModule",{value:!0})';
  expect(withoutNamesAhead(`${head},e.A=e.$b=void 0,e.c=1,e.d=void 0`)).toBe(`${head},e.c=1,e.d=void 0`);
  expect(withoutNamesAhead(`${head};e.A=void 0;e.B=void 0;f.c=void 0`)).toBe(`${head};f.c=void 0`);
});

test.each([
  'vscode-jsonrpc/lib/node/main',
  'vscode-languageserver-protocol/lib/common/api',
  'vscode-languageserver-protocol/lib/node/main',
  'vscode-languageserver/lib/common/api',
  'vscode-languageserver/lib/node/main',
])('%s hands on the same names and values', (name) => {
  const path = resolve(import.meta.dirname, '../../node_modules', `${name}.js`);
  const require = createRequire(path);
  const text = readFileSync(path, 'utf8');
  const copied = withCopiedExports(text);
  expect(copied).not.toBe(text);
  const exports: Record<string, unknown> = {};
  compileFunction(copied, ['exports', 'require', 'module'])(exports, require, { exports });
  const real = require(path) as Record<string, unknown>;
  expect(Object.keys(exports).sort()).toEqual(Object.keys(real).sort());
  const own = new Set(
    [...text.matchAll(/^exports\.(\w+) = \w+;$|^class (\w+)|exports\.(\w+) = \w+ = \{\}/gm)].map(
      ([, a, b, c]) => a ?? b ?? c,
    ),
  );
  for (const [key, value] of Object.entries(exports)) if (!own.has(key)) expect(value, key).toBe(real[key]);
});
