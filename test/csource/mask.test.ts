import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { baseFor } from '../../server/src/core/csource/base';
import { lex } from '../../server/src/core/csource/lexer';
import { mask } from '../../server/src/core/csource/mask';
import { preprocess } from '../../server/src/core/csource/preprocess';
import { SourceTree } from '../../server/src/core/csource/tree';
import { linuxSource } from '../support/linux-source';
import { OPTIONS, startParser } from './reader';

beforeAll(startParser);

function masked(text: string): string {
  const base = baseFor(OPTIONS);
  const { root } = preprocess({
    file: 'main.c',
    tokens: lex(text),
    provider: { text: () => undefined, resolve: () => undefined },
    base: base.macros,
    decided: base.decided,
    lexed: () => undefined,
    place: (file, start, end) => ({ file, start, end }),
  });
  return mask(root);
}

/** The kinds of the top-level nodes; fails if any part of the tree is broken. */
function top(text: string): string[] {
  const tree = SourceTree.parse(masked(text));
  if (tree === null) throw new Error('no parser');
  const broken = tree.broken ? tree.describe() : '';
  const types = (tree.top() ?? []).map((node) => node.type);
  tree.delete();
  expect(broken).toBe('');
  return types;
}

function broken(text: string): boolean {
  const tree = SourceTree.parse(text);
  const is = tree?.broken ?? true;
  tree?.delete();
  return is;
}

test.each([
  ['annotations', 'static int __init __used noinline f(void) { return 0; }', ['function_definition']],
  [
    'annotations of arguments',
    'int f(const char __user *p, void __iomem *q) { return 0; }',
    ['function_definition'],
  ],
  ['annotations with arguments', 'static int v[2] __aligned(8) __section(".x") = { 1 };', ['declaration']],
  ['unknown words in front', 'const_debug unsigned int v = 1;', ['declaration']],
  ['static macro definitions', 'static DECLARE_WORK(a, b);', ['expression_statement']],
  [
    'static LIST_HEAD',
    'static LIST_HEAD(x);\nstatic DEFINE_MUTEX(y);',
    ['expression_statement', 'expression_statement'],
  ],
  [
    'types as arguments',
    'DEFINE_PER_CPU(struct foo __rcu *, x);\nF(unsigned long, y);',
    ['expression_statement', 'expression_statement'],
  ],
  [
    'calls without a semicolon',
    'module_init(f)\nmodule_exit(g)\nint x;',
    ['expression_statement', 'expression_statement', 'declaration'],
  ],
  ['declarations as arguments', 'DECLARE(static int f(const void *p, int n));', ['expression_statement']],
  [
    'system calls',
    'SYSCALL_DEFINE2(open, const char __user *, n, int, f)\n{\n\treturn 0;\n}',
    ['function_definition'],
  ],
  ['KLP system calls', 'KLP_SYSCALL_DEFINE1(close, unsigned int, fd) { return 0; }', ['function_definition']],
  ['members by macro', 'struct s {\n\tDECLARE_BITMAP(bits, 10);\n\tint x;\n};', ['struct_specifier', ';']],
  [
    'directives in an initialiser',
    'int v[] = {\n#ifdef CONFIG_A\n1,\n#else\n2,\n#endif\n};',
    ['declaration'],
  ],
  [
    'directives in a call',
    'int f(void) { return g(1,\n#if 0\n2\n#else\n3\n#endif\n); }',
    ['function_definition'],
  ],
  ['definitions of macros', '#define A(x) \\\n\t{ x\nint v;', ['declaration']],
])('%s', (_, text, expected) => {
  expect(top(text)).toEqual(expected);
});

