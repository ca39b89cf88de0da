import { expect, test } from 'vitest';
import { typeText } from '../../server/src/core/csource/conversions';
import { brief, briefStatement, initialiser, lowered, read, returned, unknowns } from './reader';

function body(text: string, before = ''): string[] {
  return lowered(read(`${before}\nvoid f(int a, int b, char *p)\n{\n${text}\n}\n`), 'f').body.map(
    briefStatement,
  );
}

test.each([
  ['a + b * 2', '(+ $0 (* $1 2))'],
  ['a - b - 1', '(- (- $0 $1) 1)'],
  ['a = b = 1', '(= $0 (= $1 1))'],
  ['a << 1 | b & 3', '(| (<< $0 1) (& $1 3))'],
  ['a ? b : a ? 1 : 2', '(? $0 $1 (? $0 1 2))'],
  ['a ?: b', '(? $0 - $1)'],
  ['!a && -b || ~a', '(|| (&& (! $0) (- $1)) (~ $0))'],
  ['*p++', '(* ($2 ++))'],
  ['++*p', '(++ (* $2))'],
  ['&p[1]', '(& $2[1])'],
  ['x.y->z', 'x.y->z'],
  ['(a, b)', '(, $0 $1)'],
  ['a += b == 1', '(+= $0 (== $1 1))'],
  ['(foo_t)a', '(cast $0)'],
  ['(foo_t)(a)', '(cast $0)'],
  ['(foo_t *)p', '(cast $2)'],
  ['(a)(b)', '$0($1)'],
  ['(a) + 1', '(+ $0 1)'],
  ['(a) - b', '(- $0 $1)'],
  ['sizeof(int) + 1', '(+ sizeof 1)'],
  ['-sizeof a', '(- sizeof)'],
  ['"a" "b\\x41\\n"', '"abA\\n"'],
  ["'a' + '\\n' + '\\0' + '\\xff'", '(+ (+ (+ 97 10) 0) -1)'],
  ['0x10 + 010 + 0b11', '(+ (+ 16 8) 3)'],
  ['NULL', '(cast 0)'],
  ['-EINVAL', '(- 22)'],
  ['true', '1'],
  ['MODULE_STATE_GOING', '2'],
  ['container_of(p, struct x, a.b[1])', 'container($2, a.b[1])'],
  ['list_entry(p, struct x, list)', 'container($2, list)'],
  ['list_first_entry(&head, struct x, list)', 'container((& head)->next, list)'],
  ['offsetof(struct x, a.b)', 'offsetof(a.b)'],
  ['READ_ONCE(a)', '$0'],
  ['WRITE_ONCE(a, 1)', '(= $0 1)'],
  ['likely(a) || unlikely(!b)', '(|| $0 (! $1))'],
  ['({ int t = a; t + 1; })', '{$3=$0; (+ $3 1);}'],
  ['__func__', '"f"'],
  ['UNHEARD_OF', 'UNHEARD_OF'],
  ['unheard_of(a)', 'unheard_of($0)'],
  ['IS_ENABLED(CONFIG_MODULES) + IS_ENABLED(CONFIG_NOPE)', '(+ 1 0)'],
])('%s', (text, expected) => {
  expect(body(`${text};`)).toEqual([`${expected};`]);
});

test('what cannot be read is unknown, and the rest stays', () => {
  expect(body('g(1 + );\nh(2);')).toEqual(['g((+ 1 <>));', 'h(2);']);
  expect(body('asm volatile("nop");\nh(2);')).toEqual(['<<asm volatile("nop");>>', 'h(2);']);
  expect(body('if (a b) { c(); }\nh(2);').at(-1)).toBe('h(2);');
  expect(unknowns(lowered(read('void f(void) { g(1.5); }'), 'f').body)).toEqual(['1.5']);
});

test('the text of an unknown does not depend on how it is spaced', () => {
  const one = unknowns(lowered(read('void f(void) { asm("x" : "=r"(a)); }'), 'f').body);
  const other = unknowns(lowered(read('void f(void)\n{\n asm ( "x"\n: "=r" ( a ) ) ;\n}'), 'f').body);
  expect(one).toHaveLength(1);
  expect(other).toEqual(one);
});

