import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { withoutPage } from '../../scripts/gather-pages.mjs';
import { withoutUnusedMembers } from '../../scripts/lean-libraries.mjs';

const STYLE = { opens: /^class \w+/, closes: '}', indent: '  ' };
const LIBRARY = `class Tree {
  constructor() {
    this.start();
  }
  start() {
    return this.begin();
  }
  get size() {
    return 1;
  }
  begin() {
    return 0;
  }
  /* lost() and dropped() are only spoken of */
  lost() {
    return this.dropped();
  }
  dropped() {
    return 2;
  }
  toJSON() {
    return {};
  }
}
function size() {
  return 'named';
}`;

test('what a user, a string or a method that stays names is kept; what only lost methods name is not', () => {
  const [text = ''] = withoutUnusedMembers([LIBRARY], ['tree.named()'], STYLE);
  for (const kept of ['constructor', 'start', 'begin', 'size', 'toJSON'])
    expect(text).toContain(` ${kept}() {`);
  expect(text).not.toContain('lost() {');
  expect(text).not.toContain('dropped() {');
  expect(withoutUnusedMembers([LIBRARY], ['const { lost } = tree'], STYLE)[0]).toContain('dropped() {');
});

test("a rule's page is found as it is written, and one with a value in it stays", () => {
  const rule = 'export const rule = {\n  page: `\nSay \\`why\\`, for $5.\n`,\n  check,\n};';
  const found = withoutPage(rule, 'a-rule');
  expect(found?.page).toBe('`\nSay \\`why\\`, for $5.\n`');
  expect(found?.text).toContain("import { PAGES } from 'rule-pages';");
  expect(found?.text).toContain('  page: PAGES.get("a-rule"),\n  check,');
  expect(withoutPage(rule.replace('$5', `$${'{five}'}`), 'a-rule')).toBeNull();
});

test('the rules write their pages so', () => {
  const folder = resolve(import.meta.dirname, '../../server/src/rules');
  const texts = readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')] as const);
  const withPage = texts.filter(([, text]) => /^ {2}page: /m.test(text));
  expect(withPage.length).toBeGreaterThan(40);
  const kept = withPage.filter(([file, text]) => withoutPage(text, file) === null).map(([file]) => file);
  expect(kept.length).toBeLessThan(3);
});
