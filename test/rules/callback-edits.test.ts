import { expect, test } from 'vitest';
import type { Actor } from '../../server/src/core/execution/effects';
import { guardedBy, movedTo, takenOver } from '../../server/src/rules/callback-edits';
import type { Fix } from '../../server/src/rules/rule';
import { PUBLISHED_NOTIFIER } from './effects';
import { asText, check, fixed, type LivepatchParts, lineage, livepatch, manifest } from './fixture';
import { contextOf } from './told';

const TWO = manifest(['released', 'draft']);

/** The file with the only fix of the only finding of that code; checks that the finding is gone and no other came. */
async function accepted(text: string, code: string, file: string): Promise<string> {
  const { fixture, findings } = await check(text);
  const own = findings.filter((finding) => finding.code === code);
  expect(own.map(({ fixes }) => fixes.length)).toEqual([1]);
  const fix = own[0]?.fixes[0];
  if (!fix) throw new Error('no fix');
  const files = fixed(fixture, fix);
  const after = await check(asText(files));
  const before = new Set(findings.map((finding) => finding.code));
  expect(after.findings.map((finding) => finding.code)).not.toContain(code);
  expect(after.findings.filter((finding) => !before.has(finding.code)).map(({ message }) => message)).toEqual(
    [],
  );
  return files.get(file) ?? '';
}

async function fixesOf(text: string, code: string): Promise<number[]> {
  const { findings } = await check(text);
  return findings.filter((finding) => finding.code === code).map(({ fixes }) => fixes.length);
}

const tidying = (id: string, version: number, call: string, head = ''): LivepatchParts => ({
  body: `#define ACME_STATE 7\nextern struct static_key_false acme_key;\n${head}static void tidy(struct klp_object *obj)\n{\n  ${call}\n}`,
  callbacks: '      .post_patch = tidy,',
  states: `  { .id = ${id}, .version = ${version} },`,
});
const PREV = 'unregister_reboot_notifier(klp_get_prev_state(7)->data);';

test('a cleanup is wrapped in the guard that the state of the other version is', async () => {
  const text = await accepted(
    lineage(TWO, PUBLISHED_NOTIFIER, tidying('7', 2, PREV)),
    'unguarded-cleanup',
    'v2/a.c',
  );
  expect(text).toContain(`{
  {
    struct klp_state *prev = klp_get_prev_state(7);

    if (prev && prev->version <= 1)
      unregister_reboot_notifier(prev->data);
  }
}
`);
});

test('the guard names the state as the version does', async () => {
  const lines = tidying('ACME_STATE', 2, 'remove_proc_entry("acme", NULL);');
  const proc: LivepatchParts = {
    ...PUBLISHED_NOTIFIER,
    body: `static const struct proc_ops ops = { };
static int hook(struct klp_object *obj)
{
  return proc_create("acme", 0444, NULL, &ops) ? 0 : -ENOMEM;
}
static void unhook(struct klp_object *obj)
{
  remove_proc_entry("acme", NULL);
}`,
  };
  const text = await accepted(lineage(TWO, proc, lines), 'unguarded-cleanup', 'v2/a.c');
  expect(text).toContain('klp_get_prev_state(ACME_STATE);');
  expect(text).toContain('if (prev && prev->version <= 1)\n      remove_proc_entry("acme", NULL);');
});

test('no guard is offered that would not tell whose the state is', async () => {
  // The same version: the one after this would take this one's own entry for that of the faulty one.
  expect(await fixesOf(lineage(TWO, PUBLISHED_NOTIFIER, tidying('7', 1, PREV)), 'unguarded-cleanup')).toEqual(
    [0],
  );
  // What goes wrong stands in front of the call.
  const early = 'void *nb = klp_get_prev_state(7)->data;\n\n  unregister_reboot_notifier(nb);';
  expect(
    await fixesOf(lineage(TWO, PUBLISHED_NOTIFIER, tidying('7', 2, early)), 'unguarded-cleanup'),
  ).toEqual([0]);
});

