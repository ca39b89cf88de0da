/**
 * Makes small C functions from a seed: integers of every width, structs, arrays, pointers, control flow, macros,
 * printf. All of it is defined behaviour under -fwrapv -fno-strict-aliasing, with one order of evaluation.
 */

/** Goes in front of the functions in both readings. */
export const PRELUDE = `
#define CAT(a, b) a##b
#define XCAT(a, b) CAT(a, b)
#define STR(x) #x
#define XSTR(x) STR(x)
#define BIGGER(a, b) ({ typeof(a) _a = (a); typeof(b) _b = (b); _a > _b ? _a : _b; })
#define SHOW(x) pr_info("%s=%lld\\n", #x, (long long)(x))
#define LOG(fmt, ...) pr_info("log: " fmt "\\n", ##__VA_ARGS__)
#define TWICE(x) ((x) + (x))
#define SEVEN 7
#define ORDER(...) __VA_ARGS__

enum colour { RED, GREEN = 5, BLUE, LAST = BLUE + 10 };

struct point { s16 x; s32 y; };
struct packet {
	u8 kind;
	struct point at;
	u16 length;
	s64 total;
	u8 data[5];
	struct { s8 low; u32 high; } inner;
	const char *name;
};
struct flags { unsigned int a : 3; unsigned int b : 5; int c : 4; u8 d; };
union word { u32 whole; u16 half[2]; u8 byte[4]; struct { u16 lo, hi; } pair; };
struct node { int value; struct node *next; };
struct mixed { char tag; union { u64 wide; u8 raw[8]; }; u16 tail; };

static int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
static u32 mix(u32 a, u32 b) { a ^= b * 2654435761u; a = (a << 13) | (a >> 19); return a + 77; }
static int counter(int by) { static int n = 3; n += by; return n; }
static struct point shift_point(struct point p, int by) { p.x += by; p.y -= by; return p; }
static void bump(int *p, int by) { *p += by; }
static void fill(u8 *p, int n, int with) { int i; for (i = 0; i < n; i++) p[i] = with + i; }
static int apply(int (*fn)(int), int n) { return fn(n); }
static int square(int n) { return n * n; }
static int length(const char *s) { const char *p = s; while (*p) p++; return p - s; }
static int sum_list(struct node *n) { int s = 0; for (; n; n = n->next) s += n->value; return s; }
`;

const TYPES = [
  'u8',
  's8',
  'u16',
  's16',
  'u32',
  's32',
  'u64',
  's64',
  'int',
  'unsigned int',
  'long',
  'unsigned long',
  'bool',
  'char',
  'short',
];
const FORMATS: Readonly<Record<string, string>> = {
  u8: '%u',
  s8: '%d',
  u16: '%hu',
  s16: '%hd',
  u32: '%u',
  s32: '%d',
  u64: '%llu',
  s64: '%lld',
  int: '%d',
  'unsigned int': '%x',
  long: '%ld',
  'unsigned long': '%lx',
  bool: '%d',
  char: '%d',
  short: '%d',
};

/** A small generator of pseudo-random numbers (mulberry32). */
export class Random {
  constructor(private state: number) {}

  /** A whole number from 0 to n - 1. */
  below(n: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }
}

interface Variable {
  readonly name: string;
  readonly type: string;
}

class FunctionText {
  private readonly vars: Variable[] = [];
  private readonly lines: string[] = [];
  private labels = 0;
  private temps = 0;

  constructor(
    private readonly random: Random,
    private readonly name: string,
  ) {}

  text(): string {
    const count = 3 + this.random.below(4);
    for (let i = 0; i < count; i++) this.declare(`v${i}`);
    const statements = 4 + this.random.below(7);
    for (let i = 0; i < statements; i++) this.statement(1, 2);
    for (const v of this.vars) this.line(1, `pr_info("${v.name} ${FORMATS[v.type]}\\n", ${v.name});`);
    return `static void ${this.name}(void)\n{\n${this.lines.join('\n')}\n}\n`;
  }

  private declare(name: string): void {
    const type = this.random.pick(TYPES);
    const isStatic = this.random.below(8) === 0;
    this.line(
      1,
      isStatic ? `static ${type} ${name} = ${this.literal()};` : `${type} ${name} = ${this.expression(1)};`,
    );
    this.vars.push({ name, type });
  }

  private line(indent: number, text: string): void {
    this.lines.push('\t'.repeat(indent) + text);
  }