test.each([
  ['if (a) g(); else if (b) h(); else { i(); j(); }', 'if $0 {g();} else {if $1 {h();} else {i(); j();}}'],
  ['while (a) b--;', 'while($0;) {($1 --);}'],
  ['do { g(); } while (a);', 'do($0;) {g();}'],
  ['for (int i = 0; i < 3; i++) g(i);', '{$3=0; while((< $3 3);($3 ++)) {g($3);}}'],
  ['for (;;) break;', 'while(;) {break;}'],
  [
    'switch (a) { case 1: case 2 ... 4: g(); break; default: h(); }',
    'switch $0 {case 1: case 2...4: g(); break; default: h();}',
  ],
  ['again: g(); goto again;', 'again: g(); goto again;'],
  ['return;', 'return;'],
  ['int x = 1, *q = &x, y[2] = { 1, 2 };', '$3=1; $4=(& $3); $5={};'],
  ['foo_t *q = g(); foo_t r;', '$3=g(); $4;'],
  ['{ int a = 1; g(a); } g(a);', '{$3=1; g($3);} g($0);'],
  ['typedef int t; t x = 1; g((t)x);', '$3=1; g((cast $3));'],
  ['struct x y = {}; typeof(a) z = a;', '$3={}; $4=$0;'],
  ['list_for_each_entry(p, &head, list) { g(p); }', 'list_for_each_entry($2, (& head), list) {g($2);}'],
  ['for_each_online_cpu(a) g(a);', 'for_each_online_cpu($0) {g($0);}'],
  ['scoped_guard(mutex, &lock) g();', 'scoped_guard(mutex, (& lock)) {g();}'],
  ['swap(a, b);', 'do(0;) {$3=$0; (= $0 $1); (= $1 $3);}'],
])('%s', (text, expected) => {
  expect(body(text).join(' ')).toBe(expected);
});

test('iteration macros name their members', () => {
  const at = (text: string): Readonly<Record<number, string>> => {
    const first = lowered(read(`void f(struct x *p, struct x *n, struct x *list)\n{\n${text}\n}`), 'f')
      .body[0];
    if (first?.k !== 'iterate') throw new Error('no iteration');
    return first.names;
  };
  expect(at('list_for_each_entry(p, &head, list) g(p);')).toEqual({ 2: 'list' });
  expect(at('list_for_each_entry_safe(p, n, &head, list) { }')).toEqual({ 3: 'list' });
  expect(at('hash_for_each_possible(table, p, node, 1) { }')).toEqual({ 2: 'node' });
});

test('static locals are variables of their own', () => {
  const ir = lowered(read('int f(void)\n{\n\tstatic int count = 3;\n\treturn count++;\n}'), 'f');
  expect(ir.statics.map(({ name, static: is, init }) => [name, is, init?.k])).toEqual([
    ['f.count', true, 'value'],
  ]);
  expect(ir.body.map(briefStatement)).toEqual(['return (f.count ++);']);
  expect(ir.locals).toEqual([]);
});

test('a clean-up annotation is kept', () => {
  const ir = lowered(
    read('void f(void)\n{\n\tchar *p __free(kfree) = g();\n\tint x __cleanup(done) = 1;\n}'),
    'f',
  );
  expect(ir.locals.map(({ name, cleanup }) => [name, cleanup])).toEqual([
    ['p', 'kfree'],
    ['x', '&done'],
  ]);
});

// Types, by the rules of C on LP64.
test.each([
  ['1', 's32'],
  ['1u', 'u32'],
  ['1L', 's64'],
  ['1UL', 'u64'],
  ['2147483648', 's64'],
  ['0x80000000', 'u32'],
  ['0xffffffffffffffff', 'u64'],
  ['c + c', 's32'],
  ['c', 's8'],
  ['b', 'bool'],
  ['!c', 's32'],
  ['-u8v', 's32'],
  ['i + u', 'u32'],
  ['i + l', 's64'],
  ['u + l', 's64'],
  ['l + ul', 'u64'],
  ['i < u', 's32'],
  ['u8v << 1', 's32'],
  ['ul << i', 'u64'],
  ['i << ul', 's32'],
  ['p + 1', 's8*'],
  ['p - p', 's64'],
  ['*p', 's8'],
  ['&i', 's32*'],
  ['arr', 's32[4]'],
  ['arr[1]', 's32'],
  ['arr + 1', 's32*'],
  ['&arr', 's32[4]*'],
  ['s.a', 's32'],
  ['sp->next->b', 'u8[3]'],
  ['sp->inner', 's64'],
  ['i ? l : u', 's64'],
  ['i ? p : NULL', 's8*'],
  ['(u8)i', 'u8'],
  ['i, ul', 'u64'],
  ['i = ul', 's32'],
  ['sizeof(i)', 'u64'],
  ['fn(1)', 'u64'],
  ['fp(1)', 's32*'],
  ['e', 'u32'],
  ['ONE', 's32'],
  ['"abc"', 's8[4]'],
  ["'a'", 's32'],
  ['unheard', '?'],
  ['unheard + 1', '?'],
  ['(size_t)1', 'u64'],
  ['({ ul; })', 'u64'],
  ['klp_get_state(p, 1)', 'struct klp_state*'],
  ['klp_get_state(p, 1)->version', 'u32'],
  ['sp->f(1)', 'bool'],
])('the type of %s is %s', (text, expected) => {
  const value = returned(`
struct s { int a; unsigned char b[3]; struct s *next; bool (*f)(int); struct { long inner; }; };
enum e { ONE = 1 };
unsigned long fn(int x);
static int *(*fp)(int);
int f(void)
{
	char c = 0, *p = 0; bool b; u8 u8v; int i, arr[4]; unsigned u; long l; unsigned long ul; struct s s, *sp; enum e e;
	return ${text};
}`);
  expect(typeText(value.type)).toBe(expected);
});