const keyVersion = (more: string, callbacks: string): LivepatchParts => ({
  body: `extern struct static_key_false acme_key;\nextern int acme_limit;\n${more}`,
  callbacks,
});
const switching = (pre: string, post: string): LivepatchParts =>
  keyVersion(
    `static int before(struct klp_object *obj)
{
  static_branch_inc(&acme_key);
  return 0;
}
static void leave(struct klp_object *obj)
{
  ${pre}
}
static void left(struct klp_object *obj)
{
  ${post}
}`,
    '      .pre_patch = before,\n      .pre_unpatch = leave,\n      .post_unpatch = left,',
  );

test('an undo is moved to the callback that is the partner', async () => {
  const wrong = switching('static_branch_dec(&acme_key);\n  pr_info("leaving\\n");', 'pr_info("left\\n");');
  const text = await accepted(lineage(manifest(['draft']), wrong), 'undo-in-wrong-callback', 'v1/a.c');
  expect(text).toContain(`static void leave(struct klp_object *obj)
{
  pr_info("leaving\\n");
}
static void left(struct klp_object *obj)
{
  pr_info("left\\n");
  static_branch_dec(&acme_key);
}
`);
});

test('an undo is not moved out of a branch, nor where the other callback may leave early', async () => {
  const ONE = manifest(['draft']);
  const branch = switching('if (obj)\n    static_branch_dec(&acme_key);', 'pr_info("left\\n");');
  expect(await fixesOf(lineage(ONE, branch), 'undo-in-wrong-callback')).toEqual([0]);
  const early = switching(
    'static_branch_dec(&acme_key);',
    'if (acme_limit)\n    return;\n  pr_info("left\\n");',
  );
  expect(await fixesOf(lineage(ONE, early), 'undo-in-wrong-callback')).toEqual([0]);
  const local = switching(
    'struct static_key_false *key = &acme_key;\n\n  static_branch_dec(key);',
    'pr_info("left\\n");',
  );
  expect(await fixesOf(lineage(ONE, local), 'undo-in-wrong-callback')).toEqual([0]);
});

test('a cleanup is moved from pre_patch to post_patch', async () => {
  const make = keyVersion(
    `static void on(struct klp_object *obj)
{
  static_branch_enable(&acme_key);
}
static void off(struct klp_object *obj)
{
  static_branch_disable(&acme_key);
}`,
    '      .post_patch = on,\n      .pre_unpatch = off,',
  );
  const early = keyVersion(
    `static int tidy(struct klp_object *obj)
{
  static_branch_disable(&acme_key);
  return 0;
}
static void done(struct klp_object *obj)
{
  pr_info("in force\\n");
}`,
    '      .pre_patch = tidy,\n      .post_patch = done,',
  );
  const text = await accepted(lineage(TWO, make, early), 'cleanup-in-pre-patch', 'v2/a.c');
  expect(text).toContain('{\n  return 0;\n}');
  expect(text).toContain('  pr_info("in force\\n");\n  static_branch_disable(&acme_key);\n}');
});

const SAVING = (version: number): LivepatchParts => ({
  body: `static int room(struct klp_object *obj)
{
  struct klp_state *state = klp_get_state(&patch, 7);

  state->data = kzalloc(sizeof(int), GFP_KERNEL);
  return state->data ? 0 : -ENOMEM;
}
static void louder(struct klp_object *obj)
{
  struct klp_state *state = klp_get_state(&patch, 7);

  *(int *)state->data = console_loglevel;
  console_loglevel = 15;
}
static void quiet(struct klp_object *obj)
{
  console_loglevel = *(int *)klp_get_state(&patch, 7)->data;
}
static void gone(struct klp_object *obj)
{
  kfree(klp_get_state(&patch, 7)->data);
}`,
  callbacks:
    '      .pre_patch = room,\n      .post_patch = louder,\n      .pre_unpatch = quiet,\n      .post_unpatch = gone,',
  states: `  { .id = 7, .version = ${version} },`,
});

