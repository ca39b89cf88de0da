import { expect, test } from 'vitest';
import { definition, references } from '../../server/src/features/navigation';
import { cursorAt, shown } from './fixture';

async function leads(name: string, before: string, after: string): Promise<string[]> {
  const { analysis, file, offset } = await cursorAt(name, before, after);
  return shown(analysis, definition(analysis, file, offset));
}

async function found(name: string, before: string, after: string, declared = true): Promise<string[]> {
  const { analysis, file, offset } = await cursorAt(name, before, after);
  return shown(analysis, references(analysis, file, offset, declared));
}

test.each([
  ['restores: v1', 'restores: v$01', ['livepatch.yaml: - version: «v1»']],
  ['[v1]', '[$0v1]', ['livepatch.yaml: - version: «v1»']],
  ['load v2', 'load v2$0', ['livepatch.yaml: - version: «v2»']],
  ['unload demo_v1', 'unload demo$0_v1', ['livepatch.yaml: - version: «v1»']],
  ['version: v2', 'version: $0v2', ['v2.c: static struct klp_patch «patch» = {']],
  ['module: demo_v2', 'module: demo_$0v2', ['v2.c: static struct klp_patch «patch» = {']],
  ['lineage: demo', 'lineage: $0demo', []],
  ['expect: clean', 'expect: $0clean', []],
])('in the manifest, %s leads on', async (before, after, expected) => {
  expect(await leads('livepatch.yaml', before, after)).toEqual(expected);
});

test.each([
  ['struct klp_patch patch = {', 'struct klp_patch pa$0tch = {', ['livepatch.yaml: module: «demo_v1»']],
  ['.pre_patch = demo', '.pre_patch = de$0mo', ['v1.c: static int «demo_pre_patch»(struct klp_object *obj)']],
  // Its undo, which a run of load and disable shows, and the same callback in v2.
  [
    'int demo_pre_patch',
    'int demo_pre$0_patch',
    [
      'v1.c: static void «demo_post_unpatch»(struct klp_object *obj)',
      'v2.c: static int «demo_pre_patch»(struct klp_object *obj)',
    ],
  ],
  [
    'void demo_post_unpatch',
    'void $0demo_post_unpatch',
    [
      'v1.c: static int «demo_pre_patch»(struct klp_object *obj)',
      'v2.c: static void «demo_post_unpatch»(struct klp_object *obj)',
    ],
  ],
  ['.id = LOUD', '.id = LO$0UD', ['v2.c: { .id = «LOUD_STATE», .version = 2 },']],
  ['&patch, LOUD', '&patch, $0LOUD', ['v1.c: { .id = «LOUD_STATE», .version = 1 },']],
  // What the version before it handed over; v1 has none before it, so any other.
  ['prev_state(LOUD', 'prev_state(LO$0UD', ['v2.c: { .id = «LOUD_STATE», .version = 2 },']],
  [
    'free_all(NOTE',
    'free_all($0NOTE',
    [
      'v1.c: klp_shadow_alloc(obj, «NOTE_ID», 8, GFP_KERNEL, NULL, NULL);',
      'v2.c: klp_shadow_alloc(obj, «NOTE_ID», 8, GFP_KERNEL, NULL, NULL);',
    ],
  ],
  ['int demo_info_show', 'int demo_$0info_show', []],
  ['__init demo_init', '__init de$0mo_init', []],
])('in C, %s leads on', async (before, after, expected) => {
  expect(await leads('v1.c', before, after)).toEqual(expected);
});

test('a version is referred to by the manifest, its steps and its livepatch', async () => {
  expect(await found('livepatch.yaml', 'version: v1', 'version: $0v1')).toEqual([
    'livepatch.yaml: - version: «v1»',
    'livepatch.yaml: module: «demo_v1»',
    'livepatch.yaml: restores: «v1»',
    'livepatch.yaml: cleans-up-after: [«v1»]',
    'livepatch.yaml: steps: [load «v1», load v2, unload demo_v1]',
    'livepatch.yaml: steps: [load v1, load v2, unload «demo_v1»]',
    'v1.c: static struct klp_patch «patch» = {',
  ]);
});

test('a callback is found in all versions, with its undo', async () => {
  expect(await found('v2.c', 'int demo_pre_patch', 'int demo_$0pre_patch', false)).toEqual([
    'v1.c: «.pre_patch = demo_pre_patch»,',
    'v2.c: «.pre_patch = demo_pre_patch»,',
    'v2.c: «.post_unpatch = demo_post_unpatch»,',
  ]);
});

test('ids of states and shadow variables are found in all versions, however they are written', async () => {
  expect(await found('v2.c', '.id = LOUD_STATE', '.id = 0x$07')).toEqual([
    'v1.c: { .id = «LOUD_STATE», .version = 1 },',
    'v1.c: struct klp_state *before = klp_get_prev_state(«LOUD_STATE»);',
    'v1.c: klp_get_state(&patch, «LOUD_STATE»)->data = NULL;',
    'v2.c: { .id = «0x7», .version = 2 },',
    'v2.c: struct klp_state *before = klp_get_prev_state(«LOUD_STATE»);',
    'v2.c: klp_get_state(&patch, «LOUD_STATE»)->data = NULL;',
  ]);
  expect(await found('v1.c', 'free_all(NOTE_ID', 'free_all(8$01')).toEqual([
    'v1.c: klp_shadow_alloc(obj, «NOTE_ID», 8, GFP_KERNEL, NULL, NULL);',
    'v1.c: klp_shadow_free_all(«81», NULL);',
    'v2.c: klp_shadow_alloc(obj, «NOTE_ID», 8, GFP_KERNEL, NULL, NULL);',
    'v2.c: klp_shadow_free_all(«NOTE_ID», NULL);',
  ]);
});
