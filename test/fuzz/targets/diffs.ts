import { readUnifiedDiff } from '../../../server/src/core/csource/dialects/unified-diff';
import type { Random } from '../../execution/random';
import { mutated } from '../mutate';
import { mustLieIn, type Target, WHOLE } from '../target';
import { C_WORDS } from './c-text';
import { readOrCheck } from './whole';

const DIFF_WORDS: readonly string[] = [
  'diff --git a/kernel/acme_sys.c b/kernel/acme_sys.c\n',
  '--- a/kernel/acme_sys.c\n',
  '+++ b/kernel/acme_sys.c\n',
  '+++ b/../../etc/passwd\n',
  '+++ /dev/null\n',
  '--- /dev/null\n',
  '+++ "b/a\\tb\\303\\244.c"\n',
  'rename from a\nrename to b\n',
  'GIT binary patch\n',
  '@@ -1,3 +1,4 @@\n',
  '@@ -0,0 +1 @@\n',
  '@@ -999999999,999999999 +1,999999999 @@ int f(void)\n',
  '@@@ -1,2 -1,2 +1,3 @@@\n',
  '+KPATCH_PRE_PATCH_CALLBACK(acme_pre);\n',
  '+KLP_POST_UNPATCH_CALLBACK(acme_post);\n',
  '+#include "kpatch-macros.h"\n',
  '\\ No newline at end of file\n',
  '-- \n2.39.2\n',
  '+',
  '-',
  ' ',
];

/** A hunk whose header mostly holds what it says. */
function hunk(random: Random): string {
  const lines = Array.from({ length: 1 + random.below(6) }, () => {
    const mark = random.pick([' ', ' ', '+', '+', '-']);
    const code = random.pick([
      '\tint err;',
      '}',
      '{',
      '',
      '\tif (n < 0)',
      'static int acme_x(int n)',
      ...C_WORDS,
    ]);
    return `${mark}${code.replace(/\n/g, `\n${mark}`)}`;
  }).join('\n');
  const count = (mark: string): number => lines.split('\n').filter((line) => !line.startsWith(mark)).length;
  const at = random.below(40);
  const wrong = random.below(4) === 0 ? random.below(5) : 0;
  return `@@ -${at},${count('+') + wrong} +${at},${count('-')} @@ ${random.pick(['', 'int acme_sys_limit(int n)'])}\n${lines}\n`;
}

function structured(random: Random): string {
  const files = Array.from({ length: 1 + random.below(random.below(3) + 1) }, () => {
    const name = random.pick([
      'kernel/acme_sys.c',
      'drivers/acme/acme_core.c',
      'include/linux/acme.h',
      'a b.c',
      '../x.c',
    ]);
    const hunks = Array.from({ length: 1 + random.below(2) }, () => hunk(random)).join('');
    return `diff --git a/${name} b/${name}\n--- a/${name}\n+++ b/${name}\n${hunks}`;
  });
  return files.join('');
}

/** What `git diff` makes of a version, written down so that no git is needed here. */
const REAL = `diff --git a/kernel/acme_sys.c b/kernel/acme_sys.c
index 1111111..2222222 100644
--- a/kernel/acme_sys.c
+++ b/kernel/acme_sys.c
@@ -1,6 +1,7 @@
 // SPDX-License-Identifier: GPL-2.0
 #include <linux/kernel.h>
 #include <linux/acme.h>
+#include "kpatch-macros.h"
\x20
 static int acme_calls = 3;
 static DEFINE_MUTEX(acme_lock);
@@ -24,6 +25,8 @@ int acme_sys_limit(int n)
 	}
\x20
 	/* THE-LIMIT */
+	if (n == 7)
+		n = 6;
 	return n;
 }
\x20
@@ -32,6 +35,19 @@ int acme_after(int n)
 	return n - 1;
 }
\x20
+static int acme_pre(patch_object *obj)
+{
+	return register_reboot_notifier(&acme_notifier);
+}
+
+static void acme_post(patch_object *obj)
+{
+	unregister_reboot_notifier(&acme_notifier);
+}
+
+KPATCH_PRE_PATCH_CALLBACK(acme_pre);
+KPATCH_POST_UNPATCH_CALLBACK(acme_post);
+
 static int acme_sys_init(void)
 {
 	return 0;
`;

function manifestOf(dialect: string, kernel: string): string {
  return `lineage: l\nkernel: { release: "${kernel}" }\nversions:\n  - { version: v1, module: m_v1, sources: "v1/*.patch", dialect: ${dialect} }\n  - { version: v2, module: m_v2, sources: v2.patch, dialect: ${dialect} }\n`;
}

/** Diffs as kpatch-build and klp-build take them, several to a version. */
export const diffs: Target = {
  name: 'diffs',
  least: 100,
  long: 15_000,
  generate: (random) => {
    const diff = (): string => {
      const base = random.below(2) === 0 ? structured(random) : REAL;
      return random.below(4) === 0 ? base : mutated(random, base, [...DIFF_WORDS, ...C_WORDS], [REAL]);
    };
    const [dialect, kernel] = random.pick([
      ['kpatch', '6.1'],
      ['klp-build', '6.19'],
    ] as const);
    return {
      'livepatch.yaml': manifestOf(dialect, kernel),
      'v1/a.patch': diff(),
      'v1/b.patch': random.below(4) === 0 ? diff() : '',
      'v2.patch': random.below(4) === 0 ? diff() : '',
      [WHOLE]: random.below(40) === 0 ? 'yes' : '',
    };
  },
  run: (input) => {
    for (const [name, text] of Object.entries(input)) {
      if (!name.endsWith('.patch')) continue;
      for (const { place, hunks } of readUnifiedDiff(text).files) {
        mustLieIn(place, text);
        for (const { lines } of hunks) for (const line of lines) mustLieIn(line, text);
      }
    }
    readOrCheck(input);
  },
};
