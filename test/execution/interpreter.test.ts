import { beforeAll, expect, test, vi } from 'vitest';
import { Interpreter, STEP_BUDGET } from '../../server/src/core/execution/interpreter';
import { linesOf, load, startParser } from './machine-kit';

beforeAll(startParser);

/** What an init with this body prints. */
function printed(body: string, before = ''): string[] {
  return linesOf(`${before}\nstatic int start(void)\n{\n${body}\n\treturn 0;\n}\nmodule_init(start);\n`);
}

function run(body: string, before = '', flip?: number) {
  const text = `${before}\nstatic int start(void)\n{\n${body}\n\treturn 0;\n}\nmodule_init(start);\n`;
  const loaded = load(text, {}, flip === undefined ? {} : { flip });
  return { ...loaded, result: loaded.machine.init(1) };
}

test('pr_fmt, __func__ and KBUILD_MODNAME stand in front of what pr_info prints', () => {
  expect(printed('pr_info("%s\\n", __func__);', '#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt')).toEqual([
    'test: start',
  ]);
});

test('-1 < 1u is false, and 64 bits of -1 print as ff…f', () => {
  expect(printed('pr_info("%d %lx\\n", -1 < 1u, -1L);')).toEqual(['0 ffffffffffffffff']);
});

test('a list is walked, entries are deleted while it is', () => {
  const before = `
struct item { int n; struct list_head list; };
static LIST_HEAD(items);
static void add(int n) { struct item *i = kzalloc(sizeof(*i), GFP_KERNEL); i->n = n; list_add_tail(&i->list, &items); }
`;
  const body = `
	struct item *i, *next;
	add(1); add(2); add(3);
	list_for_each_entry(i, &items, list) pr_info("%d\\n", i->n);
	list_for_each_entry_safe(i, next, &items, list) { if (i->n == 2) { list_del(&i->list); kfree(i); } }
	list_for_each_entry_reverse(i, &items, list) pr_info("%d\\n", i->n);
	pr_info("%d\\n", list_empty(&items));`;
  const { host } = run(body, before);
  expect(host.lines).toEqual(['1', '2', '3', '3', '1', '0']);
  expect(host.faults()).toEqual([]);
});

test('a goto leaves loops and enters blocks; a switch falls through', () => {
  const body = `
	int i, j;
	for (i = 0; i < 3; i++)
		for (j = 0; j < 3; j++)
			if (i * j == 2)
				goto found;
found:
	pr_info("%d %d\\n", i, j);
	if (i == 1)
		goto inside;
	if (i == 7) {
		pr_info("not here\\n");
inside:
		pr_info("inside\\n");
	}
	switch (j) {
	case 2:
		pr_info("two\\n");
	case 0 ... 1:
		pr_info("fallen\\n");
		break;
	default:
		pr_info("no\\n");
	}`;
  expect(printed(body)).toEqual(['1 2', 'inside', 'two', 'fallen']);
});

test('an unknown result takes the way of success: 0 for int, not NULL for a pointer', () => {
  const body = `
	struct thing *t = make_thing();
	int ret;
	if (!t) return -ENOMEM;
	ret = start_thing(t);
	if (ret < 0) { pr_info("failed\\n"); return ret; }
	pr_info("started\\n");`;
  const before = 'struct thing; struct thing *make_thing(void); int start_thing(struct thing *t);';
  const good = run(body, before);
  expect(good.result).toBe(0);
  expect(good.host.lines).toEqual(['started']);
  expect(good.host.unknowns.map((reason) => `${reason.kind} ${reason.text}`)).toEqual([
    'opaque-call make_thing',
    'opaque-call start_thing',
  ]);
  expect(good.machine.decisions().map((d) => d.taken)).toEqual([false, false]);

  const first = run(body, before, 0);
  expect(first.result).toBe(-12);
  expect(first.host.lines).toEqual([]);

  const second = run(body, before, 1);
  expect(second.host.lines).toEqual(['failed']);
  expect(second.result).toBeLessThan(0);
});

test('one unknown has one answer: what depends on it is not decided again', () => {
  const body = `
	int ret = do_it();
	if (!ret) pr_info("ok\\n");
	if (ret) pr_info("not zero\\n");
	if (ret < 0) pr_info("negative\\n");`;
  const good = run(body, 'int do_it(void);');
  expect(good.host.lines).toEqual(['ok']);
  expect(good.machine.decisions()).toHaveLength(1);
  const bad = run(body, 'int do_it(void);', 0);
  expect(bad.host.lines).toEqual(['not zero', 'negative']);
});