  private literal(): string {
    const r = this.random;
    switch (r.below(12)) {
      case 0:
        return `0x${r.below(0x7fffffff).toString(16)}`;
      case 1:
        return `${r.below(256)}u`;
      case 2:
        return `-${1 + r.below(300)}`;
      case 3:
        return `${r.below(1 << 30)}ull`;
      case 4:
        return `0x${(r.below(0x7fffffff) + 0x80000000).toString(16)}`;
      case 5:
        return `'${r.pick([...'azAZ09'])}'`;
      case 6:
        return r.pick([
          'SEVEN',
          'GREEN',
          'LAST',
          'RED',
          'true',
          'false',
          'sizeof(int)',
          'sizeof(struct packet)',
          'offsetof(struct packet, total)',
          "'\\n'",
          "'\\x41'",
          '0377',
          '-1',
          '-1L',
          '1UL',
          '~0u',
          '0x7fffffff',
          '-2147483647 - 1',
          '0xffffffffffffffffull',
          '9223372036854775807LL',
          'sizeof(struct mixed)',
          'sizeof(struct flags)',
          'sizeof(union word)',
        ]);
      default:
        return String(r.below(100));
    }
  }

  private atom(): string {
    if (this.vars.length > 0 && this.random.below(4) > 0) return this.random.pick(this.vars).name;
    return this.literal();
  }

  /** An expression without side effects. */
  private expression(depth: number): string {
    const r = this.random;
    if (depth <= 0 || r.below(6) === 0) return this.atom();
    const a = (): string => this.expression(depth - 1);
    switch (r.below(22)) {
      case 0:
      case 1:
      case 2:
        return `(${a()} ${r.pick(['+', '-', '*'])} ${a()})`;
      case 3:
        return `(${a()} ${r.pick(['&', '|', '^'])} ${a()})`;
      case 4:
        return `(${a()} ${r.pick(['<<', '>>'])} (${a()} & ${r.pick(['7', '15', '31'])}))`;
      case 5:
        return `(${a()} ${r.pick(['/', '%'])} ((${a()} & 15) + 1))`;
      case 6:
      case 7:
        return `(${a()} ${r.pick(['<', '>', '<=', '>=', '==', '!='])} ${a()})`;
      case 8:
        return `(${a()} ${r.pick(['&&', '||'])} ${a()})`;
      case 9:
        return `${r.pick(['-', '~', '!', '+'])}(${a()})`;
      case 10:
      case 11:
        return `(${r.pick(TYPES)})(${a()})`;
      case 12:
        return `(${a()} ? ${a()} : ${a()})`;
      case 13:
        return `(${a()} ?: ${a()})`;
      case 14:
        return `BIGGER(${a()}, ${a()})`;
      case 15:
        return `TWICE(${a()})`;
      case 16:
        return `mix(${a()}, ${a()})`;
      case 17:
        return `fib((${a()}) & 7)`;
      case 18:
        return `({ ${r.pick(TYPES)} t${depth} = ${a()}; t${depth} ${r.pick(['+=', '-=', '*=', '^=', '|=', '&='])} ${a()}; t${depth}; })`;
      case 19:
        return `(${a()}, ${a()})`;
      case 20:
        return `sizeof(${a()})`;
      default:
        return `square(${a()})`;
    }
  }

  private block(indent: number, depth: number, count: number): void {
    for (let i = 0; i < count; i++) this.statement(indent, depth);
  }

