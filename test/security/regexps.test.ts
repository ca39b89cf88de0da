import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Literal, regexpLiterals } from './regexp-literals';
import { growth } from './regexp-steps';

/**
 * Regular expressions meet text that somebody else wrote. Twice the text takes twice the steps, however it is made: the
 * attacks follow from the expression, and the steps are counted by a matcher of the tests' own.
 */

/** Quadratic ones, and why no long text reaches them. */
const BOUNDED: Readonly<Record<string, string>> = {
  'core/csource/header-constants.ts (\\w+)\\s+(\\d+)\\s*': 'reads a table of our own',
  'features/completion-manifest.ts :\\s*\\S*$': 'of at most LONGEST_LEAD characters',
  'rules/incompatible-state.ts [ \\t]*$': 'of at most 40 characters',
  'core/csource/dialects/patched-body.ts [;{}:/]\\s*(?:\\/[*/].*)?$|^\\s*$':
    'one line at a time: the end is always reached',
  'host/rehearsal/source-checks.ts ^[ \\t\\f\\v]*(?:#|%:|\\?\\?=)[ \\t\\f\\v]*(include|include_next|import|embed)\\b[ \\t]*(.*)$':
    'one line at a time: the end is always reached',
  'rules/callback-edits.ts ^[ \\t]*(?:(?:const|static|struct|union|enum|unsigned|signed|void|bool|char|short|int|long|size_t|[us](?:8|16|32|64)|\\w+_t)\\b)[^()]*(?:=[^;]*)?;[^\\n]*$':
    'one line at a time: the end is always reached',
};

const ROOTS = ['server/src', 'client/src', 'client/webview'];

interface Named extends Literal {
  readonly name: string;
}

/** Names that the rest of an expression is made from; what they stand for has no repetition in it. */
const MADE = /new RegExp\(\s*(?:String\.raw)?`([^`]*)`,?\s*(?:'(\w*)')?/g;

function sources(): { readonly file: string; readonly path: string; readonly text: string }[] {
  return ROOTS.flatMap((root) =>
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => ({ file, path: join(root, file), text: readFileSync(join(root, file), 'utf8') })),
  );
}

function literals(): Named[] {
  return sources().flatMap(({ file, text }) =>
    regexpLiterals(text).map((literal) => ({ name: `${file} ${literal.source}`, ...literal })),
  );
}

/** Those that are made from a name, with a name in them. */
function made(): Named[] {
  return sources().flatMap(({ file, text }) =>
    [...text.matchAll(MADE)].map(([call, template = '', flags = '']) => {
      const raw = call.includes('String.raw') ? template : template.replaceAll('\\\\', '\\');
      return { name: `${file} ${raw}`, source: raw.replace(/\$\{[^}]*\}/g, 'name'), flags };
    }),
  );
}

test('the steps of every regular expression grow as its text does', () => {
  const all = [...literals(), ...made()];
  expect(all.length).toBeGreaterThan(450);
  const steep = all.flatMap(({ name, source, flags }) => {
    const { factor, attack } = growth(source, flags);
    return factor > 2.6 ? [{ name, factor, attack }] : [];
  });
  expect(steep.filter(({ name }) => !(name in BOUNDED))).toEqual([]);
  // What is on the list is still there, and no worse than quadratic.
  expect([...new Set(steep.map(({ name }) => name))].sort()).toEqual(Object.keys(BOUNDED).sort());
  for (const { name, factor } of steep) expect(factor, name).toBeLessThan(5);
});

test('the matcher of the tests knows linear, quadratic and worse', () => {
  expect(growth('^a+b$', '').factor).toBeLessThan(2.6);
  expect(growth('\\s+$', '').factor).toBeGreaterThan(3);
  expect(growth('^(?:a+)+$', '').factor).toBeGreaterThan(5);
  expect(growth('^(?:__\\w+\\s*)*$', '').factor).toBeGreaterThan(5);
  expect(growth('(a*)*b', '').factor).toBeGreaterThan(5);
});

test('regular expressions are made from identifiers alone, in few places', () => {
  const makers = sources().filter(({ text }) => text.includes('RegExp('));
  expect(makers.map(({ path }) => path).sort()).toEqual([
    'server/src/core/init/suse-tree.ts',
    'server/src/core/scaffold/own-text.ts',
    'server/src/core/scaffold/replaceable.ts',
    'server/src/features/rename.ts',
    'server/src/rules/callback-edits.ts',
    'server/src/rules/callback-in-init-memory.ts',
  ]);
  expect(
    made()
      .map(({ name }) => name.split(' ')[0])
      .sort(),
  ).toEqual(makers.map(({ file }) => file).sort());
});

test('no regular expression of a source is overlooked', () => {
  const of = (text: string): string[] =>
    regexpLiterals(text).map(({ source, flags }) => `${source}/${flags}`);
  expect(of('const f = (a) => /x[/]y/u.test(a) ? a / 2 / b : `${/in/.exec(`/no/${a / b}`)} /no/`;')).toEqual([
    'x[/]y/u',
    'in/',
  ]);
  expect(of("// a /no/ b\n/* /no/ */ x = 'it /no/'; return /a\\/b/gm; y[0] / z / f(1) / 2")).toEqual([
    'a\\/b/gm',
  ]);
  expect(of('a.split(/,/);\nif (x) { y = /\\}/; }\nlist\n  .filter(\n    /z/)')).toEqual([
    ',/',
    '\\}/',
    'z/',
  ]);
  // Wherever an expression could be tested, one stands that was seen.
  for (const { path, text } of sources()) {
    const seen = regexpLiterals(text).map(({ source }) => source);
    for (const [, source = ''] of text.matchAll(/[(\s!=>]\/([^/\n *][^/\n]*)\/[a-z]*\.(?:test|exec)\(/g))
      expect(
        seen.some((it) => it.endsWith(source)),
        `${path}: ${source}`,
      ).toBe(true);
  }
});
