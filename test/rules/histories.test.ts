import { expect, test } from 'vitest';
import { type LivepatchParts, lineage, manifest } from './fixture';
import { told } from './told';

/**
 * Three versions, each of which goes well after each other one. What they made is marked in the data of state 7; the
 * one in the middle forgets to mark what it has taken over.
 */
interface Deed {
  readonly data?: string;
  readonly make: string;
  readonly undo: string;
  /** What a version does that takes over what its predecessor made, if not nothing. */
  readonly adopt?: string;
}

const STATES = '  { .id = 7, .version = 1 },';
const version = (deed: Deed, taking: string, fresh: string): LivepatchParts => ({
  body: `${deed.data ?? ''}
static int mark;
static void start(struct klp_object *obj)
{
  struct klp_state *own = klp_get_state(&patch, 7);
  struct klp_state *prev = klp_get_prev_state(7);

  if (prev) {
    ${taking}
    return;
  }
  ${fresh}
}
static void stop(struct klp_object *obj)
{
  ${deed.undo};
}`,
  callbacks: '      .post_patch = start,\n      .pre_unpatch = stop,',
  states: STATES,
});
const makes = (deed: Deed): string => `${deed.make};\n  own->data = &mark;`;
const maker = (deed: Deed): LivepatchParts =>
  version(deed, `${deed.adopt ?? ''}\n    own->data = &mark;`, makes(deed));
const forgetful = (deed: Deed): LivepatchParts => version(deed, deed.adopt ?? '(void)own;', makes(deed));
/** Undoes what is marked, and does nothing itself. */
const cleaner = (deed: Deed): LivepatchParts => ({
  ...version({ ...deed, undo: '(void)obj' }, `if (prev->data)\n      ${deed.undo};`, '(void)own;'),
});

const FOLDER: Deed = {
  make: 'debugfs_create_dir("acme", NULL)',
  undo: 'debugfs_lookup_and_remove("acme", NULL)',
};
const LEVEL: Deed = {
  data: 'extern struct static_key_false acme_key;',
  make: 'static_branch_enable(&acme_key)',
  undo: 'static_branch_disable(&acme_key)',
};
const PROC: Deed = {
  data: 'static const struct proc_ops ops = { };',
  make: 'proc_create("acme", 0444, NULL, &ops)',
  undo: 'remove_proc_subtree("acme", NULL)',
  adopt: 'remove_proc_subtree("acme", NULL);\n    proc_create("acme", 0444, NULL, &ops);',
};
const NODE: Deed = {
  data: 'extern struct list_head acme_node, acme_list;',
  make: 'list_add(&acme_node, &acme_list)',
  undo: 'list_del(&acme_node)',
};

const THREE = manifest(['released', 'released', 'draft']);
const IN_ORDER = 'in this order, v3 goes wrong, though each of these steps is without it by itself';
const DECLARED = ['v1', 'v2'].map(
  (name) => `${name}/a.c: { .id = 7, .version = 1 }: ${name} declares the state 7 here`,
);
const RUN = ['load v1', 'load v2', 'unload v1', 'load v3', 'unload v2'];

test('what the third version leaves, since the second one forgot to hand it on', async () => {
  const text = lineage(THREE, maker(FOLDER), forgetful(FOLDER), cleaner(FOLDER));
  expect(await told(text, 'orphaned-side-effect')).toEqual([
    {
      severity: 'error',
      certainty: 'must',
      message: `Loaded after v1 and v2 ${IN_ORDER}: the debugfs folder acme of v1 stays for good. Undo it or take it over in v3's post_patch.`,
      versions: ['v3', 'v1', 'v2'],
      on: 'v3/a.c: .replace = true',
      related: [
        'v1/a.c: debugfs_create_dir("acme", NULL): v1: the debugfs folder acme is made here',
        ...DECLARED,
      ],
      run: RUN,
      fixes: [],
    },
  ]);
});

