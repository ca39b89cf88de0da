import { expect, test } from 'vitest';
import { type LivepatchParts, lineage, manifest } from './fixture';
import { precision } from './precision';
import { told } from './told';

const TWO = manifest(['released', 'draft']);
const NO_FUNCTIONS = 'static struct klp_func none[] = { { } };';

/** Callbacks of the object ext4 and of vmlinux; functions of those names are in the body. */
const both = (body: string, ext4: string, vmlinux = '', more: LivepatchParts = {}): LivepatchParts => ({
  body: `extern struct static_key_false acme_key;\nextern atomic_t acme_users;\n${NO_FUNCTIONS}\n${body}`,
  objects: `  {
    .funcs = funcs,
    .callbacks = { ${vmlinux} },
  },
  {
    .name = "ext4",
    .funcs = none,
    .callbacks = { ${ext4} },
  },`,
  ...more,
});
const pair = (type: string, name: string, body: string): string =>
  `static ${type} ${name}(struct klp_object *obj)\n{\n${body}\n}\n`;
/** A shadow variable tells the successor. */
const TELL = '\n  klp_shadow_alloc(NULL, 9, 1, GFP_KERNEL, NULL, NULL);';
const FORGET = '\n  klp_shadow_free(NULL, 9, NULL);';
const whereTold = (undo: string): string => `  if (klp_shadow_get(NULL, 9)) {\n${undo}${FORGET}\n  }`;
const KEY = both(
  pair('void', 'on', `  static_branch_enable(&acme_key);${TELL}`) +
    pair('void', 'off', `  static_branch_disable(&acme_key);${FORGET}`),
  '.post_patch = on, .pre_unpatch = off',
);
const SHADOW = both(
  pair('int', 'make', '  return klp_shadow_alloc(NULL, 9, 4, GFP_KERNEL, NULL, NULL) ? 0 : -ENOMEM;') +
    pair('void', 'drop', '  klp_shadow_free(NULL, 9, NULL);'),
  '.pre_patch = make, .post_unpatch = drop',
);
const FOLDER = both(
  pair('int', 'make', '  return PTR_ERR_OR_ZERO(debugfs_create_dir("acme", NULL));') +
    pair('void', 'drop', '  debugfs_lookup_and_remove("acme", NULL);'),
  '.pre_patch = make, .post_unpatch = drop',
);
const COUNT = both(
  pair('void', 'up', `  atomic_inc(&acme_users);${TELL}`) +
    pair('void', 'down', `  atomic_dec(&acme_users);${FORGET}`),
  '.post_patch = up, .pre_unpatch = down',
);
const PROC = both(
  `static const struct proc_ops ops = { };\n${pair('int', 'make', '  return proc_create("acme", 0444, NULL, &ops) ? 0 : -ENOMEM;')}${pair('void', 'drop', '  remove_proc_entry("acme", NULL);')}`,
  '.pre_patch = make, .post_unpatch = drop',
);
/** Cleans up when the transition begins, and not again. */
const early = (undo: string): LivepatchParts =>
  both(
    pair('int', 'tidy', `${undo}\n  return 0;`) + pair('void', 'idle', ''),
    '.post_unpatch = idle',
    '.pre_patch = tidy',
  );
/** Cleans up when it is over. */
const late = (undo: string): LivepatchParts => both(pair('void', 'tidy', undo), '', '.post_patch = tidy');

precision(
  'module-object-mid-replace',
  [
    {
      what: 'a static key, switched off too early',
      lineage: lineage(TWO, KEY, early(whereTold('  static_branch_disable(&acme_key);'))),
      says: "If ext4 is loaded while v2 is replacing v1, v1's post_patch still makes the static key acme_key",
      run: ['load v1', 'stall', 'load v2', 'load ext4', 'resume', 'unload v1'],
      severity: 'warning',
    },
    {
      what: 'a shadow variable',
      lineage: lineage(TWO, SHADOW, early('  klp_shadow_free_all(9, NULL);')),
      says: 'its unpatch callbacks are never called',
    },
    {
      what: 'a folder',
      lineage: lineage(TWO, FOLDER, early('  debugfs_lookup_and_remove("acme", NULL);')),
      says: 'debugfs',
    },
    {
      what: 'a count',
      lineage: lineage(TWO, COUNT, early(whereTold('  atomic_dec(&acme_users);'))),
      says: 'acme_users',
    },
    {
      what: 'a proc file, whose operations go with the module',
      lineage: lineage(TWO, PROC, early('  remove_proc_subtree("acme", NULL);')),
      says: 'a use-after-free once that module is removed',
    },
    {
      what: 'between two drafts it stands at the line itself no more than once',
      lineage: lineage(
        manifest(['draft', 'draft', 'draft']),
        KEY,
        early(whereTold('  static_branch_disable(&acme_key);')),
        early(whereTold('  static_branch_disable(&acme_key);')),
      ),
      says: 'The same with v3',
    },
  ],
  [
    {
      why: 'post_patch sees all of it',
      lineage: lineage(TWO, KEY, late(whereTold('  static_branch_disable(&acme_key);'))),
    },
    { why: 'post_patch frees it', lineage: lineage(TWO, SHADOW, late('  klp_shadow_free_all(9, NULL);')) },
    {
      why: 'post_patch removes it by name',
      lineage: lineage(TWO, FOLDER, late('  debugfs_lookup_and_remove("acme", NULL);')),
    },
    {
      why: 'the callbacks only print',
      lineage: lineage(TWO, both(pair('void', 'say', '  pr_info("here\\n");'), '.post_patch = say'), {}),
    },
    { why: 'it stays whenever ext4 comes: another rule', lineage: lineage(TWO, KEY, both('', '')) },
    {
      why: 'vmlinux cannot come later',
      lineage: lineage(
        TWO,
        both(
          pair('void', 'on', '  static_branch_enable(&acme_key);') +
            pair('void', 'off', '  static_branch_disable(&acme_key);'),
          '',
          '.post_patch = on, .pre_unpatch = off',
        ),
        early(whereTold('  static_branch_disable(&acme_key);')),
      ),
    },
    {
      why: 'nothing is replaced',
      lineage: lineage(
        TWO,
        { ...KEY, replace: '' },
        { ...early(whereTold('  static_branch_disable(&acme_key);')), replace: '' },
      ),
    },
  ],
);

