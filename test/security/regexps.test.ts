import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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

const LITERAL =
  /(?<=[(=,:?&|![{]\s*|^\s+|return )\/(?![/*])((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+)\/([dgimsuvy]*)(?=[.,;)\s\]:])/gm;

interface Literal {
  readonly name: string;
  readonly source: string;
  readonly flags: string;
}

function literals(): Literal[] {
  const found: Literal[] = [];
  for (const root of ['server/src', 'client/src', 'client/webview'])
    for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue;
      for (const [, source = '', flags = ''] of readFileSync(join(root, file), 'utf8').matchAll(LITERAL)) {
        try {
          new RegExp(source, flags);
        } catch {
          // A division, then, or a path in a text.
          continue;
        }
        found.push({ name: `${file} ${source}`, source, flags });
      }
    }
  return found;
}

test('the steps of every regular expression grow as its text does', () => {
  const all = literals();
  expect(all.length).toBeGreaterThan(350);
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
  const makers = readdirSync('server/src', { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && readFileSync(join('server/src', file), 'utf8').includes('new RegExp('),
  );
  expect(makers.sort()).toEqual([
    'core/init/suse-tree.ts',
    'core/scaffold/own-text.ts',
    'core/scaffold/replaceable.ts',
    'features/rename.ts',
    'rules/callback-edits.ts',
    'rules/callback-in-init-memory.ts',
  ]);
});
