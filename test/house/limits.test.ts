import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** Every constant that bounds something stands in docs/limits.md, and what that page says of it is so. */

const PAGE = readFileSync('docs/limits.md', 'utf8');
const SERVER = 'server/src';
const CONSTANT =
  /^(?:export )?const ((?:MAX|MOST|LONGEST|KEPT|LOOK)(?:_\w+)?|(?:\w+_)?(?:BUDGET|MS|S|SECONDS)|LIMITS|CACHE_LIMIT|CALL_DEPTH|PATIENCE|FAR)\b[^=\n]*= (.*)/gm;
/** The server's files are called by their path in it, the client's by the whole one. */
const ROOTS = { [SERVER]: '', 'client/src': 'client/src/', 'client/webview': 'client/webview/' };
/** Numbers of the kernel and of C, and moments at which something is begun: they bound nothing here. */
const OTHERS = [
  'client/src/panel/stack-panel.ts FOLLOW_AFTER_MS',
  'features/runbook-shell.ts WAIT_SECONDS',
  'lsp/schedule.ts QUIET_MS',
  'lsp/search-ahead.ts SLICE_MS',
  'lsp/server.ts PARSER_AFTER_MS',
  'core/csource/header-constants.ts LIMITS',
  'core/execution/integers.ts MAX_SAFE',
  'core/execution/models/arguments.ts MAX_ERRNO',
  'core/scaffold/states.ts MAX_VERSION',
  'rules/bad-object-name.ts LONGEST',
];

interface Row {
  readonly limit: string;
  readonly file: string;
  readonly name: string;
  readonly said: string;
  readonly test: string;
}

const ROWS: Row[] = [
  ...PAGE.matchAll(/^\| [^|]+ \| ([^|]+) \| `([^`]+)` `([^`]+)` \| ([^|]+) \| `([^`]+)` \|$/gm),
].map(([, limit = '', file = '', name = '', said = '', path = '']) => ({
  limit,
  file,
  name,
  said,
  test: path,
}));

/** `folder`: `file.ts` `NAME` `NAME`; `other.ts` `NAME`. */
function listed(): Set<string> {
  const found = new Set(ROWS.map(({ file, name }) => `${file} ${name}`));
  for (const [, folder = '', rest = ''] of PAGE.matchAll(/^- `([^`]+)`: ((?:.|\n {2})+)\.$/gm)) {
    let file = '';
    for (const [, word = ''] of rest.matchAll(/`([^`]+)`/g)) {
      if (word.endsWith('.ts')) file = `${folder}/${word}`;
      else found.add(`${file} ${word}`);
    }
  }
  return found;
}

function inCode(): Map<string, string> {
  const found = new Map<string, string>();
  for (const [root, prefix] of Object.entries(ROOTS))
    for (const entry of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
      if (!entry.endsWith('.ts')) continue;
      for (const [, name = '', value = ''] of readFileSync(join(root, entry), 'utf8').matchAll(CONSTANT))
        found.set(`${prefix}${entry} ${name}`, value);
    }
  return found;
}

test('the page lists every limit of the code, and no other', () => {
  const code = [...inCode().keys()].filter((it) => !OTHERS.includes(it));
  expect(code.length).toBeGreaterThan(60);
  expect([...listed()].filter((it) => !it.endsWith(' refuse')).sort()).toEqual(code.sort());
});

test.each(ROWS.map((row) => [`${row.file} ${row.name}: ${row.limit}`, row] as const))(
  '%s',
  (_, { limit, file, name, said, test: path }) => {
    const code = inCode();
    const value = code.get(`${file} ${name}`);
    const number = Number(/^[\d,]+/.exec(limit)?.[0].replaceAll(',', ''));
    if (value !== undefined) {
      const megabytes = limit.includes('MiB') ? `${number} * 1024 * 1024` : null;
      expect(value.replaceAll('_', '')).toMatch(
        new RegExp(`\\b${(megabytes ?? String(number)).replaceAll('*', '\\*')}\\b`),
      );
    } else expect(readFileSync(join(SERVER, file), 'utf8')).toContain(`function ${name}(`);
    expect(existsSync(path), path).toBe(true);
    // What is said stands in the code, and a test waits for it.
    const sources = readdirSync(SERVER, { recursive: true, encoding: 'utf8' }).filter((it) =>
      it.endsWith('.ts'),
    );
    expect(
      sources.some((it) => readFileSync(join(SERVER, it), 'utf8').includes(said)),
      said,
    ).toBe(true);
    expect(readFileSync(path, 'utf8').toLowerCase()).toContain(said.toLowerCase().replace(/\.$/, ''));
  },
);

test('the rows were really read', () => {
  expect(ROWS.length).toBeGreaterThan(25);
});
