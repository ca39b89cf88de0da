import { describe, expect, test } from 'vitest';
import { fixAll, quickFixes } from '../../server/src/features/code-actions';
import { suppressionInC, suppressionInManifest } from '../../server/src/features/suppression-edit';
import type { Finding, Fix } from '../../server/src/rules/rule';
import type { Suppression } from '../../server/src/rules/suppressions';
import { analyseTexts } from '../support/project';

const FILE = '/lineage/a.c';

/** A finding at the text between « and »; the marks are taken away. */
function marked(
  text: string,
  code = 'some-rule',
  fixes: readonly Fix[] = [],
): { text: string; finding: Finding } {
  const start = text.indexOf('«');
  const end = text.indexOf('»') - 1;
  const finding: Finding = {
    code,
    severity: 'warning',
    message: '',
    certainty: 'must',
    place: { file: FILE, start, end },
    versions: [],
    related: [],
    fixes,
  };
  return { text: text.replace('«', '').replace('»', ''), finding };
}

function inC(input: string, known: readonly Suppression[] = []): string | null {
  const { text, finding } = marked(input);
  const edit = suppressionInC(text, finding, known);
  return edit && text.slice(0, edit.place.start) + edit.text + text.slice(edit.place.end);
}

const COMMENT = '/* livepatch-ignore some-rule: reason */';

describe('a comment in C', () => {
  test('stands on the line above, as far in as the code', () => {
    expect(inC('int a;\n\tint «b»;\n')).toBe(`int a;\n\t${COMMENT}\n\tint b;\n`);
    expect(inC('int «b»;')).toBe(`${COMMENT}\nint b;`);
    expect(inC('\uFEFFint «b»;\r\n')).toBe(`\uFEFF${COMMENT}\r\nint b;\r\n`);
    expect(inC('int a;\r\n  «b»();')).toBe(`int a;\r\n  ${COMMENT}\r\n  b();`);
  });

  test('does not break a macro over several lines', () => {
    expect(inC('#define M \\\n\t«call»() \\\n\tx\n')).toBe(`#define M \\\n\t${COMMENT} call() \\\n\tx\n`);
    expect(inC('#define M \\\r\n\t«call»()\r\n')).toBe(`#define M \\\r\n\t${COMMENT} call()\r\n`);
  });

  test('does not end up in another comment', () => {
    expect(inC('/* one\n two */ int «b»;\n')).toBe(`/* one\n two */ int ${COMMENT} b;\n`);
    expect(inC('char *s = "/*";\nint «b»;\n')).toBe(`char *s = "/*";\n${COMMENT}\nint b;\n`);
    expect(inC("char c = '\"'; /* x */\nint «b»;\n")).toBe(`char c = '"'; /* x */\n${COMMENT}\nint b;\n`);
    expect(inC('// it /* is\nint «b»;\n')).toBe(`// it /* is\n${COMMENT}\nint b;\n`);
  });
});

/** One analysis with a finding that can be hidden: the old version cannot replace the one that makes a file. */
const patch = (callbacks: string, body: string): string => `#include <linux/module.h>
#include <linux/livepatch.h>
#include <linux/debugfs.h>
static int new_f(void) { return 0; }
${body}
static struct klp_func funcs[] = { { .old_name = "f", .new_func = new_f }, { } };
static struct klp_object objs[] = { { .funcs = funcs, ${callbacks} }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .replace = true };
static int __init p_init(void) { return klp_enable_patch(&patch); }
static void __exit p_exit(void) { }
module_init(p_init);
module_exit(p_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;
const MANIFEST = `lineage: l
kernel: "6.1"
versions:
  - version: v1
    module: m1
    sources: v1.c
  - version: v2
    module: m2
    sources: v2.c
