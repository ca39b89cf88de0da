import { expect, test } from 'vitest';
import type { Project } from '../../server/src/host/project';
import { projectOfTexts } from '../support/project';
import { fix, replacement, TEMPLATE } from '../suse/tree';

const C = `#include <linux/livepatch.h>
#include <linux/module.h>
#include "own.h"
int new_a(void) { return OWN; }
int new_b(void) { return 0; }
static struct klp_func funcs[] = {
	{ .old_name = "a", .new_func = new_a },
#if IS_ENABLED(CONFIG_B)
	{ .old_name = "b", .new_func = new_b },
#endif
	{ }
};
static struct klp_object objs[] = { { .funcs = funcs }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .replace = true };
static int __init begin(void) { return klp_enable_patch(&patch); }
static void __exit end(void) { }
module_init(begin);
module_exit(end);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;

const HEADER = { 'own/headers/own.h': '#define OWN 1\n' };

function manifest(kernel: string, version = ''): string {
  return `lineage: l\nkernel: { release: "6.1", ${kernel} }\nversions:\n  - { version: v1, module: m, sources: src/*.c, include: headers${version} }\n`;
}

/** The replaced functions of the only version. */
function patched(project: Project): string[] {
  const { objects } = project.analyse().lineage.versions[0]?.facts?.patch ?? {};
  return (objects ?? []).flatMap(({ functions }) => (functions ?? []).map(({ old }) => old));
}

const open = async (text: string, more: Record<string, string> = {}): ReturnType<typeof projectOfTexts> =>
  projectOfTexts({ 'own/livepatch.yaml': text, 'own/src/a.c': C, ...HEADER, ...more });

test('kernel.config decides #if, and is read again when it changes', async () => {
  const { project, files } = await open(manifest('config: .config'), { 'own/.config': 'CONFIG_B=m\n' });
  expect(patched(project)).toEqual(['a', 'b']);
  expect(project.analyse().findings()).toEqual([]);
  expect(project.involves('/lineage/own/.config')).toBe(true);
  const before = project.analyse();
  expect(project.analyse()).toBe(before);
  files.write('/lineage/own/.config', '# CONFIG_B is not set\n');
  expect(patched(project)).toEqual(['a']);
  expect(project.analyse().lineage.versions[0]?.fingerprint).not.toBe(
    before.lineage.versions[0]?.fingerprint,
  );
});

test('defines go before it', async () => {
  const text = manifest('config: .config', ', defines: { CONFIG_B: n }');
  const { project } = await open(text, { 'own/.config': 'CONFIG_B=y\n' });
  expect(patched(project)).toEqual(['a']);
});

test('include is relative to the manifest, and what is outside is not looked at', async () => {
  const { project } = await open(manifest('arch: x86_64'));
  const [unit] = project.analyse().lineage.versions[0]?.program?.units ?? [];
  expect(unit?.files).toEqual(['/lineage/own/src/a.c', '/lineage/own/headers/own.h']);
  const outside = manifest('arch: x86_64').replace('include: headers', 'include: ../../elsewhere');
  const other = await open(outside, { '../elsewhere/own.h': '#define OWN 2\n' });
  const [alone] = other.project.analyse().lineage.versions[0]?.program?.units ?? [];
  expect(alone?.files).toEqual(['/lineage/own/src/a.c']);
});

test('nothing given: the condition is an assumption', async () => {
  const { project } = await open(manifest('arch: x86_64'));
  const [unit] = project.analyse().lineage.versions[0]?.program?.units ?? [];
  expect(unit?.assumptions.map(({ name, taken }) => [name, taken])).toEqual([['CONFIG_B', false]]);
});

test.each([
  ['no.config', 'no.config cannot be read: there is no such file'],
  ['../../.config', '../../.config cannot be read: it lies outside /lineage, which sources may not leave'],
])('kernel.config: %s', async (name, message) => {
  const { project } = await open(manifest(`config: ${name}`), { '../.config': 'CONFIG_B=y\n' });
  const findings = project.analyse().findings();
  expect(findings.map((finding) => [finding.code, finding.message])).toEqual([['manifest-invalid', message]]);
  const { start = 0, end = 0 } = findings[0]?.place ?? {};
  expect(project.analyse().text('/lineage/own/livepatch.yaml').slice(start, end)).toBe(name);
  expect(patched(project)).toEqual(['a']);
});

test('kernel.config and kernel.arch decide the rows of patched_funcs.csv', async () => {
  const rows =
    'vmlinux one klpp_one IS_ENABLED(CONFIG_A)\nvmlinux two klpp_two defined(CONFIG_S390)\nvmlinux three klpp_three defined(__x86_64__)\n';
  const tree = {
    'own/src/livepatch_main.c': TEMPLATE,
    'own/.config': 'CONFIG_A=m\n',
    ...fix('own/src/', 'bsc1', {
      rows,
      body: replacement('one') + replacement('two') + replacement('three'),
    }),
  };
  const at = async (kernel: string): Promise<string[]> => {
    const text = manifest(kernel).replace('src/*.c', 'src');
    return patched((await projectOfTexts({ 'own/livepatch.yaml': text, ...tree })).project);
  };
  expect(await at('config: .config')).toEqual(['one', 'three']);
  expect(await at('config: .config, arch: s390x')).toEqual(['one', 'two']);
  expect(await at('has: []')).toEqual(['three']);
});