test('a value that stays is a warning', async () => {
  const text = lineage(THREE, maker(LEVEL), forgetful(LEVEL), cleaner(LEVEL));
  expect(await told(text, 'orphaned-side-effect')).toMatchObject([
    {
      severity: 'warning',
      message: expect.stringContaining('the static key acme_key of v1 stays for good.'),
    },
  ]);
});

test('what still points into the second version', async () => {
  const text = lineage(THREE, maker(PROC), forgetful(PROC), cleaner(PROC));
  expect(await told(text, 'dangling-module-pointer')).toMatchObject([
    {
      // Where it stands cannot be changed any more.
      severity: 'warning',
      message: `Loaded after v1 and v2 ${IN_ORDER}: the proc entry acme still points into m_v2, which can be removed. Undo it or take it over in v3's post_patch, whoever made it.`,
      versions: ['v2', 'v1', 'v3'],
      on: 'v2/a.c: proc_create("acme", 0444, NULL, &ops)',
      run: RUN,
    },
  ]);
});

test('that it stays as well is part of it', async () => {
  const text = lineage(THREE, maker(PROC), forgetful(PROC), cleaner(PROC));
  expect(await told(text, 'orphaned-side-effect')).toEqual([]);
});

test('what the third version does once more', async () => {
  const doing = version(NODE, `if (!prev->data)\n      ${NODE.make};\n    own->data = &mark;`, makes(NODE));
  const text = lineage(THREE, maker(NODE), forgetful(NODE), doing);
  expect(await told(text, 'repeated-side-effect')).toMatchObject([
    {
      severity: 'error',
      message: `Loaded after v1 and v2 ${IN_ORDER}: the list entry acme_node is registered twice. Undo it or take it over in v3's post_patch, whoever made it.`,
      versions: ['v3', 'v1', 'v2'],
      on: 'v3/a.c: list_add(&acme_node, &acme_list)',
    },
  ]);
});

test('a way back is a matter of the downgrade', async () => {
  const text = lineage(
    manifest(['released', 'released', 'released']),
    cleaner(FOLDER),
    maker(FOLDER),
    forgetful(FOLDER),
  );
  const found = (await told(text, 'unsafe-downgrade')).filter(({ message }) => message.startsWith('Loaded'));
  expect(found).toMatchObject([
    {
      severity: 'warning',
      message:
        "Loaded after v2 and v3 in this order, v1 goes wrong, though each of these steps is without it by itself: the debugfs folder acme of v2 stays for good. Undo it or take it over in v1's post_patch.",
      versions: ['v2', 'v3', 'v1'],
      on: 'v2/a.c: debugfs_create_dir("acme", NULL)',
      run: ['load v2', 'load v3', 'unload v2', 'load v1', 'unload v3'],
    },
  ]);
});

test.each([
  ['all hand it on', [maker(FOLDER), maker(FOLDER), cleaner(FOLDER)]],
  ['nobody would go on to a faulty one', [maker(FOLDER), forgetful(FOLDER), cleaner(FOLDER)]],
  ['two versions are no history', [maker(FOLDER), cleaner(FOLDER)]],
])('nothing is told where %s', async (why, versions) => {
  const status = versions.map((_, i) =>
    why.includes('faulty') && i === versions.length - 1 ? 'faulty' : 'released',
  );
  const text = lineage(manifest(status), ...versions);
  for (const code of ['orphaned-side-effect', 'dangling-module-pointer', 'unsafe-downgrade'])
    expect((await told(text, code)).filter(({ message }) => message.startsWith('Loaded after'))).toEqual([]);
});

test('what two versions do wrong by themselves is told by other rules, once', async () => {
  // The third one leaves it after the first one as well.
  const text = lineage(THREE, maker(FOLDER), forgetful(FOLDER), { states: STATES });
  expect((await told(text, 'orphaned-side-effect')).map(({ message }) => message.slice(0, 12))).toEqual([
    "v1's pre_unp",
    "v2's pre_unp",
  ]);
});