const CODE = 'module-object-mid-replace';
const RUN = ['load v1', 'stall', 'load v2', 'load ext4', 'resume', 'unload v1'];
const saying = (what: string, becomes: string, during = 'pre_patch'): string =>
  `If ext4 is loaded while v2 is replacing v1, v1's ${during} still makes ${what}, and its unpatch callbacks are ` +
  `never called: ${becomes}. Look for ${becomes === 'they stay' ? 'them' : 'it'} in v2's post_patch.`;

test('what is told of one effect, on the draft that replaces', async () => {
  expect(await told(lineage(TWO, FOLDER, early('  debugfs_lookup_and_remove("acme", NULL);')), CODE)).toEqual(
    [
      {
        severity: 'warning',
        certainty: 'must',
        message: saying('the debugfs folder acme', 'it stays, and doing it again fails'),
        versions: ['v2', 'v1'],
        on: 'v2/a.c: .replace = true',
        related: ['v1/a.c: debugfs_create_dir("acme", NULL): v1: the debugfs folder acme is made here'],
        run: RUN,
        fixes: [],
      },
    ],
  );
});

/** A folder, and behind it a file whose operations are in the module. */
const SEVERAL = both(
  `static const struct proc_ops ops = { };\n${pair(
    'int',
    'make',
    '  debugfs_create_dir("acme", NULL);\n  return proc_create("acme", 0444, NULL, &ops) ? 0 : -ENOMEM;',
  )}${pair('void', 'drop', '  remove_proc_entry("acme", NULL);\n  debugfs_lookup_and_remove("acme", NULL);')}`,
  '.pre_patch = make, .post_unpatch = drop',
);
const TIDY = early('  debugfs_lookup_and_remove("acme", NULL);\n  remove_proc_subtree("acme", NULL);');

test('what is told of several effects: the worst comes first, and the draft that makes it can be changed', async () => {
  const message = saying('the proc entry acme and the debugfs folder acme', 'they stay');
  expect(await told(lineage(manifest(['draft', 'draft']), SEVERAL, TIDY), CODE)).toEqual([
    {
      severity: 'warning',
      certainty: 'must',
      message,
      versions: ['v1', 'v2'],
      on: 'v1/a.c: proc_create("acme", 0444, NULL, &ops)',
      related: ['v1/a.c: debugfs_create_dir("acme", NULL): v1: the debugfs folder acme is made here'],
      run: RUN,
      fixes: [],
    },
  ]);
  const [onDraft] = await told(lineage(TWO, SEVERAL, TIDY), CODE);
  expect(onDraft?.message).toBe(message);
  expect(onDraft?.related).toHaveLength(2);
});

test('each module is told by itself', async () => {
  const objects = (callbacks: string): string =>
    ['ext4', 'xfs']
      .map((name) => `  { .name = "${name}", .funcs = none, .callbacks = { ${callbacks} } },`)
      .join('\n');
  const of = (name: string): string => `  debugfs_create_dir(obj->name, NULL);\n  return ${name};`;
  const v1: LivepatchParts = {
    ...FOLDER,
    body: `${NO_FUNCTIONS}\n${pair('int', 'make', of('0'))}${pair('void', 'drop', '  debugfs_lookup_and_remove(obj->name, NULL);')}`,
    objects: objects('.pre_patch = make, .post_unpatch = drop'),
  };
  const v2: LivepatchParts = {
    body: `${NO_FUNCTIONS}\n${pair('int', 'tidy', '  debugfs_lookup_and_remove("ext4", NULL);\n  debugfs_lookup_and_remove("xfs", NULL);\n  return 0;')}`,
    objects: `  { .funcs = funcs, .callbacks = { .pre_patch = tidy } },\n${objects('')}`,
  };
  const found = await told(lineage(manifest(['draft', 'draft']), v1, v2), CODE);
  expect(found.map(({ message }) => message.split(', and')[0])).toEqual([
    "If ext4 is loaded while v2 is replacing v1, v1's pre_patch still makes the debugfs folder ext4",
    "If xfs is loaded while v2 is replacing v1, v1's pre_patch still makes the debugfs folder xfs",
  ]);
});