test('what the previous state holds is taken over', async () => {
  const text = await accepted(lineage(TWO, SAVING(1), SAVING(1)), 'forgotten-original-value', 'v2/a.c');
  expect(text).toContain(`static void louder(struct klp_object *obj)
{
  struct klp_state *before = klp_get_prev_state(7);
  struct klp_state *mine = klp_get_state(&patch, 7);
  struct klp_state *state = klp_get_state(&patch, 7);

  if (before) {
    kfree(mine->data);
    mine->data = before->data;
    return;
  }

  *(int *)state->data = console_loglevel;
`);
});

test('nothing is taken over that is not in a state', async () => {
  const saved: LivepatchParts = {
    ...SAVING(1),
    body: (SAVING(1).body ?? '')
      .replaceAll('*(int *)klp_get_state(&patch, 7)->data', 'saved')
      .replaceAll('*(int *)state->data', 'saved')
      .replace('static int room', 'static int saved;\nstatic int room')
      .replace('state->data = kzalloc(sizeof(int), GFP_KERNEL);', 'pr_info("%p\\n", state->data);')
      .replace('return state->data ? 0 : -ENOMEM;', 'return 0;'),
  };
  expect(await fixesOf(lineage(TWO, saved, saved), 'forgotten-original-value')).toEqual([0]);
});

type Versions = readonly (LivepatchParts | string)[];

/** What one of the functions below offers for the first `call` in the last version's file, with that file's text. */
async function offered(
  versions: Versions,
  call: string,
  by: Pick<Actor, 'during' | 'function'>,
  offer: (
    context: Awaited<ReturnType<typeof contextOf>>,
    lastTwo: readonly [first: Version, last: Version],
    by: Actor,
  ) => readonly Fix[],
): Promise<{ readonly text: string; readonly fixes: readonly Fix[] }> {
  const context = await contextOf(lineage(manifest(versions.map(() => 'draft')), ...versions));
  const found = context.lineage.versions;
  const first = found[0] as Version;
  const last = found[found.length - 1] as Version;
  const file = `/lineage/${last.name}/a.c`;
  const text = context.text(file);
  const start = text.indexOf(call);
  expect(start, call).toBeGreaterThanOrEqual(0);
  const place = { file, start, end: start + call.length };
  return { text, fixes: offer(context, [first, last], { ...by, instance: 0, place }) };
}
type Version = Awaited<ReturnType<typeof contextOf>>['lineage']['versions'][number];

function applied(text: string, fix: Fix | undefined): string | null {
  if (!fix) return null;
  const edits = [...fix.edits].sort((a, b) => b.place.start - a.place.start);
  return edits.reduce((so, { place, text: by }) => so.slice(0, place.start) + by + so.slice(place.end), text);
}

const DEC = 'static_branch_dec(&acme_key)';
const LEAVE = '      .pre_unpatch = leave,\n      .post_unpatch = left,';
/** The text of a file with `call` in leave(), and left() with a body. */
const moving = (lines: string, body: string, more: LivepatchParts = {}): LivepatchParts => ({
  body: `extern struct static_key_false acme_key;
extern int acme_limit;
static struct { struct { int n; } a, *b; } own;
static void leave(struct klp_object *obj)
{
${lines}
}
static void left(struct klp_object *obj)
{
${body}
}
static void far(struct klp_object *obj)
{
  pr_info("far\\n");
}`,
  callbacks: LEAVE,
  ...more,
});
const move = (parts: LivepatchParts | string, call: string, by = 'leave') =>
  offered([parts], call, { during: 'pre_unpatch', function: by }, (context, [, version], actor) =>
    movedTo(context, version, actor, 'post_unpatch'),
  );