const saving = (taking: string, use: string): LivepatchParts =>
  version(
    { data: 'extern void acme_use(int n);', make: '', undo: '(void)obj' },
    `${taking}\n    ${use}`,
    'own->data = kzalloc(sizeof(int), GFP_KERNEL);\n  if (own->data)\n    *(int *)own->data = console_loglevel;',
  );
const GIVES: LivepatchParts = {
  ...saving('own->data = prev->data;', ''),
  body: (saving('own->data = prev->data;', '').body ?? '').replace(
    '(void)obj;',
    'kfree(klp_get_state(&patch, 7)->data);',
  ),
};
const HAND_ON =
  'Hand the data on in every version that declares the state, and ask for NULL before using it.';

test('NULL that arrives by one step, and by two', async () => {
  const uses: LivepatchParts = {
    ...GIVES,
    body: (GIVES.body ?? '').replace(
      'own->data = prev->data;',
      'own->data = prev->data;\n    acme_use(*(int *)prev->data);',
    ),
  };
  const code = 'forgotten-original-value';
  const none: LivepatchParts = { states: STATES };
  expect(await told(lineage(manifest(['released', 'draft']), none, uses), code)).toMatchObject([
    {
      message: `Loaded after v1, v2 goes wrong: NULL is dereferenced in v2. ${HAND_ON}`,
      versions: ['v2', 'v1'],
      related: [DECLARED[0]],
      run: ['load v1', 'load v2', 'unload v1'],
    },
  ]);
  const forgets: LivepatchParts = {
    ...GIVES,
    body: (GIVES.body ?? '').replace('own->data = prev->data;', 'kfree(prev->data);'),
  };
  expect(await told(lineage(THREE, GIVES, forgets, uses), code)).toMatchObject([
    {
      message: `Loaded after v1 and v2 ${IN_ORDER}: NULL is dereferenced in v3. ${HAND_ON}`,
      versions: ['v3', 'v1', 'v2'],
      related: DECLARED,
      run: RUN,
    },
  ]);
});

test('each thing that stays is told once, and target modules are not part of the story', async () => {
  const both: Deed = {
    data: LEVEL.data ?? '',
    make: `${FOLDER.make};\n  ${LEVEL.make}`,
    undo: `${FOLDER.undo};\n  ${LEVEL.undo}`,
  };
  const more: LivepatchParts = {
    ...cleaner(both),
    body: (cleaner(both).body ?? '').replace(
      `if (prev->data)\n      ${both.undo};`,
      `if (prev->data) {\n      ${both.undo};\n    }`,
    ),
  };
  const targeted = (parts: LivepatchParts): LivepatchParts => ({
    ...parts,
    objects: `  { .funcs = funcs, .callbacks = {\n${parts.callbacks}\n    } },\n  { .name = "ext4", .funcs = funcs },`,
  });
  const text = lineage(THREE, ...[maker(both), forgetful(both), more].map(targeted));
  const found = (await told(text, 'orphaned-side-effect')).filter(({ message }) =>
    message.includes(IN_ORDER),
  );
  expect(found.map(({ message, run }) => ({ message: message.split(': ')[1], run }))).toEqual([
    { message: expect.stringContaining('the debugfs folder acme of v1 stays for good'), run: RUN },
    { message: expect.stringContaining('the static key acme_key of v1 stays for good'), run: RUN },
  ]);
});

test('each pointer is told once', async () => {
  const two = (text: string): string => `${text};\n    ${text.replaceAll('"acme"', '"other"')}`;
  const both: Deed = {
    data: PROC.data ?? '',
    make: two(PROC.make),
    undo: two(PROC.undo),
    adopt: two(PROC.adopt ?? ''),
  };
  const tidy: LivepatchParts = {
    ...cleaner(both),
    body: (cleaner(both).body ?? '').replace(
      `if (prev->data)\n      ${both.undo};`,
      `if (prev->data) {\n      ${both.undo};\n    }`,
    ),
  };
  const found = await told(lineage(THREE, maker(both), forgetful(both), tidy), 'dangling-module-pointer');
  expect(found.map(({ message }) => /the proc entry (\w+) still/.exec(message)?.[1])).toEqual([
    'acme',
    'other',
  ]);
});