test('each value of a mode that nobody knows can be tried', () => {
  const body = `
	switch (kernel_mode) { case 1: pr_info("one\\n"); break; case 2: pr_info("two\\n"); break; default: pr_info("other\\n"); }`;
  const before = 'extern int kernel_mode;';
  expect(run(body, before).host.lines).toEqual(['other']);
  expect(run(body, before, 0).host.lines).toEqual(['one']);
  expect(run(body, before, 1).host.lines).toEqual(['two']);
  expect(run(body, before).machine.decisions()).toHaveLength(2);
});

test('a constant without a header equals itself only', () => {
  const body = `
	int id = MY_ID;
	pr_info("%d %d %s %d\\n", id == MY_ID, id == OTHER_ID, (id | FLAG) == (MY_ID | FLAG) ? "same" : "not", id);`;
  expect(printed(body)).toEqual(['1 0 same MY_ID']);
});

test('a kernel variable that gets its old value back is restored', () => {
  const body = `
	saved = console_loglevel;
	console_loglevel = 15;
	pr_info("%d\\n", console_loglevel);`;
  const text = (rest: string) =>
    `static int saved;\nstatic int start(void) {${body}${rest} return 0; }\nmodule_init(start);`;
  const changed = load(text(''));
  changed.machine.init(1);
  expect(changed.host.lines).toEqual(['15']);
  expect(changed.machine.effects().map((effect) => effect.key)).toEqual(['console_loglevel']);
  const restored = load(text('console_loglevel = saved;'));
  restored.machine.init(1);
  expect(restored.machine.effects()).toEqual([]);
  expect(restored.host.events.map((event) => event.k)).toEqual(['done', 'undone']);
});

test('NULL, freed memory and a second free are faults at their places, and the run goes on', () => {
  const body = `
	struct point { int x; } *p = NULL, *q = kmalloc(sizeof(*q), GFP_KERNEL);
	p->x = 1;
	kfree(q);
	q->x = 2;
	kfree(q);
	pr_info("still here\\n");`;
  const { host } = run(body);
  expect(host.events.flatMap((event) => (event.k === 'fault' ? [event.fault] : []))).toEqual([
    'null-dereference',
    'use-after-free',
    'double-free',
  ]);
  expect(host.lines).toEqual(['still here']);
});

test('the address of a local that outlives its function dangles', () => {
  const { host } = run(
    'pr_info("%d\\n", *get());',
    'static int *get(void) { int local = 3; int *p = &local; return p; }',
  );
  expect(host.faults()).toHaveLength(1);
  expect(host.faults()[0]).toMatch(/^use-after-free/);
});

test('an endless loop and endless recursion end with a spent budget', () => {
  const loop = run('for (;;) ;');
  expect(loop.host.unknowns.map((reason) => reason.kind)).toContain('budget');
  const recursion = run('down(1);', 'static int down(int n) { return down(n + 1); }');
  expect(recursion.host.unknowns.map((reason) => reason.kind)).toContain('budget');
});

test('a loop that puts an unknown on top of itself makes nothing be worked out that steps do not pay for', () => {
  const known = Interpreter.prototype.compute;
  const body = 'while (n |= *n << n) ; while (1) if (n) ;';
  for (const flip of [undefined, 2]) {
    let worked = 0;
    const compute = vi.spyOn(Interpreter.prototype, 'compute').mockImplementation(function (
      this: Interpreter,
      ...operands
    ) {
      // Thrown, since without a bound this would not come to its end.
      if (++worked > 32 * STEP_BUDGET) throw new Error('each look works all of it out again');
      return known.apply(this, operands);
    });
    const { host, machine } = run(body, 'static int n = 3;', flip);
    compute.mockRestore();
    expect(host.unknowns.map((reason) => reason.kind)).toContain('budget');
    expect(worked).toBeLessThan(32 * machine.spent);
  }
});

test('what a loop without an end leaves behind costs steps: unknowns and faults are looked at long after it', () => {
  const calls = run('for (;;) strange();').host.unknowns;
  expect(calls.at(-1)?.text).toBe('the call runs too long');
  expect(calls.length).toBeLessThan(5_000);
  const faults = run('int *p = NULL; for (;;) *p = 1;').host;
  expect(faults.unknowns.map((reason) => reason.text)).toEqual(['the call runs too long']);
  expect(faults.faults().length).toBeLessThan(STEP_BUDGET / 25 + 1);
});