test('what is offered says where to', async () => {
  const { fixes } = await move(moving(`  ${DEC};`, '  pr_info("left\\n");'), DEC);
  expect(fixes.map(({ title, preferred }) => ({ title, preferred }))).toEqual([
    { title: 'Move it to left(), the post_unpatch callback', preferred: false },
  ]);
});

test.each([
  [DEC, `  ${DEC};`, ''],
  [DEC, `  pr_info("a");\n  ${DEC};\n  pr_info("b");`, `  pr_info("a");\n  pr_info("b");`],
  [DEC, `  { pr_info("a"); }\n  ${DEC};`, `  { pr_info("a"); }`],
  // Comments are no code.
  [DEC, `  pr_info("a"); // if { return;\n  ${DEC};`, `  pr_info("a"); // if { return;`],
  [DEC, `  pr_info("a"); /* if {\n  return; */\n  ${DEC};`, `  pr_info("a"); /* if {\n  return; */`],
  // On two lines, with blanks behind it.
  ['static_branch_dec(\n    &acme_key)', '  static_branch_dec(\n    &acme_key); ', ''],
  ['remove_proc_entry("acme obj", NULL)', '  remove_proc_entry("acme obj", NULL);', ''],
  ['kfree(own.b -> n)', '  kfree(own.b -> n);', ''],
  ['pr_info("%d\\n", ACME_2)', '  pr_info("%d\\n", ACME_2);', ''],
])('%j is moved out of %j', async (call, lines, rest) => {
  const body = '  pr_info("left\\n");';
  const { text, fixes } = await move(moving(lines, body), call);
  const kept = rest === '' ? '' : `${rest}\n`;
  expect(applied(text, fixes[0])).toBe(
    text.replace(`{\n${lines}\n}`, `{\n${kept}}`).replace(`${body}\n}`, `${body}\n  ${call};\n}`),
  );
});

test('into an empty callback', async () => {
  const { text, fixes } = await move(livepatch(moving(`  ${DEC};`, '  ;')).replace('{\n  ;\n}', '{\n}'), DEC);
  expect(applied(text, fixes[0])).toContain(`left(struct klp_object *obj)\n{\n  ${DEC};\n}\nstatic void far`);
});

test.each([
  // It would run in other cases.
  [DEC, `  if (acme_limit)\n    ${DEC};`, '  ;'],
  [DEC, `  if (acme_limit) {\n    pr_info("a");\n    ${DEC};\n  }`, '  ;'],
  [DEC, `  if (acme_limit)\n    return;\n  ${DEC};`, '  ;'],
  [DEC, `  if (acme_limit)\n    goto out;\n  ${DEC};\nout:\n  ;`, '  ;'],
  [DEC, `  ${DEC};`, '  if (acme_limit)\n    return;\n  pr_info("left\\n");'],
  [DEC, `  ${DEC};`, '  if (acme_limit)\n    goto out;\nout:\n  ;'],
  // It is not alone on its lines.
  [DEC, `  ${DEC}; // the key`, '  ;'],
  [DEC, `  pr_info("a"); ${DEC};`, '  ;'],
  [DEC, `  acme_limit = ${DEC};`, '  ;'],
  [DEC, `  ${DEC} + 1;`, '  ;'],
  // The other callback does not know what it is about.
  ['kfree(local)', '  void *local = NULL;\n\n  kfree(local);', '  ;'],
  ['kfree(obj)', '  kfree(obj);', '  ;'],
  [
    'pr_info("%s %p\\n", "a\\"b", Local)',
    '  void *Local = 0;\n\n  pr_info("%s %p\\n", "a\\"b", Local);',
    '  ;',
  ],
])('%j is not moved out of %j into %j', async (call, lines, body) => {
  expect((await move(moving(lines, body), call)).fixes).toEqual([]);
});