  private statement(indent: number, depth: number): void {
    const r = this.random;
    const v = r.pick(this.vars);
    const e = (n = 2): string => this.expression(n);
    switch (r.below(depth > 0 ? 34 : 12)) {
      case 0:
      case 1:
        return this.line(indent, `${v.name} = ${e(3)};`);
      case 2:
        return this.line(indent, `${v.name} ${r.pick(['+=', '-=', '*=', '&=', '|=', '^='])} ${e()};`);
      case 3:
        return this.line(indent, `${v.name} ${r.pick(['<<=', '>>='])} (${e(1)} & 7);`);
      case 4:
        return this.line(indent, `${v.name} ${r.pick(['/=', '%='])} ((${e(1)} & 15) + 1);`);
      case 5: {
        if (v.type === 'bool') return this.line(indent, `${v.name} = !${v.name};`);
        return this.line(indent, r.pick([`${v.name}++;`, `--${v.name};`, `++${v.name};`, `${v.name}--;`]));
      }
      case 6:
        return this.line(indent, `SHOW(${e(3)});`);
      case 7:
        return this.print(indent);
      case 8:
        return this.line(
          indent,
          `LOG("%d %s", (int)(${e()}), ${r.pick(['XSTR(SEVEN)', 'STR(SEVEN)', '__func__', '"x" "y"', 'XSTR(XCAT(v, 0))'])});`,
        );
      case 9: {
        const other = r.pick(this.vars);
        if (other === v || v.type === 'bool') return this.line(indent, `${v.name} = XCAT(v, 0);`);
        return this.line(indent, `${other.name} = ${v.name}${r.pick(['++', '--'])};`);
      }
      case 10:
        return this.line(indent, `${v.name} = counter((${e(1)}) & 3);`);
      case 11:
        return this.line(indent, `${v.name} = apply(${r.pick(['square', 'fib'])}, (${e(1)}) & 7);`);
      case 12:
      case 13: {
        this.line(indent, `if (${e()}) {`);
        this.block(indent + 1, depth - 1, 1 + r.below(2));
        if (r.below(2) === 0) {
          this.line(indent, '} else {');
          this.block(indent + 1, depth - 1, 1 + r.below(2));
        }
        return this.line(indent, '}');
      }
      case 14:
      case 15: {
        const i = `i${this.temps++}`;
        this.line(indent, `for (int ${i} = 0; ${i} < ${1 + r.below(6)}; ${i}++) {`);
        if (r.below(3) === 0)
          this.line(indent + 1, `if (${i} == ${r.below(4)}) ${r.pick(['continue', 'break'])};`);
        this.line(indent + 1, `${v.name} ${r.pick(['+=', '^=', '-='])} ${i} * ${e(1)};`);
        this.block(indent + 1, depth - 1, 1);
        return this.line(indent, '}');
      }
      case 16: {
        const i = `w${this.temps++}`;
        this.line(
          indent,
          `{ int ${i} = ${2 + r.below(5)}; ${r.below(2) === 0 ? `while (${i}-- > 0)` : 'do'} {`,
        );
        this.line(indent + 1, `if ((${e(1)}) == ${i}) break;`);
        this.block(indent + 1, depth - 1, 1);
        this.lines.push(
          this.lines.some((l) => l.includes(`{ int ${i}`) && l.includes(' do {'))
            ? `${'\t'.repeat(indent)}} while (--${i} > 0); }`
            : `${'\t'.repeat(indent)}} }`,
        );
        return;
      }
      case 17:
      case 18: {
        this.line(indent, `switch ((${e()}) & 15) {`);
        this.line(indent, `case ${r.below(3)}:`);
        this.block(indent + 1, depth - 1, 1);
        if (r.below(2) === 0) this.line(indent + 1, 'break;');
        this.line(indent, `case 4 ... ${5 + r.below(3)}:`);
        this.block(indent + 1, depth - 1, 1);
        if (r.below(2) === 0) this.line(indent + 1, 'break;');
        if (r.below(3) > 0) {
          this.line(indent, 'default:');
          this.block(indent + 1, depth - 1, 1);
        }
        this.line(indent, 'case 9:');
        this.line(indent + 1, `${v.name} = ${e(1)};`);
        return this.line(indent, '}');
      }
      case 19: {
        const label = `l${this.labels++}`;
        if (r.below(2) === 0) {
          this.line(indent, `if (${e()}) goto ${label};`);
          this.block(indent, 0, 2);
          return this.line(indent, `${label}:;`);
        }
        const n = `n${this.temps++}`;
        this.line(indent, `{ int ${n} = 0;`);
        this.line(indent, `${label}:`);
        this.block(indent, 0, 1);
        return this.line(indent, `if (++${n} < ${2 + r.below(3)}) goto ${label}; }`);
      }
      default:
        return this.objects(indent, depth, v);
    }
  }

