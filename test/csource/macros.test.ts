import { expect, test } from 'vitest';
import { Expander, TokenList } from '../../server/src/core/csource/expand';
import { lex } from '../../server/src/core/csource/lexer';
import { MacroTable } from '../../server/src/core/csource/macro-table';
import { preprocess, stretches } from '../../server/src/core/csource/preprocess';
import { tokenText } from '../../server/src/core/csource/token-text';
import { brief, briefStatement, initialiser, lowered, read, returned } from './reader';

/** The text's tokens after preprocessing, a blank between any two. */
function expand(text: string): string {
  const tokens = lex(text);
  const { root, macros } = preprocess({
    file: 'main.c',
    tokens,
    provider: { text: () => undefined, resolve: () => undefined },
    base: new MacroTable(null),
    decided: new Set(),
    lexed: () => undefined,
    place: (file, start, end) => ({ file, start, end }),
  });
  const out = new TokenList();
  new Expander(macros).expand(stretches(root, 0, tokens.count), out);
  return Array.from({ length: out.count }, (_, i) =>
    tokenText(out.kind[i] as number, out.id[i] as number),
  ).join(' ');
}

function same(text: string, expected: string): void {
  const tokens = lex(expected);
  const parts = Array.from({ length: tokens.count }, (_, i) =>
    expected.slice(tokens.start[i], tokens.end[i]),
  );
  expect(expand(text)).toBe(parts.join(' '));
}

// The examples of the C standard (C11 6.10.3.5).
const EXAMPLE_3 = `
#define x 3
#define f(a) f(x * (a))
#undef x
#define x 2
#define g f
#define z z[0]
#define h g(~
#define m(a) a(w)
#define w 0,1
#define t(a) a
#define p() int
#define q(x) x
#define r(x,y) x ## y
#define str(x) # x
`;

test('C11 6.10.3.5 example 3: rescanning', () => {
  same(
    `${EXAMPLE_3}f(y+1) + f(f(z)) % t(t(g)(0) + t)(1);`,
    'f(2 * (y+1)) + f(2 * (f(2 * (z[0])))) % f(2 * (0)) + t(1);',
  );
  same(
    `${EXAMPLE_3}g(x+(3,4)-w) | h 5) & m\n(f)^m(m);`,
    'f(2 * (2+(3,4)-0,1)) | f(2 * (~ 5)) & f(2 * (0,1))^m(0,1);',
  );
  same(`${EXAMPLE_3}p() i[q()] = { q(1), r(2,3), r(4,), r(,5), r(,) };`, 'int i[] = { 1, 23, 4, 5, };');
  same(`${EXAMPLE_3}char c[2][6] = { str(hello), str() };`, 'char c[2][6] = { "hello", "" };');
});

const EXAMPLE_4 = `
#define str(s) # s
#define xstr(s) str(s)
#define debug(s, t) printf("x" # s "= %d, x" # t "= %s", x ## s, x ## t)
#define INCFILE(n) vers ## n
#define glue(a, b) a ## b
#define xglue(a, b) glue(a, b)
#define HIGHLOW "hello"
#define LOW LOW ", world"
`;

test('C11 6.10.3.5 example 4: # and ##', () => {
  same(`${EXAMPLE_4}debug(1, 2);`, 'printf("x" "1" "= %d, x" "2" "= %s", x1, x2);');
  same(
    String.raw`${EXAMPLE_4}fputs(str(strncmp("abc\0d", "abc", '\4') == 0) str(: @\n), s);`,
    String.raw`fputs("strncmp(\"abc\\0d\", \"abc\", '\\4') == 0" ": @\n", s);`,
  );
  same(`${EXAMPLE_4}xstr(INCFILE(2).h)`, '"vers2.h"');
  same(`${EXAMPLE_4}glue(HIGH, LOW);`, '"hello";');
  same(`${EXAMPLE_4}xglue(HIGH, LOW)`, '"hello" ", world"');
});

test('C11 6.10.3.5 example 5: place markers', () => {
  same(
    '#define t(x,y,z) x ## y ## z\nint j[] = { t(1,2,3), t(,4,5), t(6,,7), t(8,9,), t(10,,), t(,11,), t(,,12), t(,,) };',
    'int j[] = { 123, 45, 67, 89, 10, 11, 12, };',
  );
});

