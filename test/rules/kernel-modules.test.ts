import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { linuxSource } from '../support/linux-source';
import { check } from './fixture';

/**
 * Everything that is found in the kernel's own livepatches, with the reason why it is right. `folder/module: code`.
 */
interface Case {
  readonly what: string;
  readonly modules: readonly string[];
  /** What makes a sample cumulative that is not. */
  readonly replacing?: true;
  readonly params?: string;
  readonly found: readonly { readonly finding: string; readonly because: string }[];
}

const LIB = 'lib/livepatch';
const SAMPLES = 'samples/livepatch';

const CASES: readonly Case[] = [
  {
    what: 'the three with states, in order',
    modules: [`${LIB}/test_klp_state`, `${LIB}/test_klp_state2`, `${LIB}/test_klp_state3`],
    found: [],
  },
  {
    what: 'the state of version 2 before that of version 1',
    modules: [`${LIB}/test_klp_state2`, `${LIB}/test_klp_state`],
    found: [
      {
        finding: 'test_klp_state: error incompatible-state',
        because: 'test-state.sh, "incompatible cumulative livepatches": the kernel answers -EINVAL',
      },
    ],
  },
  {
    what: 'a plain one and the one that replaces by a parameter',
    modules: [`${LIB}/test_klp_livepatch`, `${LIB}/test_klp_atomic_replace`],
    found: [],
  },
  {
    what: 'the same with the parameter set',
    modules: [`${LIB}/test_klp_livepatch`, `${LIB}/test_klp_atomic_replace`],
    params: '    params: { replace: 1 }\n',
    found: [
      {
        finding: 'test_klp_atomic_replace: information reverted-function',
        because: 'test-livepatch.sh, "atomic replace": /proc/cmdline shows the original again',
      },
    ],
  },
  {
    what: 'the callbacks that print',
    modules: [`${LIB}/test_klp_callbacks_demo`, `${LIB}/test_klp_callbacks_demo2`],
    found: [
      {
        finding: 'test_klp_callbacks_demo: warning pre-patch-blocks-module',
        because:
          'test-callbacks.sh, "module_coming + pre-patch callback -ENODEV": with pre_patch_ret=-19 the target module is refused',
      },
    ],
  },
  {
    what: 'the samples',
    modules: [
      `${SAMPLES}/livepatch-sample`,
      `${SAMPLES}/livepatch-callbacks-demo`,
      `${SAMPLES}/livepatch-shadow-fix1`,
      `${SAMPLES}/livepatch-shadow-fix2`,
    ],
    found: [
      {
        finding: 'livepatch-callbacks-demo: warning pre-patch-blocks-module',
        because: 'its own head tells how to see that: set pre_patch_ret to -19 and load the target module',
      },
    ],
  },
  {
    what: 'the samples with shadow variables, made cumulative',
    modules: [`${SAMPLES}/livepatch-shadow-fix1`, `${SAMPLES}/livepatch-shadow-fix2`],
    replacing: true,
    found: [
      {
        finding: 'livepatch-shadow-fix1: error shadow-free-in-exit',
        because:
          'exit of fix1 frees SV_LEAK, which fix2 works with, when fix1 is removed after the replacement',
      },
      {
        finding: 'livepatch-shadow-fix2: warning reverted-function',
        because: 'fix1 patches dummy_alloc() and dummy_free() together, fix2 only dummy_free()',
      },
      {
        finding: 'livepatch-shadow-fix2: error shadow-free-in-exit',
        because: 'exit of fix2 frees SV_COUNTER under any successor that counts on',
      },
    ],
  },
];

test.for(CASES)('$what', async ({ modules, replacing, params = '', found }, { skip }) => {
  const source = await linuxSource();
  if (source === null) return skip('needs the kernel sources');
  const entries = modules.map((module, i) => {
    const name = basename(module);
    return `  - version: v${i + 1}\n    module: ${name.replaceAll('-', '_')}\n    sources: ${name}.c\n${params}`;
  });
  const files = modules.map((module) => {
    const text = readFileSync(join(source, `${module}.c`), 'utf8');
    const marked = replacing
      ? text.replace('.mod = THIS_MODULE,', '.mod = THIS_MODULE, .replace = true,')
      : text;
    return `//- ${basename(module)}.c\n${marked}`;
  });
  const manifest = `//- livepatch.yaml\nlineage: kernel\nkernel: "6.1"\nversions:\n${entries.join('')}`;
  const { findings } = await check(`${manifest}${files.join('')}`);
  const said = findings.map(
    ({ place, severity, code }) => `${basename(place.file, '.c')}: ${severity} ${code}`,
  );
  expect(said).toEqual(found.map(({ finding }) => finding));
});
