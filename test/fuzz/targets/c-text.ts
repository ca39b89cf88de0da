import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAIRS } from '../../execution/catalogue-names';
import type { Random } from '../../execution/random';
import { livepatch } from '../../features/fixture';

/** Tests and soak.mjs run in the project's folder, whatever they are bundled into. */
const EXAMPLES = 'examples';

/** Whole sources that are changed here and there. */
export const SOURCES: readonly string[] = [
  livepatch(1),
  livepatch(2),
  ...[
    'net-fixes/v1/livepatch_net_v1.c',
    'net-fixes/v2/livepatch_net_v2.c',
    'module-watch/v2/livepatch_watch_v2.c',
  ].map((name) => readFileSync(join(EXAMPLES, name), 'utf8')),
];

const CALLS: readonly string[] = PAIRS.flatMap(([dos, undos]) => `${dos} ${undos}`.split(' ')).filter(
  (name) => name !== '',
);

/** Pieces that C is put together from, whole and half. */
export const C_WORDS: readonly string[] = [
  'static int f(void)\n{\n',
  '}\n',
  'struct klp_func funcs[] = { { .old_name = "a", .new_func = f }, {} };\n',
  '#define M(x, ...) x ## y #x __VA_ARGS__ __VA_OPT__(,)\n',
  '#define R R R\n',
  '#define LOOP(x) LOOP(x) + x\n',
  'M(1, 2)',
  'LOOP(LOOP(1))',
  'list_for_each_entry(a, &b, c) {',
  'for (;;) {',
  'while (1)',
  'do {',
  '} while (x);',
  'goto again;\nagain:\n',
  'if (a',
  'if (klp_get_prev_state(7))\n',
  'switch (a) { case 1 ... 5:',
  'default:',
  'return (foo_t)(x);\n',
  'container_of(p, struct klp_object, name)',
  'typeof(x) y;',
  '#include "main.c"\n',
  '#include "other.h"\n',
  '#include "../../etc/passwd"\n',
  '#if A\n',
  '#ifdef CONFIG_X\n',
  '#elif 1\n',
  '#else\n',
  '#endif\n',
  '#undef M\n',
  '({ int a = 1; a; })',
  '\\\n',
  'enum { A = 1 << 70 };\n',
  'int a[1 / 0];\n',
  'int b[99999999999999999999];\n',
  'struct s { struct s s; int bits : 99; union { int a; }; char flex[]; };\n',
  'typedef struct t t;\n',
  'x = sizeof(struct s);',
  '(int (*)(void))',
  '*(volatile int *)0 = 1;',
  'a[i]->b.c(&d, e++, --f)',
  '1 ? 2 : 3',
  '"a" "b" STR',
  "'\\x41'",
  '0x1p3',
  '/* livepatch-ignore missing-replace: because */\n',
  '// livepatch-ignore orphaned-side-effect\n',
  '__init',
  '__attribute__((section(".x")))',
  'EXPORT_SYMBOL_GPL(f);\n',
  'module_param(n, int, 0644);\n',
  'module_init(f);\nmodule_exit(g);\n',
  'MODULE_INFO(livepatch, "Y");\n',
  'klp_shadow_alloc(obj, 1, 8, GFP_KERNEL, NULL, NULL);\n',
  'klp_shadow_free_all(1, NULL);\n',
  'obj->mod->state',
  'f();\n',
  'schedule_delayed_work(&work, HZ);\n',
  'kfree(kzalloc(8, GFP_KERNEL));\n',
  'INIT_LIST_HEAD(&l);\nlist_add(&a, &l);\n',
  'mutex_lock(&m);\n',
  'pr_info("%s %d %p\\n", "x", 1);\n',
  '.callbacks = { .pre_patch = f, .post_patch = f, .pre_unpatch = f, .post_unpatch = f },',
  '.replace = true,',
  '.states = states,',
];

const EXPRESSIONS = [
  '0',
  '1',
  '-1',
  'n',
  'p',
  '&item',
  '*p',
  'n++',
  'n << n',
  'n / 0',
  'table[n]',
  'p->next',
  'f()',
  '"text"',
  'NULL',
  'GFP_KERNEL',
];

