import { beforeAll, expect, test } from 'vitest';
import { openUnit } from '../../server/src/core/csource/build-unit';
import { CSource } from '../../server/src/core/csource/c-source';
import { typeText } from '../../server/src/core/csource/conversions';
import { briefStatement, lowered, OPTIONS, provide, read, startParser } from './reader';

beforeAll(startParser);

const MODULE = `#include <linux/livepatch.h>
static bool flag = true;
module_param(flag, bool, 0644);
MODULE_PARM_DESC(flag, "a flag");
static int limit;
module_param_named(max, limit, int, S_IRUGO | S_IWUSR);

static int __init acme_init(void)
{
	return 0;
}

static void __exit acme_exit(void) { }

module_init(acme_init)
module_exit(acme_exit);
MODULE_INFO(livepatch, "Y");
`;

test('a module: functions, parameters, init and exit', () => {
  const unit = read(MODULE);
  expect([...unit.functions.keys()]).toEqual(['acme_init', 'acme_exit']);
  expect(unit.functions.get('acme_init')?.annotations).toEqual(['__init']);
  expect(unit.moduleInit?.function).toBe('acme_init');
  expect(unit.moduleExit?.function).toBe('acme_exit');
  expect(
    unit.parameters.map(({ name, variable, type, permissions }) => [name, variable, type, permissions]),
  ).toEqual([
    ['flag', 'flag', 'bool', 0o644],
    ['max', 'limit', 'int', 0o644],
  ]);
  expect(unit.calls.at(-1)).toMatchObject({ macro: 'MODULE_INFO', args: ['livepatch', '"Y"'] });
  expect(unit.complete).toBe(true);
  const place = unit.functions.get('acme_init')?.namePlace;
  expect(MODULE.slice(place?.start, place?.end)).toBe('acme_init');
  const whole = unit.functions.get('acme_exit')?.place;
  expect(MODULE.slice(whole?.start, whole?.end)).toBe('static void __exit acme_exit(void) { }');
});

test('a tentative definition and its later initialiser are one variable', () => {
  const unit = read(
    'static struct klp_patch patch;\nint f(void) { return klp_enable_patch(&patch); }\nstatic struct klp_patch patch = { .replace = true };\nextern struct klp_patch patch;\n',
  );
  expect(unit.variables.get('patch')).toMatchObject({ hasInitialiser: true, extern: false, static: true });
  expect(unit.variable('patch')?.init?.k).toBe('list');
});

test('prototypes are no functions, but have types', () => {
  const unit = read('bool g(int x);\nextern int v;\nint f(void) { return g(v); }');
  expect([...unit.functions.keys()]).toEqual(['f']);
  expect(unit.variables.get('v')?.extern).toBe(true);
  const first = lowered(unit, 'f').body[0];
  expect(first?.k === 'return' && first.value !== null && typeText(first.value.type)).toBe('bool');
});

test('system calls and functions that return pointers to functions', () => {
  const unit = read(
    'SYSCALL_DEFINE2(acme, int, a, const char __user *, b)\n{\n\treturn a;\n}\nint (*pick(int n))(void) { return n ? one : two; }\n',
  );
  expect([...unit.functions.keys()]).toEqual(['__do_sys_acme', 'pick']);
  expect(
    unit.functions.get('__do_sys_acme')?.parameters.map(({ name, type }) => [name, typeText(type)]),
  ).toEqual([
    ['a', 's32'],
    ['b', 's8*'],
  ]);
  expect(unit.functions.get('pick')?.parameters.map(({ name }) => name)).toEqual(['n']);
});

test('kpatch macros are calls at file scope', () => {
  const unit = read(
    '#include "kpatch-macros.h"\nstatic int pre(patch_object *obj) { return 0; }\nKPATCH_PRE_PATCH_CALLBACK(pre);\n',
  );
  expect(unit.calls).toMatchObject([{ macro: 'KPATCH_PRE_PATCH_CALLBACK', args: ['pre'] }]);
  expect(unit.missingIncludes).toMatchObject([{ name: 'kpatch-macros.h' }]);
  expect(unit.complete).toBe(false);
  expect(lowered(unit, 'pre').parameters).toBe(1);
});

test('own files are included, in their order, once if they are guarded', () => {
  const unit = read('#include "a.h"\n#include "a.h"\n#include "b.c"\nint last = B;\n', {
    'a.h': '#ifndef A_H\n#define A_H\nstruct a { int x; };\nextern int shared;\n#endif\n',
    'b.c': '#include "a.h"\n#define B 3\nstatic int f(struct a *a) { return a->x; }\n',
  });
  expect(unit.files).toEqual(['main.c', 'a.h', 'b.c']);
  expect(unit.complete).toBe(true);
  expect(unit.functions.get('f')?.place.file).toBe('b.c');
  expect(unit.struct('a')?.fields.map(({ name }) => name)).toEqual(['x']);
  expect(unit.variable('last')?.init).toMatchObject({ k: 'value', value: { k: 'int', value: 3 } });
});

test('a file included inside an initialiser belongs to it', () => {
  const unit = read('static int v[] = {\n#include "list.h"\n};\nint after;\n', { 'list.h': '1,\n2,\n' });
  expect(unit.variable('v')?.type).toMatchObject({ k: 'array', length: 2 });
  expect([...unit.variables.keys()]).toEqual(['v', 'after']);
});