test('an iteration macro that nobody knows runs its body once, or not at all when flipped', () => {
  const body = '\tstruct net_device *dev;\n\tfor_each_odd_device(dev) { pr_info("device\\n"); }';
  expect(run(body).host.lines).toEqual(['device']);
  expect(run(body, '', 0).host.lines).toEqual([]);
});

test('an element that cannot be evaluated is unknown, never the zero that ends an array', () => {
  const before = `
struct entry { const char *name; unsigned long id; };
static struct entry table[] = { { "a", 1 }, { SOME_MACRO(b), strange_thing(3) }, { "c", 3 }, { } };
`;
  const { host } = run(
    'struct entry *e; for (e = table; e->name || e->id; e++) pr_info("%s %lu\\n", e->name, e->id);',
    before,
  );
  expect(host.lines).toHaveLength(3);
  expect(host.lines[0]).toBe('a 1');
  expect(host.lines[2]).toBe('c 3');
});

test('two units may both have a static function and a static variable of the same name', () => {
  const one =
    'int from_two(void);\nstatic int n = 1;\nstatic int get(void) { return n; }\nstatic int start(void) { pr_info("%d %d\\n", get(), from_two()); return 0; }\nmodule_init(start);';
  const two = 'static int n = 2;\nstatic int get(void) { return n; }\nint from_two(void) { return get(); }';
  const { host, machine } = load([one, two]);
  machine.init(1);
  expect(host.lines).toEqual(['1 2']);
});

test('what an opaque function was given the address of is no longer known', () => {
  const { host } = run(
    'int n = 3, m = 4; change(&n, m); pr_info("%d %d\\n", n, m);',
    'void change(int *p, int q);',
  );
  expect(host.lines).toEqual(['<?> 4']);
});

test('error pointers keep their errno', () => {
  const body =
    '\tvoid *p = ERR_PTR(-ENOMEM);\n\tpr_info("%d %d %ld %d\\n", !p, IS_ERR(p), PTR_ERR(p), IS_ERR(NULL));';
  expect(printed(body)).toEqual(['0 1 -12 0']);
});

test('9,000 elements are walked within the time limit of a test: looking through all of them for each is not', () => {
  const n = 9_000;
  const table = `
struct f { const char *old; int n; };
static struct f t[] = { ${Array.from({ length: n }, (_, i) => `{ .old = "f${i}", .n = ${i} },`).join(' ')} { } };`;
  const body = 'struct f *f; int s = 0; for (f = t; f->old; f++) s += f->n; pr_info("%d\\n", s);';
  expect(run(body, table).host.lines).toEqual([String((n * (n - 1)) / 2)]);
});

test('heap memory as an array: the first element is what the pointer points at', () => {
  const body = `
	int *p = kmalloc(4 * sizeof(int), GFP_KERNEL), *q;
	p[1] = 5; p[0] = 3; p[2] = 7; *p += 1;
	q = p + 2; q[-2]++; *(q - 1) += 10;
	pr_info("%d %d %d %d\\n", p[0], p[1], *q, (int)(q - p));`;
  expect(printed(body)).toEqual(['5 15 7 2']);
});

test('structs on the heap, one after the other, and copied whole', () => {
  const before = 'struct s { int a; struct { u8 b[2]; } in; };';
  const body = `
	struct s *p = kcalloc(3, sizeof(*p), GFP_KERNEL), *q = p + 1, one;
	p->a = 1; q->a = 2; p[2].in.b[1] = 9; q->in = p[2].in; one = *q; *p = one;
	pr_info("%d %d %d %d\\n", p->a, p[0].in.b[1], one.in.b[0], q == &p[1]);`;
  expect(printed(body, before)).toEqual(['2 9 0 1']);
});

test('a struct inside a union is read and written as a whole', () => {
  const before = 'struct pair { u16 lo, hi; }; union both { u32 whole; struct pair pair; };';
  const body = `
	union both u = { .whole = 0x00020001 };
	struct pair p = u.pair;
	p.hi = 7;
	u.pair = p;
	pr_info("%d %d %x\\n", p.lo, p.hi, u.whole);`;
  expect(printed(body, before)).toEqual(['1 7 70001']);
});