function expression(random: Random, depth: number): string {
  if (depth <= 0 || random.below(3) === 0) return random.pick(EXPRESSIONS);
  const one = (): string => expression(random, depth - 1);
  switch (random.below(8)) {
    case 0:
      return `(${one()} ${random.pick(['+', '-', '*', '/', '%', '<<', '>>', '&&', '||', '==', '<', ',', '^'])} ${one()})`;
    case 1:
      return `${random.pick(['!', '-', '~', '&', '*', 'sizeof ', '(long)', '(struct item *)'])}${one()}`;
    case 2:
      return `${one()} ? ${one()} : ${one()}`;
    case 3:
      return `({ ${statement(random, depth - 1)} ${one()}; })`;
    case 4:
      return `${one()}[${one()}]`;
    case 5:
      return `(n ${random.pick(['=', '+=', '|=', '<<='])} ${one()})`;
    default:
      return `${random.pick(CALLS)}(${Array.from({ length: random.below(5) }, one).join(', ')})`;
  }
}

function statement(random: Random, depth: number): string {
  if (depth <= 0) return `${expression(random, 1)};`;
  const one = (): string => statement(random, depth - 1);
  const value = (): string => expression(random, depth);
  switch (random.below(12)) {
    case 0:
      return `if (${value()}) { ${one()} } else ${one()}`;
    case 1:
      return `for (n = 0; n < ${value()}; n++) { ${one()} }`;
    case 2:
      return `while (${value()}) { ${one()} ${random.pick(['break;', 'continue;', ''])} }`;
    case 3:
      return `switch (${value()}) { case 1: ${one()} case 2 ... 4: ${one()} break; default: ${one()} }`;
    case 4:
      return `list_for_each_entry_safe(p, q, &items, list) { ${one()} }`;
    case 5:
      return `return ${value()};`;
    case 6:
      return `goto out;`;
    case 7:
      return `{ struct item local = { .next = ${value()}, }; ${one()} }`;
    case 8:
      return `do { ${one()} } while (${value()});`;
    default:
      return `${value()};`;
  }
}

/**
 * A livepatch whose callbacks are put together at random; it is C, whatever else it may be. A body has at most `most`
 * statements, nested up to `depth`.
 */
export function randomLivepatch(random: Random, most = 5, depth = 3): string {
  const kinds = ['pre_patch', 'post_patch', 'pre_unpatch', 'post_unpatch'].filter(
    () => random.below(2) === 0,
  );
  const body = (): string =>
    Array.from({ length: 1 + random.below(most) }, () => `\t${statement(random, depth)}\n`).join('');
  const callbacks = kinds
    .map((kind) => {
      const [type, result] = kind === 'pre_patch' ? ['int', 'return 0;'] : ['void', ''];
      return `static ${type} ${kind}(struct klp_object *obj)\n{\n\tstruct item item, *p = &item, *q;\n${body()}out:\n\t${result}\n}\n`;
    })
    .join('\n');
  const module = random.below(3) === 0 ? '.name = "e1000", ' : '';
  return `#include <linux/livepatch.h>
#include <linux/module.h>
struct item { struct item *next; struct list_head list; int table[${random.below(5)}]; };
static int n${random.below(2) === 0 ? '' : ' = 3'};
static int table[] = { 1, 2, 3 };
static LIST_HEAD(items);
static struct klp_patch patch;
static int f(void)
{
	struct item item, *p = &item, *q;
${body()}out:
	return n;
}
${callbacks}
static struct klp_func funcs[] = { { .old_name = "cmdline_proc_show", .new_func = f }, { } };
static struct klp_object objs[] = { { ${module}.funcs = funcs, .callbacks = { ${kinds.map((it) => `.${it} = ${it}, `).join('')}} }, { } };
static struct klp_state states[] = { { .id = ${1 + random.below(3)}, .version = ${random.below(3)} }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, ${random.below(2) === 0 ? '.states = states, ' : ''}.replace = ${random.pick(['true', 'true', 'true', 'false', 'n'])} };
static int m_init(void) { ${random.below(3) === 0 ? statement(random, 2) : ''} return klp_enable_patch(&patch); }
static void m_exit(void) { ${random.below(3) === 0 ? statement(random, 2) : ''} }
module_init(m_init);
module_exit(m_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;
}
