import { expect, test } from 'vitest';
import type { Severity } from '../../server/src/core/place';
import { quickFixes } from '../../server/src/features/code-actions';
import { hoverC } from '../../server/src/features/hover-c';
import { startParser } from '../../server/src/host/start-parser';
import { Workspace } from '../../server/src/host/workspace';
import { checkAll } from '../../server/src/rules/engine';
import type { Rule } from '../../server/src/rules/rule';
import { wrongCallbackSignature } from '../../server/src/rules/wrong-callback-signature';
import { MemoryFiles } from '../support/memory-files';
import { analyseTexts, projectOfTexts } from '../support/project';
import { appended, changed } from './diff-text';

const CALLBACK = `static void acme_pre(patch_object *obj)
{
}
KPATCH_PRE_PATCH_CALLBACK(acme_pre);`;
const MANIFEST =
  'lineage: l\nkernel: "6.1"\nversions:\n  - version: v1\n    module: m_v1\n    sources: v1/*.patch\n';
const DIFF = `${changed('kernel/a.c', 'acme')}${appended('kernel/b.c', CALLBACK)}`;

test('a finding in a diff is suppressed behind the code of its line, which keeps the hunk whole', async () => {
  const analysis = await analyseTexts({ 'livepatch.yaml': MANIFEST, 'v1/a.patch': DIFF });
  const [finding] = analysis.findings().filter(({ code }) => code === 'wrong-callback-signature');
  if (!finding) throw new Error('there is nothing to suppress');
  expect(DIFF.slice(finding.place.start, finding.place.end)).toBe('acme_pre');
  const action = quickFixes(analysis, '/lineage/v1/a.patch', finding.place).find((one) =>
    one.title.startsWith('Suppress'),
  );
  const [edit] = action?.edits ?? [];
  expect(edit?.text).toBe(' /* livepatch-ignore wrong-callback-signature: reason */');
  const at = edit?.place.start ?? 0;
  const suppressed = DIFF.slice(0, at) + (edit?.text ?? '') + DIFF.slice(at);
  expect(suppressed.split('\n')).toHaveLength(DIFF.split('\n').length);
  const after = await analyseTexts({ 'livepatch.yaml': MANIFEST, 'v1/a.patch': suppressed });
  expect(after.findings().map(({ code }) => code)).toEqual([]);
});

test('a comment of its own on an added line above hides the finding as well', async () => {
  const text = DIFF.replace(
    '+static void acme_pre',
    '+/* livepatch-ignore wrong-callback-signature: tested */\n+static void acme_pre',
  ).replace(/@@ -400,3 \+400,(\d+)/, (_, count: string) => `@@ -400,3 +400,${Number(count) + 1}`);
  const { findings } = await analyseTexts({ 'livepatch.yaml': MANIFEST, 'v1/a.patch': text });
  expect(findings().map(({ code }) => code)).toEqual([]);
});

test('of the fixes in a diff those are offered that change the text of one added line', async () => {
  const analysis = await analyseTexts({ 'livepatch.yaml': MANIFEST, 'v1/a.patch': DIFF });
  const file = '/lineage/v1/a.patch';
  const at = (words: string, length: number) => {
    const start = DIFF.indexOf(words);
    return { file, start, end: start + length };
  };
  const fix = (title: string, place: ReturnType<typeof at>, text: string) => ({
    title,
    preferred: true,
    edits: [{ place, text }],
  });
  const rule: Rule = {
    ...wrongCallbackSignature,
    check: () => [
      {
        code: 'wrong-callback-signature',
        severity: 'error',
        message: '',
        certainty: 'must',
        place: at('void acme_pre', 4),
        versions: ['v1'],
        related: [],
        fixes: [
          fix('one word of an added line', at('void acme_pre', 4), 'int'),
          fix('a line more', at('+static void acme_pre', 0), '#include <linux/x.h>\n'),
          fix('two lines into one', at('{\n+}\n', 4), '{}'),
          fix('a line of context', at('return 0;', 6), 'exit'),
          fix('the mark of a line', at('+static void acme_pre', 1), '-'),
          fix('the header of a hunk', at('@@ -400', 2), '##'),
        ],
      },
    ],
  };
  const context = {
    ...analysis,
    sourceProblems: [],
    severity: (_: string, standard: Severity) => standard,
    manifestPlace: (span: { start: number; end: number }) => ({ file: analysis.manifestFile, ...span }),
  };
  const [finding] = checkAll(context, [rule]);
  expect(finding?.fixes.map(({ title }) => title)).toEqual(['one word of an added line']);
});

test('a callback is explained at its macro and at its definition', async () => {
  const analysis = await analyseTexts({ 'livepatch.yaml': MANIFEST, 'v1/a.patch': DIFF });
  for (const words of ['KPATCH_PRE_PATCH_CALLBACK(acme', 'acme_pre(patch_object']) {
    const hover = hoverC(analysis, '/lineage/v1/a.patch', DIFF.indexOf(words) + 2);
    expect(hover?.markdown).toContain('pre_patch');
  }
});

test('an edit of a diff is seen, and only its own version is read again', async () => {
  const { project, files } = await projectOfTexts({
    'livepatch.yaml': `${MANIFEST}  - version: v2\n    module: m_v2\n    sources: v2/a.patch\n`,
    'v1/a.patch': DIFF,
    'v2/a.patch': changed('kernel/a.c', 'acme'),
  });
  const before = project.analyse();
  expect(project.involves('/lineage/v1/a.patch')).toBe(true);
  files.write('/lineage/v1/a.patch', DIFF.replace('+static void acme_pre', '+static int acme_pre'));
  const after = project.analyse();
  expect(before.findings().map(({ code }) => code)).toContain('wrong-callback-signature');
  expect(after.findings().map(({ code }) => code)).not.toContain('wrong-callback-signature');
  expect(after.lineage.versions[1]?.program).toBe(before.lineage.versions[1]?.program);
});

test('opening a diff finds the manifest beside it', async () => {
  await startParser();
  const files = new MemoryFiles('/lineage', { 'livepatch.yaml': MANIFEST, 'v1/a.patch': DIFF });
  const workspace = new Workspace(files);
  workspace.open('/lineage/v1/a.patch', 1, DIFF);
  expect([...workspace.findings().keys()]).toEqual(['/lineage/v1/a.patch']);
  workspace.dispose();
});