  private objects(indent: number, _depth: number, v: Variable): void {
    const r = this.random;
    const e = (n = 1): string => this.expression(n);
    const n = this.temps++;
    const type = r.pick(TYPES.filter((t) => t !== 'bool'));
    const show = (text: string): string => `(long long)(${text})`;
    switch (r.below(14)) {
      case 0:
        this.line(
          indent,
          `{ ${type} a${n}[5] = { ${e()}, ${e()}, [3] = ${e()} }; ${type} *p${n} = a${n} + 1;`,
        );
        this.line(
          indent,
          `p${n} += 2; *p${n} += ${e()}; p${n}--; *p${n}++ = ${e()}; a${n}[(${e()}) & 3] ^= ${e()};`,
        );
        this.line(
          indent,
          `for (int k = 0; k < (int)(sizeof(a${n}) / sizeof(a${n}[0])); k++) pr_cont("%d:%lld ", k, ${show(`a${n}[k]`)});`,
        );
        this.line(indent, `pr_cont("%d %d\\n", (int)(p${n} - a${n}), p${n} == &a${n}[3]); }`);
        return;
      case 1:
        this.line(
          indent,
          `{ struct packet k${n} = { .kind = ${e()}, .at = { .x = ${e()}, ${e()} }, .data = { 1, 2, [4] = ${e()} }, .inner.high = ${e()}, .name = "pk" };`,
        );
        this.line(
          indent,
          `struct packet c${n} = k${n}, *p${n} = &c${n}; p${n}->length = ${e()}; p${n}->total -= ${e()}; p${n}->inner.low = ${e()}; p${n}->data[(${e()}) & 3]++;`,
        );
        this.line(indent, `k${n}.at = shift_point(p${n}->at, (${e()}) & 255);`);
        this.line(
          indent,
          `pr_info("%u %d %d %u %lld %u %d %x %s\\n", p${n}->kind, k${n}.at.x, k${n}.at.y, c${n}.length, (long long)c${n}.total, c${n}.data[2], c${n}.inner.low, c${n}.inner.high, p${n}->name); }`,
        );
        return;
      case 2:
        this.line(
          indent,
          `{ struct flags g${n} = { ${e()}, ${e()}, ${e()}, ${e()} }; g${n}.a += ${e()}; g${n}.c = ${e()}; g${n}.b--;`,
        );
        this.line(
          indent,
          `pr_info("%d %d %d %d %d\\n", g${n}.a, g${n}.b, g${n}.c, g${n}.d, g${n}.a > -1); }`,
        );
        return;
      case 3:
        this.line(
          indent,
          `{ union word w${n} = { .whole = ${e()} }; w${n}.byte[(${e()}) & 3] = ${e()}; w${n}.pair.hi += ${e()};`,
        );
        this.line(
          indent,
          `pr_info("%x %x %x %x\\n", w${n}.whole, w${n}.half[1], w${n}.byte[0], w${n}.pair.lo); }`,
        );
        return;
      case 4:
        this.line(
          indent,
          `{ int m${n}[3][4] = { { 1, 2 }, [1] = { ${e()}, [2] = ${e()} }, { 7 } }; int (*r${n})[4] = &m${n}[1]; int s = 0;`,
        );
        this.line(
          indent,
          `(*r${n})[3] = ${e()}; r${n}++; r${n}[0][1] = 5; m${n}[(${e()}) & 1][(${e()}) & 3] -= ${e()};`,
        );
        this.line(
          indent,
          `for (int i = 0; i < 3; i++) for (int j = 0; j < 4; j++) s = s * 3 + m${n}[i][j]; pr_info("m %d %d\\n", s, *(*(m${n} + 1) + 2)); }`,
        );
        return;
      case 5:
        this.line(
          indent,
          `{ struct node c${n} = { ${e()}, 0 }, b${n} = { ${e()}, &c${n} }, a${n} = { ${e()}, &b${n} }; b${n}.next->value++;`,
        );
        this.line(
          indent,
          `pr_info("list %d %d\\n", sum_list(&a${n}), a${n}.next->next == &c${n}); if (${e()}) a${n}.next = b${n}.next; pr_info("%d\\n", sum_list(&a${n})); }`,
        );
        return;
      case 6:
        this.line(
          indent,
          `{ char s${n}[] = "hello"; char t${n}[10] = "ab"; s${n}[(${e()}) & 3] = 'A' + ((${e()}) & 15); t${n}[2] = '!';`,
        );
        this.line(
          indent,
          `pr_info("%s %d %d [%s] [%7s] [%-7s] [%.2s] %c\\n", s${n}, (int)sizeof(s${n}), length(s${n}), t${n}, t${n}, s${n}, s${n}, s${n}[1]); }`,
        );
        return;
      case 7:
        this.line(
          indent,
          `{ int x${n} = ${e()}; int *p${n} = &x${n}, **q${n} = &p${n}; bump(p${n}, ${e()}); **q${n} *= 3; bump(*q${n}, 1); pr_info("%d %d\\n", x${n}, p${n} && *q${n} == &x${n}); }`,
        );
        return;
      case 8:
        this.line(
          indent,
          `{ u8 b${n}[6]; struct point z${n} = {}; const char *names${n}[] = { [RED] = "red", [2] = "two", "three" }; fill(b${n}, 6, ${e()}); z${n}.y = b${n}[5];`,
        );
        this.line(
          indent,
          `pr_info("%u %d %s %s %d %d\\n", b${n}[3], z${n}.y, names${n}[(${e()}) & 1 ? 3 : 0], names${n}[1] ? "set" : "null", (int)(sizeof(names${n}) / sizeof(names${n}[0])), z${n}.x); }`,
        );
        return;
      case 9:
        this.line(
          indent,
          `{ struct point z${n}[3] = { { 1, 2 }, { .y = ${e()} }, [2].x = ${e()} }, *p${n}; long long s = 0; for (p${n} = z${n}; p${n} < z${n} + 3; p${n}++) { p${n}->x ^= 5; s = s * 7 + p${n}->x - p${n}->y; }`,
        );
        this.line(
          indent,
          `pr_info("pts %lld %d\\n", s, (int)(p${n} - z${n})); *(z${n} + 1) = (struct point){ ${e()}, .y = 9 }; pr_info("%d %d\\n", z${n}[1].x, (z${n} + 1)->y); }`,
        );
        return;
      case 10:
        this.line(
          indent,
          `{ struct mixed x${n} = { .tag = 'q', .wide = ${e()}, .tail = ${e()} }, y${n}; x${n}.raw[(${e()}) & 7] ^= 0x5a; y${n} = x${n}; y${n}.raw[0]++; pr_info("%c %llx %u %u\\n", y${n}.tag, (unsigned long long)y${n}.wide, x${n}.raw[3], y${n}.tail); }`,
        );
        return;
      case 11:
        this.line(
          indent,
          `{ static ${type} g${n}[3] = { [1] = ${this.literal()} }; static int calls${n}; g${n}[calls${n}++ & 1] += ${e()}; pr_info("%lld %lld %d\\n", ${show(`g${n}[0]`)}, ${show(`g${n}[1]`)}, calls${n}); }`,
        );
        return;
      case 12:
        this.line(
          indent,
          `{ struct packet k${n} = {}; struct point *p${n} = &k${n}.at; s16 *f${n} = (s16 *)p${n}; *f${n} = ${e()}; p${n}->y = ${e()}; struct packet *o${n} = container_of(p${n}, struct packet, at);`,
        );
        this.line(
          indent,
          `o${n}->length = 3; pr_info("%d %d %u %d\\n", k${n}.at.x, o${n}->at.y, k${n}.length, o${n} == &k${n}); }`,
        );
        return;
      default:
        this.line(
          indent,
          `{ int (*op${n}[])(int) = { square, fib, ${r.pick(['square', 'fib'])} }; int r = 0; for (unsigned int i = 0; i < 3; i++) r += op${n}[i]((${e()}) & 7); ${v.name} = r; pr_info("ops %d %d\\n", r, op${n}[0] == square); }`,
        );
    }
  }