test('nothing is moved where the callbacks are not seen', async () => {
  const plain = moving(`  ${DEC};`, '  ;');
  const objects = (...callbacks: readonly string[]): string =>
    callbacks
      .map((text, n) => `  { ${n ? `.name = "m${n}", ` : ''}.funcs = funcs, .callbacks = { ${text} } },`)
      .join('\n');
  const of = async (...callbacks: readonly string[]) =>
    (await move({ ...plain, objects: objects(...callbacks) }, DEC)).fixes.length;
  const both = '.pre_unpatch = leave, .post_unpatch = left';
  expect(await of(both)).toBe(1);
  expect(await of(both, '.pre_unpatch = far')).toBe(1);
  expect(await of(both, '.post_patch = leave')).toBe(1);
  expect(await of('.pre_unpatch = leave')).toBe(0);
  expect(await of('.pre_unpatch = leave', '.post_unpatch = left')).toBe(0);
  expect(await of('.pre_unpatch = leave, .post_unpatch = nowhere')).toBe(0);
  // Where two objects share it, each would have to be moved.
  expect(await of(both, '.pre_unpatch = leave')).toBe(0);
  expect((await move(plain, DEC, 'far')).fixes).toEqual([]);
});

test('a callback on one line is not taken for the function behind it', async () => {
  const text = livepatch(moving(`  ${DEC};`, '  ;')).replace(
    /(static void left\(struct klp_object \*obj\))\n\{\n {2};\n\}/,
    '$1 { }',
  );
  expect(text).toContain('left(struct klp_object *obj) { }\nstatic void far');
  expect((await move(text, DEC)).fixes).toEqual([]);
});

const guard = (
  before: LivepatchParts,
  lines: string,
  call: string,
  states: string,
  more: LivepatchParts = {},
) =>
  offered(
    [
      before,
      {
        body: `static void tidy(struct klp_object *obj)\n{\n${lines}\n}`,
        callbacks: '      .post_patch = tidy,',
        states,
        ...more,
      },
    ],
    call,
    { during: 'post_patch', function: 'tidy' },
    (context, [from, to], by) => guardedBy(context, from, to, by),
  );
const V2 = '  { .id = 7, .version = 2 },';
const REMOVE = 'remove_proc_entry("acme", NULL)';

test('a guard is as the lines around it are indented', async () => {
  const { text, fixes } = await guard(PUBLISHED_NOTIFIER, `\t${REMOVE};`, REMOVE, V2);
  expect(fixes.map(({ title, preferred }) => ({ title, preferred }))).toEqual([
    { title: 'Only where v1 left state 7', preferred: false },
  ]);
  expect(applied(text, fixes[0])).toContain(`{
\t{
\t\tstruct klp_state *prev = klp_get_prev_state(7);

\t\tif (prev && prev->version <= 1)
\t\t\t${REMOVE};
\t}
}`);
});

test('there is one guard for each state that tells whose it is', async () => {
  const before = {
    ...PUBLISHED_NOTIFIER,
    states: `${PUBLISHED_NOTIFIER.states}\n  { .id = 8, .version = 3 },\n  { .id = 9, .version = UNKNOWN },\n  { .id = 10, .version = 1 },\n  { .id = 11, .version = 1 },`,
  };
  const { fixes } = await guard(
    before,
    `  ${REMOVE};`,
    REMOVE,
    `${V2}\n  { .id=8, .version = 4 },\n  { .id = 9, .version = 5 },\n  { .id = 10, .version = UNKNOWN },\n  { 11, 2 },\n  { .id = 12, .version = 2 },`,
  );
  expect(fixes.map(({ title }) => title)).toEqual([
    'Only where v1 left state 7',
    'Only where v1 left state 8',
    'Only where v1 left state 11',
  ]);
});

