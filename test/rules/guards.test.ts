import { expect, test } from 'vitest';
import type { Unit } from '../../server/src/core/csource/unit';
import { visitExpression } from '../../server/src/core/execution/ir-walk';
import { type Condition, conditionsAt, countsDown, ownVariableIn } from '../../server/src/rules/guards';
import { check, lineage, manifest } from './fixture';

const FILE = '/lineage/v1/a.c';

/** What the last `here` in the text hangs on, which stands in `name`. */
async function conditions(body: string, name = 'act'): Promise<Condition[]> {
  const text = lineage(manifest(['draft']), {
    body: `extern int a, b, c, d;\nextern int here(void), other(void);\n${body}`,
  });
  const { fixture, project } = await check(text);
  const units: readonly Unit[] = project.analyse().lineage.versions[0]?.program?.units ?? [];
  const start = (fixture.files.get('v1/a.c') ?? '').lastIndexOf('here');
  return conditionsAt(units, name, { file: FILE, start, end: start + 4 });
}

/** The names of variables and functions in a condition. */
function names({ test: condition }: Condition): string {
  const found: string[] = [];
  visitExpression(condition, (expr) => {
    if (expr.k === 'name') found.push(expr.name);
  });
  return found.join(' ');
}

const act = (statements: string): string => `static void act(void)\n{\n  ${statements}\n}`;

test.each([
  ['here();', []],
  ['if (a) here();', ['a']],
  ['if (a) { if (b) here(); else other(); }', ['a', 'b']],
  ['if (a) other(); else if (b) other(); else here();', ['a', 'b']],
  ['if (a) { int n = b; d = n; c = here(); }', ['a']],
  // Those that leave the function before.
  ['if (a) return; here();', ['a']],
  ['if (a) { other(); return; } here();', ['a']],
  ['if (a) other(); else return; here();', ['a']],
  ['if (a) { { goto out; } } here(); out: other();', ['a']],
  ['if (a) other(); here();', []],
  ['if (a) { if (b) return; other(); } here();', []],
  ['if (a) { } here();', []],
  ['other(); here(); if (a) return;', []],
  // What it is part of itself.
  ['if (a && here()) other();', []],
  ['if (a) return; if (here()) other();', ['a']],
  // Loops and the like are walked through.
  ['while (a) { if (b) here(); }', ['b']],
  ['do { if (b) here(); } while (a);', ['b']],
  ['for (c = 0; c < a; c++) { if (b) here(); }', ['b']],
  ['switch (a) { case 1: if (b) here(); }', ['b']],
  ['{ if (b) { here(); } }', ['b']],
  ['if (c) return; while (a) { here(); }', ['c']],
])('%s hangs on %j', async (statements, expected) => {
  expect((await conditions(act(statements))).map(names)).toEqual(expected);
});

test('an assignment is found by where it begins', async () => {
  const found = await conditions(
    'extern int here_is;\nstatic void act(void)\n{\n  if (a)\n    here_is = 3;\n}',
  );
  expect(found.map(names)).toEqual(['a']);
});

test('another call of the same function hangs on something else', async () => {
  expect((await conditions(act('if (a) here(); if (b) here();'))).map(names)).toEqual(['b']);
});

test('what the callers ask counts too', async () => {
  const body = `static void low(void)
{
  if (a)
    here();
}
static void again(void);
static void mid(void)
{
  if (b)
    return;
  low();
  again();
}
static void again(void)
{
  if (c)
    mid();
}
static void apart(void)
{
  if (d)
    other();
}`;
  const found = await conditions(body, 'low');
  expect([...new Set(found.map(names))]).toEqual(['a', 'b', 'c']);
});

test('a function that calls itself asks nothing more by that', async () => {
  const found = await conditions(
    'static void act(int n)\n{\n  if (b)\n    act(n - 1);\n  if (a)\n    here();\n}',
  );
  expect(found.map(names)).toEqual(['a']);
});

test('callers are followed four up', async () => {
  const chain = [1, 2, 3, 4, 5]
    .map((n) => `extern int c${n};\nstatic void f${n}(void)\n{\n  if (c${n})\n    f${n - 1}();\n}`)
    .join('\n');
  const found = await conditions(`static void f0(void)\n{\n  here();\n}\n${chain}`, 'f0');
  expect(found.map(names)).toEqual(['c1', 'c2', 'c3', 'c4']);
});

test('where the function is not known, nothing is', async () => {
  expect(await conditions(act('if (a) here();'), 'nowhere')).toEqual([]);
});

test.each([
  ['flag', 'flag'],
  ['!flag || second', 'flag'],
  ['a && second', 'second'],
  ['table[n].done', 'table'],
  // Others know of these, or the person who loads the module decides.
  ['a', null],
  ['tidy', null],
  ['tidy && flag', 'flag'],
  ['n > 3', null],
  ['other()', null],
  ['nobody_knows', null],
])('the own variable in if (%s) is %s', async (condition, expected) => {
  const found = await conditions(`static bool flag, second, tidy;
static struct { int done; } table[3];
module_param(tidy, bool, 0444);
static void act(int n)
{
  if (${condition})
    here();
}`);
  expect(found.map(ownVariableIn)).toEqual([expected]);
});

test.each([
  ['--users == 0', true],
  ['users-- == 1', true],
  ['!(users -= 1)', true],
  ['refcount_dec_and_test(&count)', true],
  ['atomic_dec_return(&count) == 0', true],
  ['refcount_dec_and_lock(&count, &lock)', true],
  ['atomic_sub_and_test(2, &count)', true],
  ['kref_put(&count, gone)', true],
  ['!a && !--users', true],
  ['++users == 1', false],
  ['users++ == 0', false],
  ['(users += 1) == 1', false],
  ['(users = 0) == 0', false],
  ['users == 0', false],
  ['atomic_inc_return(&count) == 1', false],
  ['acme_put_away(&count)', false],
  ['acme_ops.put(&count)', false],
  ['users - 1 == 0', false],
])('if (%s) counts down: %s', async (condition, expected) => {
  const found = await conditions(
    `static int users;\nextern struct acme_ops acme_ops;\nstatic void act(void)\n{\n  if (${condition})\n    here();\n}`,
  );
  expect(found.map(countsDown)).toEqual([expected]);
});
