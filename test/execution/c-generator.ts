import { idiomLines } from './c-idioms';
import { objectLines, printLine, type SnippetSource } from './c-snippets';
import { Random } from './random';

/**
 * Makes small C functions from a seed: integers of every width, structs, arrays, pointers, control flow, macros,
 * printf. All of it is defined behaviour under -fwrapv -fno-strict-aliasing, with one order of evaluation.
 */

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

interface Variable {
  readonly name: string;
  readonly type: string;
}

class FunctionText implements SnippetSource {
  private readonly vars: Variable[] = [];
  private readonly lines: string[] = [];
  private labels = 0;
  private temps = 0;

  constructor(
    readonly random: Random,
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

  number(): number {
    return this.temps++;
  }

  integerType(): string {
    return this.random.pick(TYPES.filter((t) => t !== 'bool'));
  }

  literal(): string {
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
  expression(depth: number): string {
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
        // Of constants alone, cast to bool, GCC 12 breaks down (internal compiler error, gimplify_expr).
        return `((void)(${a()}), ${a()})`;
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
        return this.line(indent, printLine(this));
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
        for (const line of (r.below(2) === 0 ? objectLines : idiomLines)(this, v.name))
          this.line(indent, line);
        return;
    }
  }
}

/** `count` functions f0, f1, … from one seed. */
export function generate(seed: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    new FunctionText(new Random(seed * 7919 + i), `f${i}`).text(),
  );
}