test('comparison is done in the common type: -1 < 1u compares as unsigned', () => {
  const value = returned('int f(void) { return -1 < 1u; }');
  if (value.k !== 'binary') throw new Error('no comparison');
  expect([typeText(value.operands), typeText(value.type)]).toEqual(['u32', 's32']);
});

test('64-bit values that a double cannot hold are bigints', () => {
  expect(returned('int f(void) { return 0xffffffffffffffff; }')).toMatchObject({
    value: 0xffffffffffffffffn,
  });
  expect(returned('int f(void) { return 0xffffffff; }')).toMatchObject({ value: 0xffffffff });
});

test('arrays take their length from the initialiser', () => {
  const unit = read(`
static int a[] = { 1, 2, 3 };
static int b[] = { [4] = 1, 2 };
static char c[] = "abc";
static struct klp_func d[] = { { .old_name = "x" }, {} };
enum { N = 2 };
static int e[N + 1][N * 2];
int f(void) { return ARRAY_SIZE(a) + ARRAY_SIZE(b) + ARRAY_SIZE(c) + ARRAY_SIZE(d) + ARRAY_SIZE(e[0]); }`);
  expect(lowered(unit, 'f').body.map(briefStatement)).toEqual(['return (+ (+ (+ (+ 3 6) 4) 2) 4);']);
  expect(typeText(unit.variables.get('e')?.type ?? { k: 'void' })).toBe('s32[4][3]');
});

test('initialisers keep order, designators and nesting', () => {
  const init = initialiser(`
static struct klp_object v[] = {
	{ .name = NULL, .funcs = (struct klp_func[]) { { "a", b }, {} }, .callbacks = { .pre_patch = p, .post_patch = q } },
	[1].name = "m",
	[2 ... 3] = {},
};`);
  if (init.k !== 'list') throw new Error('no list');
  expect(
    init.elements.map((one) => one.designators.map((d) => (d.k === 'field' ? d.name : 'index'))),
  ).toEqual([[], ['index', 'name'], ['index']]);
  const first = init.elements[0]?.init;
  if (first?.k !== 'list') throw new Error('no list');
  expect(first.elements.map((one) => one.designators[0])).toEqual([
    { k: 'field', name: 'name' },
    { k: 'field', name: 'funcs' },
    { k: 'field', name: 'callbacks' },
  ]);
  const funcs = first.elements[1]?.init;
  expect(funcs?.k === 'value' && funcs.value.k === 'compound' && typeText(funcs.value.type)).toBe(
    'struct klp_func[2]',
  );
});

test('an element that cannot be read is unknown, never left out', () => {
  const init = initialiser('static int v[] = { 1, 2 3, , 4 };');
  if (init.k !== 'list') throw new Error('no list');
  expect(init.elements.map((one) => (one.init.k === 'value' ? one.init.value.k : 'list'))).toEqual([
    'int',
    'unknown',
    'unknown',
    'int',
  ]);
});

test('types as arguments are kept as types', () => {
  const value = returned('int f(void) { return kzalloc_obj(struct x) + va_arg(ap, unsigned long); }');
  if (value.k !== 'binary' || value.left.k !== 'call' || value.right.k !== 'call')
    throw new Error('no calls');
  expect(typeText(value.left.typeArgs?.[0] ?? { k: 'void' })).toBe('struct x');
  expect(typeText(value.right.type)).toBe('u64');
});

test('macros that declare variables', () => {
  const unit = read(
    'static LIST_HEAD(head);\nstatic void fn(struct work_struct *w);\nstatic DECLARE_WORK(work, fn);\nDEFINE_PER_CPU(unsigned long, counter);\nstatic DEFINE_MUTEX(lock);\n',
  );
  expect([...unit.variables].map(([name, { static: is, type }]) => [name, is, typeText(type)])).toEqual([
    ['head', true, 'struct list_head'],
    ['work', true, 'struct work_struct'],
    ['counter', false, 'u64'],
    ['lock', true, 'struct mutex'],
  ]);
  expect(unit.calls.map(({ macro, args }) => [macro, ...args])).toEqual([
    ['LIST_HEAD', 'head'],
    ['DECLARE_WORK', 'work', 'fn'],
    ['DEFINE_PER_CPU', 'unsigned long', 'counter'],
    ['DEFINE_MUTEX', 'lock'],
  ]);
});

test('positions point at the text, those of a macro at its name', () => {
  const text = '#define CALL(x) target(x)\nvoid f(void)\n{\n\tCALL(1);\n\tother(2);\n}\n';
  const ir = lowered(read(text), 'f');
  const at = (n: number): string => {
    const { base, table } = ir.positions;
    return text.slice(base + (table[2 * n] ?? 0), base + (table[2 * n + 1] ?? 0));
  };
  const [first, second] = ir.body;
  if (first?.k !== 'expression' || second?.k !== 'expression') throw new Error('no statements');
  expect(first.value.k === 'call' && first.value.callee.k === 'name' && at(first.value.callee.at)).toBe(
    'CALL',
  );
  expect(at(second.at)).toBe('other(2)');
  expect(brief(first.value)).toBe('target(1)');
});
