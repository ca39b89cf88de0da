import type { Random } from './random';

/** What the snippets below are made with. */
export interface SnippetSource {
  readonly random: Random;
  /** An expression without side effects. */
  expression(depth: number): string;
  literal(): string;
  /** A number that no other snippet of the function has. */
  number(): number;
  /** A type of integer that is not bool. */
  integerType(): string;
}

/** Lines about arrays, structs, unions, pointers and strings; `target` is an integer variable. */
export function objectLines(source: SnippetSource, target: string): string[] {
  const lines: string[] = [];
  const r = source.random;
  const e = (n = 1): string => source.expression(n);
  const n = source.number();
  const type = source.integerType();
  const show = (text: string): string => `(long long)(${text})`;
  switch (r.below(14)) {
    case 0:
      lines.push(`{ ${type} a${n}[5] = { ${e()}, ${e()}, [3] = ${e()} }; ${type} *p${n} = a${n} + 1;`);
      lines.push(`p${n} += 2; *p${n} += ${e()}; p${n}--; *p${n}++ = ${e()}; a${n}[(${e()}) & 3] ^= ${e()};`);
      lines.push(
        `for (int k = 0; k < (int)(sizeof(a${n}) / sizeof(a${n}[0])); k++) pr_cont("%d:%lld ", k, ${show(`a${n}[k]`)});`,
      );
      lines.push(`pr_cont("%d %d\\n", (int)(p${n} - a${n}), p${n} == &a${n}[3]); }`);
      return lines;
    case 1:
      lines.push(
        `{ struct packet k${n} = { .kind = ${e()}, .at = { .x = ${e()}, ${e()} }, .data = { 1, 2, [4] = ${e()} }, .inner.high = ${e()}, .name = "pk" };`,
      );
      lines.push(
        `struct packet c${n} = k${n}, *p${n} = &c${n}; p${n}->length = ${e()}; p${n}->total -= ${e()}; p${n}->inner.low = ${e()}; p${n}->data[(${e()}) & 3]++;`,
      );
      lines.push(`k${n}.at = shift_point(p${n}->at, (${e()}) & 255);`);
      lines.push(
        `pr_info("%u %d %d %u %lld %u %d %x %s\\n", p${n}->kind, k${n}.at.x, k${n}.at.y, c${n}.length, (long long)c${n}.total, c${n}.data[2], c${n}.inner.low, c${n}.inner.high, p${n}->name); }`,
      );
      return lines;
    case 2:
      lines.push(
        `{ struct flags g${n} = { ${e()}, ${e()}, ${e()}, ${e()} }; g${n}.a += ${e()}; g${n}.c = ${e()}; g${n}.b--;`,
      );
      lines.push(`pr_info("%d %d %d %d %d\\n", g${n}.a, g${n}.b, g${n}.c, g${n}.d, g${n}.a > -1); }`);
      return lines;
    case 3:
      lines.push(
        `{ union word w${n} = { .whole = ${e()} }; w${n}.byte[(${e()}) & 3] = ${e()}; w${n}.pair.hi += ${e()};`,
      );
      lines.push(`pr_info("%x %x %x %x\\n", w${n}.whole, w${n}.half[1], w${n}.byte[0], w${n}.pair.lo); }`);
      return lines;
    case 4:
      lines.push(
        `{ int m${n}[3][4] = { { 1, 2 }, [1] = { ${e()}, [2] = ${e()} }, { 7 } }; int (*r${n})[4] = &m${n}[1]; int s = 0;`,
      );
      lines.push(
        `(*r${n})[3] = ${e()}; r${n}++; r${n}[0][1] = 5; m${n}[(${e()}) & 1][(${e()}) & 3] -= ${e()};`,
      );
      lines.push(
        `for (int i = 0; i < 3; i++) for (int j = 0; j < 4; j++) s = s * 3 + m${n}[i][j]; pr_info("m %d %d\\n", s, *(*(m${n} + 1) + 2)); }`,
      );
      return lines;
    case 5:
      lines.push(
        `{ struct node c${n} = { ${e()}, 0 }, b${n} = { ${e()}, &c${n} }, a${n} = { ${e()}, &b${n} }; b${n}.next->value++;`,
      );
      lines.push(
        `pr_info("list %d %d\\n", sum_list(&a${n}), a${n}.next->next == &c${n}); if (${e()}) a${n}.next = b${n}.next; pr_info("%d\\n", sum_list(&a${n})); }`,
      );
      return lines;
    case 6:
      lines.push(
        `{ char str${n}[] = "hello"; char t${n}[10] = "ab"; str${n}[(${e()}) & 3] = 'A' + ((${e()}) & 15); t${n}[2] = '!';`,
      );
      lines.push(
        `pr_info("%s %d %d [%s] [%7s] [%-7s] [%.2s] %c\\n", str${n}, (int)sizeof(str${n}), length(str${n}), t${n}, t${n}, str${n}, str${n}, str${n}[1]); }`,
      );
      return lines;
    case 7:
      lines.push(
        `{ int x${n} = ${e()}; int *p${n} = &x${n}, **q${n} = &p${n}; bump(p${n}, ${e()}); **q${n} *= 3; bump(*q${n}, 1); pr_info("%d %d\\n", x${n}, p${n} && *q${n} == &x${n}); }`,
      );
      return lines;
    case 8:
      lines.push(
        `{ u8 b${n}[6]; struct point z${n} = {}; const char *names${n}[] = { [RED] = "red", [2] = "two", "three" }; fill(b${n}, 6, ${e()}); z${n}.y = b${n}[5];`,
      );
      lines.push(
        `pr_info("%u %d %s %s %d %d\\n", b${n}[3], z${n}.y, names${n}[(${e()}) & 1 ? 3 : 0], names${n}[1] ? "set" : "null", (int)(sizeof(names${n}) / sizeof(names${n}[0])), z${n}.x); }`,
      );
      return lines;
    case 9:
      lines.push(
        `{ struct point z${n}[3] = { { 1, 2 }, { .y = ${e()} }, [2].x = ${e()} }, *p${n}; long long s = 0; for (p${n} = z${n}; p${n} < z${n} + 3; p${n}++) { p${n}->x ^= 5; s = s * 7 + p${n}->x - p${n}->y; }`,
      );
      lines.push(
        `pr_info("pts %lld %d\\n", s, (int)(p${n} - z${n})); *(z${n} + 1) = (struct point){ ${e()}, .y = 9 }; pr_info("%d %d\\n", z${n}[1].x, (z${n} + 1)->y); }`,
      );
      return lines;
    case 10:
      lines.push(
        `{ struct mixed x${n} = { .tag = 'q', .wide = ${e()}, .tail = ${e()} }, y${n}; x${n}.raw[(${e()}) & 7] ^= 0x5a; y${n} = x${n}; y${n}.raw[0]++; pr_info("%c %llx %u %u\\n", y${n}.tag, (unsigned long long)y${n}.wide, x${n}.raw[3], y${n}.tail); }`,
      );
      return lines;
    case 11:
      lines.push(
        `{ static ${type} g${n}[3] = { [1] = ${source.literal()} }; static int calls${n}; g${n}[calls${n}++ & 1] += ${e()}; pr_info("%lld %lld %d\\n", ${show(`g${n}[0]`)}, ${show(`g${n}[1]`)}, calls${n}); }`,
      );
      return lines;
    case 12:
      lines.push(
        `{ struct packet k${n} = {}; struct point *p${n} = &k${n}.at; s16 *f${n} = (s16 *)p${n}; *f${n} = ${e()}; p${n}->y = ${e()}; struct packet *o${n} = container_of(p${n}, struct packet, at);`,
      );
      lines.push(
        `o${n}->length = 3; pr_info("%d %d %u %d\\n", k${n}.at.x, o${n}->at.y, k${n}.length, o${n} == &k${n}); }`,
      );
      return lines;
    default:
      lines.push(
        `{ int (*op${n}[])(int) = { square, fib, ${r.pick(['square', 'fib'])} }; int r = 0; for (unsigned int i = 0; i < 3; i++) r += op${n}[i]((${e()}) & 7); ${target} = r; pr_info("ops %d %d\\n", r, op${n}[0] == square); }`,
      );
  }
  return lines;
}

/** A line that prints one expression in several forms. */
export function printLine(source: SnippetSource): string {
  const r = source.random;
  const e = source.expression(2);
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
  return r.pick(forms);
}