test('files that include each other, and themselves', () => {
  const unit = read('#include "a.h"\nint x;', {
    'a.h': '#include "b.h"\nint a;',
    'b.h': '#include "a.h"\n#include "b.h"\nint b;',
  });
  expect([...unit.variables.keys()]).toEqual(['b', 'a', 'x']);
});

test('macros, typedefs and enumerators', () => {
  const unit = read(
    '#define LIMIT (2 * 3)\n#define F(a, ...) g(a)\ntypedef struct { int x; } foo_t;\nenum e { A, B = 5, C, D = -1 };\nint v[C];\n',
  );
  expect(unit.macro('LIMIT')).toEqual({ parameters: null, body: '(2 * 3)' });
  expect(unit.macro('F')).toEqual({ parameters: ['a', '__VA_ARGS__'], body: 'g(a)' });
  expect(unit.macro('NOPE')).toBeUndefined();
  expect(unit.typedef('foo_t')?.k).toBe('struct');
  expect(['A', 'B', 'C', 'D', 'E'].map((name) => unit.enumerator(name))).toEqual([0, 5, 6, -1, undefined]);
  expect(unit.variables.get('v')?.type).toMatchObject({ length: 6 });
});

test.each([
  ['an open condition', '\tif (x\n'],
  ['an open block', '\tif (x) {\n\t\tg();\n'],
  ['an open string', '\tpr_info("abc\n'],
  ['an open call', '\tg(1,\n'],
  ['a half statement', '\tobj->\n'],
  ['a half declaration', '\tstruct klp_state *s =\n'],
  ['a stray bracket', '\tg());\n'],
  ['an open parenthesis and a label', '\tg((\nout:\n\treturn;\n'],
])('half-typed code: %s', (_, middle) => {
  const unit = read(
    `static int before(void)\n{\n\treturn 1;\n}\n\nstatic void typing(void)\n{\n\tfirst();\n${middle}}\n\nstatic int after(void)\n{\n\treturn 2;\n}\n\nstatic struct klp_func funcs[] = { {} };\n`,
  );
  expect([...unit.functions.keys()]).toEqual(['before', 'typing', 'after']);
  expect([...unit.variables.keys()]).toEqual(['funcs']);
  expect(briefStatement(lowered(unit, 'typing').body[0] as never)).toBe('first();');
  expect(lowered(unit, 'after').body.map(briefStatement)).toEqual(['return 2;']);
});

test('half-typed code: a function without its end', () => {
  const unit = read(
    'static void typing(void)\n{\n\tif (x) {\n\nstatic int after(void)\n{\n\treturn 2;\n}\n\nMODULE_LICENSE("GPL");\n',
  );
  expect([...unit.functions.keys()]).toEqual(['typing', 'after']);
  expect(unit.calls.map(({ macro }) => macro)).toEqual(['MODULE_LICENSE']);
});

test.each([
  ['\0ELF\u0001', 'not a text file'],
  [`int x;${' '.repeat(2_000_001)}`, 'too large'],
] as const)('what is no C text gives an empty unit that says why', (text, because) => {
  const unit = read(text);
  expect(unit.complete).toBe(false);
  expect(unit.unread).toEqual([{ file: 'main.c', because }]);
  expect(unit.functions.size + unit.variables.size).toBe(0);
});

test('a file that is not there, and an empty one', () => {
  expect(read('#include "a.h"').missingIncludes.map(({ name }) => name)).toEqual(['a.h']);
  expect(openUnit('none.c', provide({}), OPTIONS, new CSource()).unread).toEqual([
    { file: 'none.c', because: 'missing' },
  ]);
  expect(read('')).toMatchObject({ complete: true, unread: [] });
});

test('what stands in front of an item belongs to it, in open documents as well', () => {
  const text = '__init int f(void) { return 0; }\nstatic LIST_HEAD(list);\nstatic DEFINE_MUTEX(lock);\n';
  const source = new CSource();
  for (const isOpen of [false, true]) {
    if (isOpen) source.open('main.c');
    const unit = openUnit('main.c', provide({ 'main.c': text }), OPTIONS, source);
    expect(unit.functions.get('f')?.annotations).toEqual(['__init']);
    expect(unit.functions.get('f')?.place.start).toBe(0);
    expect(unit.variables.get('list')?.static).toBe(true);
    expect(unit.variables.get('lock')?.static).toBe(true);
  }
  source.dispose();
});

test.each(['late_initcall', 'device_initcall', 'subsys_initcall_sync'])(
  '%s() is module_init() in a module',
  (macro) => {
    const unit = read(`static int __init start(void) { return 0; }\n${macro}(start);\n`);
    expect(unit.moduleInit?.function).toBe('start');
  },
);

test('init_module() and cleanup_module() need no macro', () => {
  const unit = read('int init_module(void) { return 0; }\nvoid cleanup_module(void) { }\n');
  expect(unit.moduleInit?.function).toBe('init_module');
  expect(unit.moduleExit?.function).toBe('cleanup_module');
  expect(read('static int init_module(void) { return 0; }\n').moduleInit).toBeNull();
});