test('C11 6.10.3.5 example 7: variable arguments', () => {
  const defines = `
#define debug(...) fprintf(stderr, __VA_ARGS__)
#define showlist(...) puts(#__VA_ARGS__)
#define report(test, ...) ((test)?puts(#test): printf(__VA_ARGS__))
`;
  same(
    `${defines}debug("Flag");\ndebug("X = %d\\n", x);`,
    'fprintf(stderr, "Flag"); fprintf(stderr, "X = %d\\n", x);',
  );
  same(
    `${defines}showlist(The first, second, and third items.);`,
    'puts("The first, second, and third items.");',
  );
  same(
    `${defines}report(x>y, "x is %d but y is %d", x, y);`,
    '((x>y)?puts("x>y"): printf("x is %d but y is %d", x, y));',
  );
});

test('GNU: a comma in front of empty variable arguments goes, named ones are known', () => {
  same('#define p(f, ...) k(f, ##__VA_ARGS__)\np("a") p("a", 1, 2)', 'k("a") k("a", 1, 2)');
  same('#define p(f, a...) k(f, ##a)\np("a") p("a", 1, 2)', 'k("a") k("a", 1, 2)');
  same('#define p(f, ...) k(f __VA_OPT__(,) __VA_ARGS__)\np(a) p(a, b)', 'k(a) k(a, b)');
});

test('arguments are not scanned again for parameters', () => {
  // Replacing one parameter after the other would give `a.a.x`.
  same('#define SHOW(x, a) x a\nSHOW(a.x, 1)', 'a.x 1');
});

test('a macro is that of its place', () => {
  same('A\n#define A 1\nA\n#undef A\nA\n#define A 2\nA', 'A 1 A 2');
});

test('a call may stretch over lines and directives', () => {
  same('#define F(a, b) a + b\nF(1,\n#if 0\n3\n#else\n2\n#endif\n)', '1 + 2');
  same('#define F(a) [a]\nF (1) F', '[1] F');
});

test('a macro whose body is a brace list is an initialiser', () => {
  const init = initialiser(`
#define FN(a, b) { .old_name = #a, .new_func = b, }
static struct klp_func v[] = { FN(one, new_one), FN(two, new_two), {} };`);
  if (init.k !== 'list') throw new Error('no list');
  expect(init.elements).toHaveLength(3);
  const first = init.elements[0]?.init;
  if (first?.k !== 'list') throw new Error('no list');
  expect(first.elements.map((e) => (e.init.k === 'value' ? brief(e.init.value) : ''))).toEqual([
    '"one"',
    'new_one',
  ]);
});

test('pasting in a declarator', () => {
  const unit = read(
    '#define CAT(a, b) a##b\nstatic int CAT(my, _var) = 3;\nint CAT(f, 1)(void) { int CAT(l, 1) = 2; return l1; }',
  );
  expect([...unit.variables.keys()]).toEqual(['my_var']);
  expect(lowered(unit, 'f1').body.map(briefStatement)).toEqual(['$0=2;', 'return $0;']);
});

test('a macro that makes functions', () => {
  const unit = read(
    '#define CALLBACK(n) static int n##_callback(struct klp_object *obj) { return n(obj); }\nCALLBACK(pre)\nCALLBACK(post);\n',
  );
  expect([...unit.functions.keys()]).toEqual(['pre_callback', 'post_callback']);
  expect(lowered(unit, 'post_callback').body.map(briefStatement)).toEqual(['return post($0);']);
});

test('the value of a statement expression is its last expression', () => {
  expect(brief(returned('int f(int a, int b) { return max(a, b); }'))).toBe(
    '{$2=$0; $3=$1; (? (> $2 $3) $2 $3);}',
  );
});

test('pr_fmt is applied at the call, with the name of the calling function', () => {
  const unit = read(`
#define pr_fmt(fmt) KBUILD_MODNAME ": %s: " fmt, __func__
int f(void) { pr_info("a %d\\n", 1); printk(KERN_INFO "b\\n"); return 0; }`);
  expect(lowered(unit, 'f').body.map(briefStatement)).toEqual([
    'pr_info("\ue000KBUILD_MODNAME\ue001: %s: a %d\\n", "f", 1);',
    'printk("b\\n");',
    'return 0;',
  ]);
  expect(briefStatement(lowered(read('int f(void) { pr_info("x\\n"); }'), 'f').body[0] as never)).toBe(
    'pr_info("x\\n");',
  );
});

test('expansion is bounded', () => {
  const doubling = Array.from({ length: 40 }, (_, i) => `#define A${i} A${i + 1} A${i + 1}`).join('\n');
  // Unbounded, either would be 2 to the power of some 40 or 300 tokens: the test would not end.
  expect(read(`${doubling}\nint f(void) { A0; }`).lower('f')).toBeDefined();
  const nested = `#define F(x) x x\nint v = ${'F('.repeat(300)}1${')'.repeat(300)};`;
  expect(read(nested).variable('v')).toBeDefined();
});
