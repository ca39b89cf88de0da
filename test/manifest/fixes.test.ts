import { describe, test } from 'vitest';
import { expectFixed, HEAD, V1 } from './marked';

const RULES = { ruleCodes: ['orphaned-side-effect', 'manifest-invalid'] };
const CAPABILITIES = { capabilities: ['replace', 'states', 'callbacks'] };

describe('a fix that leaves a manifest without problems', () => {
  test.each([
    [
      'kernel as a number',
      `lineage: l\nkernel: «6.10»\n${V1}`,
      '6.10 as a number',
      `lineage: l\nkernel: "6.10"\n${V1}`,
    ],
    [
      'release as a number',
      `lineage: l\nkernel: { release: «6.1» }\n${V1}`,
      '6.1 as a number',
      `lineage: l\nkernel: { release: "6.1" }\n${V1}`,
    ],
    [
      'a v in front of the release',
      `lineage: l\nkernel: «v6.1»\n${V1}`,
      'does not begin',
      `lineage: l\nkernel: "6.1"\n${V1}`,
    ],
    [
      'version as a number',
      `${HEAD}versions:\n  - version: «1.10»\n    module: m1\n`,
      '`version` must be text',
      `${HEAD}versions:\n  - version: "1.10"\n    module: m1\n`,
    ],
    [
      'lineage as a boolean',
      `lineage: «true»\nkernel: "6.1"\n${V1}`,
      'as a boolean',
      `lineage: "true"\nkernel: "6.1"\n${V1}`,
    ],
    [
      'misspelt key',
      `${HEAD}${V1}    «cleanup-after»: [v0]\n`.replace('[v0]', '[]'),
      'Did you mean `cleans-up-after`?',
      `${HEAD}${V1}    cleans-up-after: []\n`,
    ],
    [
      'key with an underscore',
      `${HEAD}${V1}    «cleans_up_after»: []\n`,
      'Did you mean `cleans-up-after`?',
      `${HEAD}${V1}    cleans-up-after: []\n`,
    ],
    [
      'misspelt status',
      `${HEAD}${V1}    status: «Released»\n`,
      '"Released" is none of them',
      `${HEAD}${V1}    status: released\n`,
    ],
    [
      'module with a dash',
      `${HEAD}versions:\n  - version: v1\n    module: «klp-net-1»\n`,
      'turns "-" into "_". Here: klp_net_1.',
      `${HEAD}versions:\n  - version: v1\n    module: klp_net_1\n`,
    ],
    [
      'module as a file',
      `${HEAD}versions:\n  - version: v1\n    module: «out/klp-net.ko»\n`,
      "not the file's",
      `${HEAD}versions:\n  - version: v1\n    module: klp_net\n`,
    ],
    [
      'version with blanks',
      `${HEAD}versions:\n  - version: «my fix 1»\n    module: m1\n`,
      'no blanks',
      `${HEAD}versions:\n  - version: my-fix-1\n    module: m1\n`,
    ],
    [
      'restores a module',
      `${HEAD}${V1}  - { version: v2, module: m2, restores: «m1» }\n`,
      'Did you mean "v1"?',
      `${HEAD}${V1}  - { version: v2, module: m2, restores: v1 }\n`,
    ],
    [
      'replace as yes',
      `${HEAD}${V1}    replace: «yes»\n`,
      'not the text "yes"',
      `${HEAD}${V1}    replace: true\n`,
    ],
    [
      "a step's misspelt name",
      `${HEAD}versions:\n  - { version: first, module: m1 }\nscenarios:\n  - name: s\n    steps: [load «frist»]\n    expect: clean\n`,
      'Did you mean "first"?',
      `${HEAD}versions:\n  - { version: first, module: m1 }\nscenarios:\n  - name: s\n    steps: [load first]\n    expect: clean\n`,
    ],
  ])('%s', (_, marked, message, fixed) => {
    expectFixed(marked, message, fixed);
  });

  test('a misspelt rule and capability', () => {
    expectFixed(
      `${HEAD}${V1}rules: { «orphan-side-effect»: off }\n`,
      'Did you mean',
      `${HEAD}${V1}rules: { orphaned-side-effect: off }\n`,
      RULES,
    );
    const kernel = (name: string): string => `lineage: l\nkernel: { release: "4.18", has: [${name}] }\n${V1}`;
    expectFixed(kernel('«callback»'), 'Did you mean "callbacks"?', kernel('callbacks'), CAPABILITIES);
  });
});