`;
const BODY = `static struct dentry *dir;
static const struct file_operations fops;
static int pre(struct klp_object *obj)
{
COMMENT	dir = debugfs_create_file("x", 0444, NULL, NULL, &fops);
	return 0;
}
static void post(struct klp_object *obj) { debugfs_remove(dir); }`;

async function lineage(comment: string) {
  const v2 = patch(
    '.callbacks = { .pre_patch = pre, .post_unpatch = post }',
    BODY.replace('COMMENT', comment),
  );
  const analysis = await analyseTexts({ 'livepatch.yaml': MANIFEST, 'v1.c': patch('', ''), 'v2.c': v2 });
  return { analysis, v2 };
}

test('a line that has a comment already gets one more code, and both keep their effect', async () => {
  const { analysis, v2 } = await lineage('\t/* livepatch-ignore other-rule: because */\n');
  const at = v2.indexOf('debugfs_create_file');
  const actions = quickFixes(analysis, '/lineage/v2.c', { start: at, end: at });
  const suppress = actions.find((action) => action.title.startsWith('Suppress unsafe-downgrade'));
  const edit = suppress?.edits[0];
  expect(edit?.text).toBe(', unsafe-downgrade');
  expect(v2.slice(0, edit?.place.start).endsWith('livepatch-ignore other-rule')).toBe(true);
  const both = v2.slice(0, edit?.place.start) + edit?.text + v2.slice(edit?.place.end);
  const after = await analyseTexts({ 'livepatch.yaml': MANIFEST, 'v1.c': patch('', ''), 'v2.c': both });
  expect(after.findings().map((finding) => finding.code)).not.toContain('unsafe-downgrade');
});

test('a comment that suppresses nothing is not answered by another comment', async () => {
  const { analysis, v2 } = await lineage('\t/* livepatch-ignore lost-object: because */\n');
  const at = v2.indexOf('/* livepatch-ignore');
  const findings = analysis.findings().filter((finding) => finding.code === 'unused-suppression');
  expect(findings).toHaveLength(1);
  const actions = quickFixes(analysis, '/lineage/v2.c', { start: at, end: at + 5 });
  expect(actions.some((action) => action.title.includes('Suppress unused-suppression'))).toBe(false);
  expect(actions.length).toBeGreaterThan(0);
});

test('no action speaks of a file or a place without findings', async () => {
  const { analysis } = await lineage('');
  expect(quickFixes(analysis, '/lineage/v1.c', { start: 0, end: 5 })).toEqual([]);
  expect(quickFixes(analysis, '/elsewhere.c', { start: 0, end: 50_000 })).toEqual([]);
});

describe('a comment in the manifest', () => {
  const inYaml = (input: string, scalars: { start: number; end: number }[] = []): string | null => {
    const { text, finding } = marked(input);
    const edit = suppressionInManifest(text, finding, [], scalars);
    return edit && text.slice(0, edit.place.start) + edit.text + text.slice(edit.place.end);
  };

  test('stands on the line above', () => {
    expect(inYaml('a:\n  - b: «c»\n')).toBe('a:\n  # livepatch-ignore some-rule: reason\n  - b: c\n');
  });

  test('is not written into a text over several lines', () => {
    const text = 'note: |\n  one\n  «two»\n';
    expect(inYaml(text, [{ start: 6, end: 20 }])).toBeNull();
    expect(inYaml('note: "one\n  «two»"\n', [{ start: 6, end: 19 }])).toBeNull();
  });
});

describe('all fixes at once', () => {
  const edit = (start: number, end: number, text: string, file = FILE) => ({
    place: { file, start, end },
    text,
  });
  const fix = (edits: Fix['edits'], preferred = true): Fix => ({ title: 't', preferred, edits });
  const finding = (...fixes: Fix[]): Finding => marked('«x»', 'r', fixes).finding;

  test('leave out what would touch the same text, and take equal edits once', () => {
    const action = fixAll(
      [
        finding(fix([edit(0, 2, 'a')])),
        finding(fix([edit(1, 3, 'b')])),
        finding(fix([edit(0, 2, 'a'), edit(10, 10, 'c')])),
        finding(fix([edit(10, 10, 'd')])),
        finding(fix([edit(20, 21, 'e')], false), fix([edit(30, 31, 'f')])),
      ],
      FILE,
    );
    expect(action?.edits.map((it) => it.text)).toEqual(['a', 'c', 'f']);
    expect(action?.findings).toHaveLength(3);
  });

  test('are none where none is safe', () => {
    expect(fixAll([finding(fix([edit(0, 1, 'a')], false)), finding()], FILE)).toBeNull();
    expect(fixAll([finding(fix([edit(0, 1, 'a')]))], '/other.c')).toBeNull();
    const old = { place: { file: FILE, revision: 'u1', start: 0, end: 1 }, text: 'a' };
    expect(fixAll([finding(fix([old]))], FILE)).toBeNull();
  });
});