test('a way back over a version that goes on pointing into itself', async () => {
  const text = lineage(
    manifest(['released', 'released', 'released']),
    cleaner(PROC),
    maker(PROC),
    forgetful(PROC),
  );
  const found = (await told(text, 'unsafe-downgrade')).filter(({ message }) => message.startsWith('Loaded'));
  // The way there begins with the version that it comes back to: that is the shortest.
  expect(found).toMatchObject([
    {
      severity: 'warning',
      message:
        'Loaded after v1 and v3 in this order, v1 goes wrong, though each of these steps is without it by itself: ' +
        "the proc entry acme still points into m_v3, which can be removed. Undo it or take it over in v1's post_patch, whoever made it.",
      versions: ['v3', 'v1'],
      run: ['load v1', 'load v3', 'unload v1', 'load v1', 'unload v3'],
    },
  ]);
});

/** What is done with the data of the predecessor, in the second and the third version. */
const freeing = (taking: string): LivepatchParts =>
  version({ make: '', undo: '(void)obj' }, taking, 'own->data = kzalloc(sizeof(int), GFP_KERNEL);');

test('memory that two versions free, and memory that is read when it is gone', async () => {
  const frees = freeing('kfree(prev->data);\n    own->data = NULL;');
  const keeps = freeing('kfree(prev->data);\n    own->data = prev->data;');
  const reads = freeing('pr_info("%d\\n", *(int *)prev->data);\n    kfree(prev->data);');
  const message = async (...versions: readonly LivepatchParts[]) =>
    (await told(lineage(THREE, ...versions), 'forgotten-original-value')).map((one) => one.message);
  expect(await message(freeing('own->data = prev->data;'), keeps, frees)).toEqual([
    `Loaded after v1 and v2 ${IN_ORDER}: memory is freed twice in v3. ${HAND_ON}`,
  ]);
  expect(await message(freeing('own->data = prev->data;'), keeps, reads)).toEqual([
    `Loaded after v1 and v2 ${IN_ORDER}: memory that is gone is used in v3. ` +
      'Leave no pointer into a version of its own in data that outlives it: the successor sets its own.',
    `Loaded after v1 and v2 ${IN_ORDER}: memory is freed twice in v3. ${HAND_ON}`,
  ]);
});

test('two places that go wrong are two', async () => {
  const frees = freeing('kfree(prev->data);\n    own->data = NULL;');
  const uses = freeing(
    'pr_info("%d\\n", *(int *)prev->data);\n    own->data = prev->data;\n    if (obj)\n      pr_info("%d\\n", *(int *)own->data);',
  );
  const found = await told(
    lineage(THREE, freeing('own->data = prev->data;'), frees, uses),
    'forgotten-original-value',
  );
  expect(found.map(({ on }) => on)).toEqual(['v3/a.c: *(int *)prev->data', 'v3/a.c: *(int *)own->data']);
});

test('what goes wrong without a predecessor, or on the way back from one, is no history', async () => {
  const alone = freeing('(void)own;');
  const wrong = {
    ...alone,
    body: (alone.body ?? '').replace('kzalloc(sizeof(int), GFP_KERNEL)', '*(void **)own->data'),
  };
  const code = 'forgotten-original-value';
  expect(await told(lineage(manifest(['released', 'draft']), { states: STATES }, wrong), code)).toEqual([]);
  const uses = freeing('pr_info("%d\\n", *(int *)prev->data);');
  const back = lineage(manifest(['released', 'draft']), uses, { states: STATES });
  expect(await told(back, code)).toEqual([]);
  expect(
    (await told(back, 'unsafe-downgrade')).filter(({ message }) => message.startsWith('Loaded')),
  ).toEqual([]);
});
