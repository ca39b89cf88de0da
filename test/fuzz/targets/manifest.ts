import { appendVersion } from '../../../server/src/core/manifest/edit';
import { containerAt, nodeAt } from '../../../server/src/core/manifest/node-at';
import { parseManifest } from '../../../server/src/core/manifest/parse';
import type { Random } from '../../execution/random';
import { FILES } from '../../features/fixture';
import { mutated } from '../mutate';
import { must, mustLieIn, type Target, WHOLE } from '../target';
import { askEverything, checkFindings, projectOf } from './whole';

const KEYS = [
  'lineage',
  'kernel',
  'release',
  'has',
  'lacks',
  'arch',
  'config',
  'tree',
  'versions',
  'version',
  'module',
  'sources',
  'status',
  'dialect',
  'git',
  'revision',
  'path',
  'include',
  'defines',
  'params',
  'built',
  'replace',
  'restores',
  'cleans-up-after',
  'keeps',
  'effect',
  'key',
  'note',
  'targets',
  'effects',
  'do',
  'undo',
  'argument',
  'fails',
  'scenarios',
  'name',
  'steps',
  'expect',
  'rules',
  'defaults',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
];
const VALUES = [
  'v1',
  'v2',
  'demo_v1',
  'demo_v2',
  '"6.1"',
  '6.1',
  '4.12',
  'module',
  'kpatch',
  'klp-build',
  'suse',
  'auto',
  'draft',
  'released',
  'faulty',
  'withdrawn',
  'v1.c',
  '"*.c"',
  '"**/*.[ch]"',
  '../v1.c',
  '/etc/passwd',
  '[a, b]',
  '{ a: b }',
  '[load v1, load v2]',
  '"fail v1 f=EBUSY"',
  'clean',
  'leaves',
  'unsafe',
  'off',
  'error',
  'true',
  'null',
  '~',
  '1e400',
  '0x10',
  '-1',
  '9007199254740993',
  '&a x',
  '*a',
  '!!binary aGk=',
  '!t x',
  '|\n  text',
  '>-\n  text',
  '"\\u0000"',
  '"\\ud800"',
  "'it''s'",
  '<<',
  '? x',
  '2026-01-01',
  'yes',
  '"a\\\nb"',
  '',
];
export const YAML_WORDS: readonly string[] = [
  ...KEYS.map((key) => `${key}: `),
  ...VALUES,
  '\n  - ',
  '\n- ',
  '\n    ',
  '---\n',
  '...\n',
  '%YAML 1.1\n',
  '# comment\n',
];

/** A manifest put together from keys and values at any depth. */
function structured(random: Random, indent: string, depth: number): string {
  const lines: string[] = [];
  for (let left = 1 + random.below(5); left > 0; left--) {
    const key = random.pick(KEYS);
    const kind = depth <= 0 ? 0 : random.below(4);
    if (kind === 0) lines.push(`${indent}${key}: ${random.pick(VALUES)}`);
    else if (kind === 1) lines.push(`${indent}${key}:`, structured(random, `${indent}  `, depth - 1));
    else {
      lines.push(`${indent}${key}:`);
      for (let items = random.below(3); items >= 0; items--)
        lines.push(`${indent}  - ${structured(random, `${indent}    `, depth - 1).trimStart()}`);
    }
  }
  return lines.join('\n');
}

const SMALL =
  'lineage: demo\nkernel: "6.1"\nversions:\n  - { version: v1, module: demo_v1, sources: v1.c }\n  - version: v2\n    module: demo_v2\n    sources: [v2.c]\n';

/** YAML to a manifest; every hundredth with its sources and all that is asked of them. */
export const manifest: Target = {
  name: 'manifest',
  least: 100,
  long: 30_000,
  generate: (random) => {
    const base = random.pick([FILES['livepatch.yaml'] ?? '', SMALL, SMALL]);
    const text =
      random.below(3) === 0
        ? `${structured(random, '', random.below(4))}\n`
        : mutated(random, base, YAML_WORDS);
    return { 'livepatch.yaml': text, [WHOLE]: random.below(100) === 0 ? 'yes' : '' };
  },
  run: ({ 'livepatch.yaml': text = '', [WHOLE]: whole }) => {
    const parsed = parseManifest('f', text, { ruleCodes: ['lost-object'], capabilities: ['replace'] });
    for (const { place, related, fix, message } of parsed.problems) {
      mustLieIn(place, text);
      for (const one of related ?? []) mustLieIn(one.place, text);
      for (const edit of fix?.edits ?? []) mustLieIn(edit, text);
      must(message !== '' && !message.includes('undefined'), `message "${message}"`);
    }
    for (let offset = 0; offset <= text.length; offset += 1 + (text.length >> 4)) {
      nodeAt(parsed, offset);
      containerAt(parsed, text, offset);
    }
    appendVersion(text, { version: 'v9', module: 'm9', note: 'x' });
    must(({} as Record<string, unknown>).polluted === undefined, 'a prototype was changed');
    if (whole !== 'yes') return;
    const project = projectOf({ ...FILES, 'livepatch.yaml': text });
    if (text.length < 2_000) askEverything(project, (length) => [0, length >> 1, length]);
    else checkFindings(project);
  },
};