test.each([
  ['iteration macros', 'list_for_each_entry(p, &head, list) {\n\tg(p);\n}'],
  ['iteration macros without braces', 'list_for_each_entry(p, &head, list)\n\tg(p);'],
  [
    'iteration macros between if and else',
    'if (a)\n\tlist_for_each_entry(p, &head, list) {\n\t\tg(p);\n\t}\nelse\n\tb();',
  ],
  ['guards with a body', 'scoped_guard(mutex, &lock) {\n\tg();\n}'],
  ['loops over classes', 'for_class_range(c, 0, 1) { g(); }'],
  ['unknown macros with a body', 'rcu_scope() { g(); }\nwith(a) { h(); }'],
  ['clean-up annotations', 'struct foo *p __free(kfree) = NULL;'],
  ['container_of', 'q = container_of(p, struct x, m);'],
  ['list_entry', 'q = list_entry(p, struct x, m.n);'],
  ['alloc_percpu', 'q = alloc_percpu(struct x);'],
  ['sizeof_field', 'q = sizeof_field(struct x, m);'],
  ['offsetof with a path', 'q = offsetof(struct x, a.b[1]);'],
  ['stringified names in strings', 'q = "a" __stringify(X) "b";\nr = __stringify(X) "s";'],
  ['case ranges', 'switch (a) {\ncase 1 ... 3:\n\tbreak;\ncase A ... B: g();\n}'],
  ['computed goto', 'goto *p;\nq = &&out;\nout:;'],
  ['typeof', 'typeof(x) y = x;\n__typeof__(*x) *z;\nw = (typeof(x))~0U;'],
  ['do with a loop macro', 'do {\n\tg();\n} while_each_thread(a, b);'],
  ['statement macros without semicolons', 'switch (a) {\nN(UP) N(DOWN)\nN(LEFT)\n}'],
  ['static macro definitions', 'static DEFINE_RATELIMIT_STATE(rs, 5, 10);\ng(&rs);'],
  ['casts with annotations', 'q = (struct x __force *)p;'],
  [
    'what is clean already',
    'q = (struct x){ .a = 1, [2] = { 3 } };\nr = ({ int t = 1; t; });\nprintk(KBUILD_MODNAME ": x");',
  ],
])('%s, in a function', (_, text) => {
  expect(top(`void f(void)\n{\n${text}\n}\nint after;\n`)).toEqual(['function_definition', 'declaration']);
});

test('the raw text of these constructs is broken, so that the tests above mean something', () => {
  expect(broken('static DECLARE_WORK(a, b);')).toBe(true);
  expect(broken('void f(void) { q = container_of(p, struct x, m); }')).toBe(true);
  expect(broken('void f(void) { struct foo *p __free(kfree) = NULL; }')).toBe(true);
});

test('nothing but the construct changes', () => {
  expect(masked('static int __init f(void)')).toBe('static int        f(void)');
  expect(masked('void f(void) { for_each_x(a, b) { } }')).toBe('void f(void) { while     (a, b) { } }');
  expect(masked('a\n#if 0\nb c\n#else\nd\n#endif\ne')).toBe('a\n     \n   \n     \nd\n      \ne');
  expect(masked('int a; /* __init */ // __init\nchar *s = "__init";')).toBe(
    'int a; /* __init */ // __init\nchar *s = "__init";',
  );
});

const PIECES = [
  'static int __init f(void) {',
  'list_for_each_entry(p, &h, l) {',
  'module_init(f)\n',
  'SYSCALL_DEFINE1(a, int, b) {',
  '#if 0\n',
  '\n#else\n',
  '\n#endif\n',
  '#define A(x) \\\n x\n',
  '__free(kfree)',
  '__attribute__((x',
  'struct x {',
  'case 1 ... 2:',
  'typeof(x) y',
  'goto *p',
  '"a" __stringify(x) "b"',
  '}',
  ')',
  '(',
  ';',
  '"',
  '/*',
  '*/',
  '\r\n',
  '\r',
  '\0',
  '\u{1f600}',
  '\ud800',
  'container_of(p, struct x, m)',
];

test('the masked text has the length and the line breaks of the text, and changes nothing into a break', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 5 })), { maxLength: 50 }),
      (parts) => {
        const text = parts.join('');
        const result = masked(text);
        expect(result.length).toBe(text.length);
        expect(result.replace(/[^\r\n]/g, '.')).toBe(text.replace(/[^\r\n]/g, '.'));
      },
    ),
  );
});

test('kernel sources parse cleanly once they are masked', async ({ skip }) => {
  const source = await linuxSource();
  if (source === null) return skip('needs the kernel sources');
  const found: string[] = [];
  let files = 0;
  for (const folder of [
    'lib/livepatch',
    'samples/livepatch',
    'kernel/livepatch',
    'kernel/module',
    'net/core',
  ]) {
    for (const name of readdirSync(join(source, folder))) {
      if (!name.endsWith('.c')) continue;
      files++;
      const text = readFileSync(join(source, folder, name), 'utf8');
      const result = masked(text);
      expect(result.length).toBe(text.length);
      if (broken(result)) found.push(`${folder}/${name}`);
    }
  }
  expect(files).toBeGreaterThan(30);
  expect(found).toEqual([]);
});