test.each([
  ['it is about a variable of that name', 'kfree(prev)', '  kfree(prev);', {}],
  ['it is not alone on its line', REMOVE, `  if (obj) ${REMOVE};`, {}],
  [
    'a module object has such a callback, and it runs without a transition too',
    REMOVE,
    `  ${REMOVE};`,
    {
      objects:
        '  { .funcs = funcs, .callbacks = { .post_patch = tidy } },\n  { .name = "ext4", .funcs = funcs, .callbacks = { .post_patch = tidy } },',
    },
  ],
])('no guard is offered where %s', async (_why, call, lines, more) => {
  expect((await guard(PUBLISHED_NOTIFIER, lines, call, V2, more)).fixes).toEqual([]);
});

test('a module object with other callbacks is no hindrance', async () => {
  const objects =
    '  { .funcs = funcs, .callbacks = { .post_patch = tidy } },\n  { .name = "ext4", .funcs = funcs, .callbacks = { .pre_unpatch = tidy } },';
  expect((await guard(PUBLISHED_NOTIFIER, `  ${REMOVE};`, REMOVE, V2, { objects })).fixes).toHaveLength(1);
});

const SAVE = '*(int *)state->data = console_loglevel';
const take = (from: LivepatchParts, to: LivepatchParts, at = SAVE) =>
  offered([from, to], at, { during: 'post_patch', function: 'louder' }, (context, [first, last], { place }) =>
    takenOver(context, first, last, place),
  );
const saving = (change: (body: string) => string, more: LivepatchParts = {}): LivepatchParts => ({
  ...SAVING(1),
  body: change(SAVING(1).body ?? ''),
  ...more,
});

test('what is taken over is said', async () => {
  expect(
    (await take(SAVING(1), SAVING(1))).fixes.map(({ title, preferred }) => ({ title, preferred })),
  ).toEqual([{ title: 'Take over what v1 saved in state 7', preferred: false }]);
});

test('a blank line stands behind declarations, of whatever kind', async () => {
  const declared = '  static const u32 limits[] = { 1, 2 };\n  acme_t n;\n  void *p = NULL; /* none */\n';
  const without = saving((body) => body.replace(`7);\n\n  ${SAVE}`, `7);\n${declared}  ${SAVE}`));
  const { text, fixes } = await take(SAVING(1), without);
  expect(applied(text, fixes[0])).toContain(`${declared}
  if (before) {
    kfree(mine->data);
    mine->data = before->data;
    return;
  }

  ${SAVE}`);
});

test('nothing is taken over where it is not plain what, or from whom', async () => {
  const count = async (from: LivepatchParts, to: LivepatchParts, at?: string) =>
    (await take(from, to, at)).fixes.length;
  const twoStates = { states: `${SAVING(1).states}\n  { .id = 8, .version = 1 },` };
  const elsewhere = saving((body) => body.replaceAll('kzalloc', 'acme_alloc'));
  const asking = saving((body) =>
    body.replace(`  ${SAVE}`, `  if (klp_get_prev_state(7))\n    return;\n  ${SAVE}`),
  );
  const ofModule = saving((body) => body, {
    objects: `  { .name = "ext4", .funcs = funcs, .callbacks = {\n${SAVING(1).callbacks}\n    } },`,
  });
  expect(await count(SAVING(1), SAVING(1))).toBe(1);
  expect(
    await count(
      saving((body) => body, twoStates),
      saving((body) => body, twoStates),
    ),
  ).toBe(0);
  expect(
    await count(
      SAVING(1),
      saving((body) => body, twoStates),
    ),
  ).toBe(1);
  expect(await count({ ...SAVING(1), states: '  { .id = 8, .version = 1 },' }, SAVING(1))).toBe(0);
  expect(await count(elsewhere, SAVING(1))).toBe(0);
  expect(await count(SAVING(1), elsewhere)).toBe(0);
  expect(await count(SAVING(1), asking)).toBe(0);
  expect(await count(SAVING(1), ofModule)).toBe(0);
  // The place is not in post_patch.
  expect(await count(SAVING(1), SAVING(1), 'state->data = kzalloc')).toBe(0);
  expect(await count(SAVING(1), SAVING(1), 'console_loglevel = *(int *)')).toBe(0);
});
