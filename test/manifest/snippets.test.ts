import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Language, Parser } from 'web-tree-sitter';
import { parseManifest } from '../../server/src/core/manifest/parse';
import { realProblems } from './marked';

interface Snippet {
  readonly prefix: readonly string[];
  readonly description: string;
  readonly body: readonly string[];
}

const ROOT = join(import.meta.dirname, '../..');
const read = (name: string): Record<string, Snippet> =>
  JSON.parse(readFileSync(join(ROOT, 'snippets', name), 'utf8'));
const MANIFEST = read('livepatch-manifest.json');
const C = read('livepatch-c.json');

/** What is inserted when every placeholder keeps its default and every choice its first word. */
function inserted(snippet: Snippet | undefined): string {
  return (snippet?.body ?? [])
    .join('\n')
    .replace(/\$\{\d+\|([^,|]*)[^|]*\|\}/g, '$1')
    .replace(/\$\{\d+:([^{}]*)\}/g, '$1')
    .replace(/\$\d/g, '');
}

function indent(text: string, by: string): string {
  return text.replace(/^(?=.)/gm, by);
}

test('snippets have distinct prefixes, and one number has one default', () => {
  for (const snippets of [MANIFEST, C]) {
    const prefixes = Object.values(snippets).flatMap((s) => s.prefix);
    expect(new Set(prefixes).size).toBe(prefixes.length);
    for (const snippet of Object.values(snippets)) {
      const defaults = new Map<string, string>();
      for (const [, number, text] of snippet.body.join('\n').matchAll(/\$\{(\d+):([^{}]*)\}/g)) {
        expect(defaults.get(number ?? '') ?? text).toBe(text);
        defaults.set(number ?? '', text ?? '');
      }
      expect(inserted(snippet)).not.toContain('$');
    }
  }
});

describe('manifest snippets', () => {
  const whole = inserted(MANIFEST['Livepatch manifest']);
  const options = { capabilities: ['replace', 'states'], objects: [] };

  test('the manifest is one without problems', () => {
    expect(parseManifest('f', whole, options).problems).toEqual([]);
  });

  test.each([
    ['Version', `${whole}${indent(inserted(MANIFEST['Version']), '  ')}`],
    [
      'Cleanup version',
      `${whole}${indent(inserted(MANIFEST['Version']), '  ')}${indent(inserted(MANIFEST['Cleanup version']), '  ')}`,
    ],
    ['Kernel of a vendor', whole.replace('kernel: "6.1"\n', inserted(MANIFEST['Kernel of a vendor']))],
    ['Target module', `${whole}targets:\n${indent(inserted(MANIFEST['Target module']), '  ')}`],
    [
      'Scenario',
      `${whole}${indent(inserted(MANIFEST['Version']), '  ')}scenarios:\n${indent(inserted(MANIFEST['Scenario']), '  ')}`,
    ],
  ])('%s fits into it', (name, text) => {
    const parsed = parseManifest('f', text, options);
    expect(realProblems(parsed)).toEqual([]);
    expect(parsed.manifest.versions.length).toBe(
      { 'Cleanup version': 3, Version: 2, Scenario: 2 }[name] ?? 1,
    );
  });

  test('every manifest snippet is covered here', () => {
    expect(Object.keys(MANIFEST).sort()).toEqual([
      'Cleanup version',
      'Kernel of a vendor',
      'Livepatch manifest',
      'Scenario',
      'Target module',
      'Version',
    ]);
  });
});