  private print(indent: number): void {
    const r = this.random;
    const e = this.expression(2);
    const forms = [
      `pr_info("[%5d|%-5d|%05d]\\n", (int)(${e}), (int)(${e}), (int)(${e}));`,
      `pr_info("[%+d|% d|%i]\\n", (int)(${e}), (int)(${e}), (int)(${e}));`,
      `pr_info("[%x|%X|%o|%#x]\\n", (u32)(${e}), (u32)(${e}), (u32)(${e}), (u32)(${e}) | 1);`,
      `pr_info("[%lu|%ld|%lx|%16lx]\\n", (unsigned long)(${e}), (long)(${e}), (unsigned long)(${e}), (unsigned long)(${e}));`,
      `pr_info("[%hhd|%hhu|%hx|%%]\\n", (s8)(${e}), (u8)(${e}), (u16)(${e}));`,
      `pr_info("[%zu|%.5d|%8.3d|%*d]\\n", sizeof(${e}), (int)(${e}), (int)(${e}), ${r.below(9)}, (int)(${e}));`,
      `pr_info("two\\nlines %c\\n", 'a' + (int)((${e}) & 15));`,
      `pr_info("part "); pr_cont("%d ", (int)(${e})); pr_cont("end\\n");`,
    ];
    this.line(indent, r.pick(forms));
  }
}

/** `count` functions f0, f1, … from one seed. */
export function generate(seed: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    new FunctionText(new Random(seed * 7919 + i), `f${i}`).text(),
  );
}
