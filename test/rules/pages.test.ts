import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rulePage, rulesTable } from '../../server/src/rules/page';
import { RULES } from '../../server/src/rules/registry';

const FOLDER = join(import.meta.dirname, '../../docs/rules');

test('docs/rules is in step with the rules', () => {
  const pages = new Map([['README.md', rulesTable(RULES)]]);
  for (const rule of RULES) pages.set(`${rule.code}.md`, rulePage(rule));
  expect(readdirSync(FOLDER).sort()).toEqual([...pages.keys()].sort());
  for (const [file, text] of pages) {
    expect(readFileSync(join(FOLDER, file), 'utf8'), `run scripts/generate-rule-pages.mjs for ${file}`).toBe(
      text,
    );
  }
});

test('every rule has a readable code of its own, a summary of one line and a page that shows an example', () => {
  expect(RULES.length).toBeGreaterThanOrEqual(15);
  expect(new Set(RULES.map((rule) => rule.code)).size).toBe(RULES.length);
  for (const rule of RULES) {
    expect(rule.code).toMatch(/^[a-z]+(-[a-z]+)+$/);
    expect(rule.summary).not.toMatch(/\n|\.$/);
    expect(rule.page, rule.code).toMatch(/^~~~(c|yaml)$/m);
    expect(rule.page, rule.code).not.toMatch(/[ \t]+$/m);
    // Fences open and close.
    expect((rule.page.match(/^~~~/gm) ?? []).length % 2, rule.code).toBe(0);
  }
});

test('each rule stands in the file that is named after it', () => {
  for (const rule of RULES) {
    const file = join(import.meta.dirname, '../../server/src/rules', `${rule.code}.ts`);
    expect(readFileSync(file, 'utf8')).toContain(`code: '${rule.code}'`);
  }
});