describe('C snippets', () => {
  const resolve = createRequire(import.meta.url).resolve;
  let parser: Parser | null = null;

  beforeAll(async () => {
    await Parser.init();
    parser = new Parser().setLanguage(await Language.load(resolve('tree-sitter-c/tree-sitter-c.wasm')));
  });
  afterAll(() => parser?.delete());

  /** Whether it is C; the annotations that the grammar does not know are taken out. */
  function isC(text: string): boolean {
    const tree = parser?.parse(text.replace(/\b__(?:init|exit)\b/g, ''));
    const good = tree?.rootNode.hasError === false;
    tree?.delete();
    return good;
  }

  test('each is C by itself, the member in an initialiser', () => {
    for (const [name, snippet] of Object.entries(C)) {
      const text = inserted(snippet);
      const whole = text.startsWith('.') ? `struct klp_object object = {\n${text}\n};` : text;
      expect(isC(whole), name).toBe(true);
    }
    expect(isC('static int (;')).toBe(false);
  });

  test('the module has all that the kernel asks of a livepatch', () => {
    const text = inserted(C['Livepatch module']);
    // Each of these is checked by klp_enable_patch(), the module loader or rmmod.
    for (const part of [
      'MODULE_INFO(livepatch, "Y");',
      'MODULE_LICENSE("GPL");',
      '.mod = THIS_MODULE',
      '.objs = objs',
      '.funcs = funcs',
      '.replace = true',
      'return klp_enable_patch(&patch);',
      'module_init(livepatch_init);',
      'module_exit(livepatch_exit);',
      '#include <linux/livepatch.h>',
      '#include <linux/module.h>',
    ]) {
      expect(text).toContain(part);
    }
    // Both arrays end with an empty element, where the kernel's walk stops.
    for (const array of ['klp_func funcs', 'klp_object objs']) {
      expect(text).toMatch(new RegExp(`struct ${array}\\[\\] = \\{[^]*?\\n\\t\\{ \\}\\n\\};`));
    }
    expect(text).toMatch(/__exit livepatch_exit\(void\)\n\{\n\}/);
  });

  test('callbacks have the signatures of struct klp_callbacks', () => {
    for (const [name, object] of [
      ['Livepatch callbacks', 'object'],
      ['Livepatch state with takeover', 'example'],
    ] as const) {
      const text = inserted(C[name]);
      expect(text).toContain(`static int ${object}_pre_patch(struct klp_object *obj)`);
      for (const callback of ['post_patch', 'pre_unpatch', 'post_unpatch']) {
        expect(text).toContain(`static void ${object}_${callback}(struct klp_object *obj)`);
      }
    }
    const members = inserted(C['Livepatch callbacks of an object']);
    for (const callback of ['pre_patch', 'post_patch', 'pre_unpatch', 'post_unpatch']) {
      expect(members).toContain(`.${callback} = object_${callback},`);
    }
  });

  test.each([
    ['Callbacks for kpatch-build', 'KPATCH', 'patch_object *obj', '#include "kpatch-macros.h"'],
    ['Callbacks for klp-build', 'KLP', 'struct klp_object *obj', '#include <linux/livepatch_helpers.h>'],
  ])('%s name each function with its macro, once', (name, prefix, argument, include) => {
    const text = inserted(C[name]);
    expect(text.startsWith(`${include}\n`)).toBe(true);
    for (const callback of ['pre_patch', 'post_patch', 'pre_unpatch', 'post_unpatch']) {
      const type = callback === 'pre_patch' ? 'int' : 'void';
      expect(text).toContain(`static ${type} object_${callback}(${argument})\n`);
      expect(text.split(`${prefix}_${callback.toUpperCase()}_CALLBACK(object_${callback});`)).toHaveLength(2);
    }
  });

  test('the shadow variable is found, made and freed by one id', () => {
    const text = inserted(C['Shadow variable']);
    expect(text).toContain('#define EXAMPLE_ID 0x1\n');
    expect(text).toContain('klp_shadow_get_or_alloc(object, EXAMPLE_ID, sizeof(int), flags, NULL, NULL)');
    expect(text).toContain('klp_shadow_free_all(EXAMPLE_ID, NULL);');
  });

  test('the state is taken over, given back and freed by whoever has it last', () => {
    const text = inserted(C['Livepatch state with takeover']);
    const body = (callback: string): string =>
      new RegExp(`example_${callback}\\(struct klp_object \\*obj\\)\\n\\{\\n([^]*?)\\n\\}`).exec(text)?.[1] ??
      '';
    // Before post_patch the transition may be reversed: nothing of the predecessor is touched.
    expect(body('pre_patch')).toMatch(/klp_get_prev_state\(EXAMPLE_STATE\)\)\n\t\treturn 0;[^]*kzalloc/);
    expect(body('pre_patch')).not.toContain('prev->data');
    expect(body('post_patch')).toMatch(/if \(prev\) \{\n\t\tstate->data = prev->data;\n\t\treturn;/);
    expect(body('pre_unpatch')).toMatch(
      /klp_get_prev_state\(EXAMPLE_STATE\)\)\n\t\treturn;[^]*variable = saved->value;/,
    );
    expect(body('post_unpatch')).toMatch(
      /klp_get_prev_state\(EXAMPLE_STATE\)\)\n\t\treturn;[^]*kfree\(state->data\);/,
    );
    expect(text).toMatch(/struct klp_state states\[\] = \{[^]*?\n\t\{ \}\n\};/);
  });
});
