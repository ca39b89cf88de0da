import type { ReadingProblem } from './dialect';
import { MadeText, type Source } from './made-text';
import { bodyOf } from './patched-body';
import type { KnownLine, PatchedFile, Stretch } from './patched-file';
import { functionIn, type Piece, piecesOf } from './patched-items';

/** A callback that a macro at file scope names. */
export interface CallbackUse {
  readonly kind: string;
  readonly function: string;
  readonly place: Source;
}

/** What is known of one patched file, as C. */
export interface FileText {
  readonly text: MadeText;
  /** The line of the diff that names the file. */
  readonly place: Source;
  /** Functions of the kernel that are replaced, in the order of the file. */
  readonly functions: readonly { readonly name: string; readonly place: Source }[];
  readonly callbacks: readonly CallbackUse[];
  readonly problems: readonly ReadingProblem[];
  /** Whether anything of it changes what was there. */
  readonly changes: boolean;
}

const CALLBACK = /^\s*(KPATCH|KLP)_((?:PRE|POST)_(?:UN)?PATCH)_CALLBACK\s*\(\s*(?:&\s*)?(\w+)\s*\)/;
/** What a diff shows of these belongs to the kernel's own module. */
const OF_THE_MODULE = /^(?:module_\w+|\w+_initcall(?:_sync)?|MODULE_\w+|EXPORT_\w+|KPATCH_IGNORE_\w+)$/;

const PRELUDE = `typedef struct klp_object patch_object;
#define KPATCH_STATIC_CALL(name) __SCT__##name
#define KLP_STATIC_CALL(name) __SCT__##name
#define KPATCH_PRINTK(fmt, ...) printk(fmt, ##__VA_ARGS__)`;

/**
 * The text of a patched file: what was added or changed and is shown whole, what of changed functions is shown, the
 * types around; nothing of the kernel's own code beside that. `unit` numbers the pointers through which the tables
 * reach functions of this file.
 */
export function textOf(
  file: PatchedFile,
  unit: number,
  macros: 'KPATCH' | 'KLP',
  fileOf: (diff: number) => string,
  includes: readonly string[],
): FileText {
  return new FileReading(file, macros, fileOf).read(unit, includes);
}

class FileReading {
  readonly #text = new MadeText();
  readonly #problems: ReadingProblem[] = [];
  readonly #callbacks: CallbackUse[] = [];
  readonly #functions = new Map<string, Source>();
  readonly #existed = new Set<string>();
  readonly #ignored = new Set<string>();
  readonly #written = new Set<string>();
  readonly #place: Source;
  #changes = false;

  constructor(
    private readonly file: PatchedFile,
    private readonly macros: 'KPATCH' | 'KLP',
    private readonly fileOf: (diff: number) => string,
  ) {
    const { diff, start, end } = file.place;
    this.#place = { file: fileOf(diff), start, end };
    for (const line of file.removed) {
      const name = /;\s*$/.test(line) ? '' : functionIn(line);
      const data = /\b(\w+)\s*(?:\[[^\]]*\]\s*)*[=;]/.exec(line)?.[1];
      if (name !== '') this.#existed.add(name);
      else if (data !== undefined && !line.includes('(')) this.#existed.add(data);
    }
  }

  read(unit: number, includes: readonly string[]): FileText {
    const pieces = this.file.stretches.flatMap(piecesOf);
    for (const piece of pieces) {
      const ignored = /KPATCH_IGNORE_FUNCTION\s*\(\s*(\w+)/.exec(piece.kind === 'call' ? piece.head : '');
      if (ignored) this.#ignored.add(ignored[1] ?? '');
    }
    if (unit >= 0) {
      this.#text.make(PRELUDE, this.#place);
      for (const name of includes) this.#text.make(`#include "${name}"`, this.#place);
    }
    const partial = new Map<string, Piece[]>();
    for (const piece of pieces) {
      if ((piece.kind !== 'head' && piece.kind !== 'tail') || piece.name === '') continue;
      const parts = partial.get(piece.name) ?? [];
      parts.push(piece);
      partial.set(piece.name, parts);
    }
    const conditionals = matched(pieces);
    for (const piece of pieces) this.#piece(piece, partial, conditionals);
    if (unit >= 0) this.#pointers(unit);
    return {
      text: this.#text,
      place: this.#place,
      functions: [...this.#functions].map(([name, place]) => ({ name, place })),
      callbacks: this.#callbacks,
      problems: this.#problems,
      changes: this.#changes,
    };
  }

  #piece(piece: Piece, partial: ReadonlyMap<string, Piece[]>, conditionals: ReadonlySet<Piece>): void {
    const { kind, name, changed } = piece;
    const isNew = piece.isNew && !this.#existed.has(name);
    if (changed && !isNew) this.#changes = true;
    switch (kind) {
      case 'function':
        if (!isNew && changed) this.#replaces(piece);
        if (isNew || changed) this.#copy(piece);
        break;
      case 'head':
      case 'tail':
        this.#partial(piece, partial.get(name) ?? []);
        break;
      case 'declaration':
        if (piece.isNew || !piece.head.startsWith('static ')) this.#copy(piece);
        else this.#extern(piece);
        break;
      case 'data':
        if (isNew) this.#copy(piece);
        else if (name !== '') this.#extern(piece);
        break;
      case 'directive':
        if (/^#\s*(?:define|undef)\b/.test(piece.head) || conditionals.has(piece)) this.#copy(piece);
        break;
      case 'comment':
        // A suppression speaks for the line below.
        if (piece.head.includes('livepatch-ignore')) this.#copy(piece);
        break;
      case 'call':
        if (piece.isNew) this.#call(piece);
    }
  }

  #call(piece: Piece): void {
    const [, tool, kind = '', name = ''] = CALLBACK.exec(piece.head) ?? [];
    const place = this.#sourceOf(piece.stretch.lines[piece.from] as KnownLine);
    if (tool === this.macros) {
      this.#callbacks.push({ kind: kind.toLowerCase(), function: name, place });
    } else if (tool !== undefined) {
      const own = this.macros === 'KLP' ? 'klp-build' : 'kpatch-build';
      this.#problems.push({
        message: `${piece.name}() is not a macro of ${own}: write ${this.macros}_${kind}_CALLBACK().`,
        place,
      });
    } else if (/^KPATCH_(?:UN)?LOAD_HOOK$/.test(piece.name)) {
      this.#problems.push({
        severity: 'warning',
        message: `${piece.name}() is there only for kernels without livepatch callbacks (before 4.15): the function is not taken as a callback. Write KPATCH_PRE_PATCH_CALLBACK() or KPATCH_POST_UNPATCH_CALLBACK().`,
        place,
      });
    }
    if (!OF_THE_MODULE.test(piece.name)) this.#copy(piece);
  }

  /** A function of the kernel that the livepatch replaces. */
  #replaces({ name, head, changed, stretch }: Piece): void {
    if (changed === null || this.#functions.has(name) || this.#ignored.has(name)) return;
    const line =
      changed.diff >= 0 && changed.added ? this.#sourceOf(changed) : this.#hunkOf(stretch, changed);
    if (/\b(?:__always_inline|inline)\b/.test(head)) {
      this.#problems.push({
        severity: 'information',
        message: `${name}() is inline: the functions that it is part of are replaced; which these are only the build tells, so they are not listed.`,
        place: line,
      });
    } else this.#functions.set(name, line);
  }

  #partial(piece: Piece, parts: readonly Piece[]): void {
    const { name, changed } = piece;
    if (name === '') {
      const { heading } = piece.stretch;
      if (
        changed &&
        piece.kind === 'tail' &&
        // A change of data is no change of a function; the tools refuse it.
        !/[={;]\s*$/.test(heading) &&
        this.file.path.endsWith('.c')
      )
        this.#problems.push({
          severity: 'information',
          message:
            'Which function is changed here does not show: it is not listed. Give the diff more lines of context, or make it with git diff or diff -p.',
          place: this.#sourceOf(changed),
        });
      return;
    }
    const first = parts.find((part) => part.changed);
    if (!first || this.#written.has(name)) return;
    this.#written.add(name);
    const head = parts.find((part) => part.kind === 'head');
    this.#replaces(head ? { ...first, head: head.head } : { ...first, head: first.stretch.heading });
    const { opening, lines } = bodyOf(parts);
    const place = this.#sourceOf(first.changed as KnownLine);
    if (opening === null)
      this.#text.make(`static int ${name}(void) {`, this.#hunkOf(first.stretch, first.changed));
    else for (const line of opening) this.#line(line);
    for (const line of lines) {
      if (typeof line === 'string') this.#text.make(line, place);
      else this.#line(line);
    }
    this.#text.make('}', place);
  }

  /** The pointers through which the tables reach what is static in this file. */
  #pointers(unit: number): void {
    for (const [i, [name, place]] of [...this.#functions].entries()) {
      if (!this.#written.has(name)) this.#text.make(`int ${name}();`, place);
      this.#text.make(`void *klp_new_${unit}_${i} = ${name};`, place);
    }
    for (const [i, { kind, function: name, place }] of this.#callbacks.entries()) {
      const result = kind === 'pre_patch' ? 'int' : 'void';
      this.#text.make(`${result} (*klp_callback_${unit}_${i})(struct klp_object *) = ${name};`, place);
    }
  }

  /** The lines of a piece as they are, without conditions that are shown in part only. */
  #copy(piece: Piece): void {
    const { lines } = piece.stretch;
    const syscall =
      piece.kind === 'function' && /SYSCALL_DEFINE\d/.test(piece.head) ? syscallHead(piece) : null;
    if (piece.kind === 'function') this.#written.add(piece.name);
    const own = piece.kind === 'directive' ? null : matchedLines(lines, piece.from, piece.to);
    let from = piece.from;
    if (syscall !== null) {
      this.#text.make(syscall, this.#sourceOf(lines[from] as KnownLine));
      while (from < piece.to && !lines[from]?.text.includes('{')) from++;
    }
    for (let at = from; at < piece.to; at++) {
      const line = lines[at] as KnownLine;
      if (own && /^\s*#\s*(?:if|el|end|include)/.test(line.text) && !own.has(at)) continue;
      this.#line(line);
    }
  }

  /** A variable or function of the kernel: declared, not defined. */
  #extern(piece: Piece): void {
    const declared = piece.head
      .replace(/=[^]*$/, '')
      .replace(/;\s*$/, '')
      .replace(/^\s*(?:static|extern)\b/, '')
      .trim();
    this.#text.make(`extern ${declared};`, this.#sourceOf(piece.stretch.lines[piece.from] as KnownLine));
  }

  #line(line: KnownLine): void {
    this.#text.copy(line.text, this.#sourceOf(line));
  }

  #sourceOf({
    diff,
    start,
    end,
  }: {
    readonly diff: number;
    readonly start: number;
    readonly end: number;
  }): Source {
    return { file: this.fileOf(diff), start, end };
  }

  /** Where something was only taken away: the header of the hunk, if the line is of the same diff. */
  #hunkOf(stretch: Stretch, line: KnownLine | null): Source {
    return this.#sourceOf(line && line.diff !== stretch.hunk.diff ? line : stretch.hunk);
  }
}

/** `SYSCALL_DEFINE2(read, int, fd, char *, buf)` as a function with these parameters. */
function syscallHead(piece: Piece): string | null {
  const args = /SYSCALL_DEFINE\d\s*\(([^]*)\)/.exec(piece.head)?.[1]?.split(',').slice(1) ?? [];
  const parameters: string[] = [];
  for (let i = 0; i + 1 < args.length; i += 2) parameters.push(`${args[i]?.trim()} ${args[i + 1]?.trim()}`);
  return `static long ${piece.name}(${parameters.length > 0 ? parameters.join(', ') : 'void'})`;
}

/** The conditional directives at file scope whose #if and #endif both are shown. */
function matched(pieces: readonly Piece[]): ReadonlySet<Piece> {
  const found = new Set<Piece>();
  let stretch: Stretch | null = null;
  let open: Piece[][] = [];
  for (const piece of pieces) {
    if (piece.stretch !== stretch) {
      stretch = piece.stretch;
      open = [];
    }
    const word = piece.kind === 'directive' ? /^#\s*(\w+)/.exec(piece.head)?.[1] : undefined;
    if (word?.startsWith('if')) open.push([piece]);
    else if (word?.startsWith('el')) open[open.length - 1]?.push(piece);
    else if (word === 'endif') {
      const group = open.pop();
      if (group) for (const one of [...group, piece]) found.add(one);
    }
  }
  return found;
}

/** The same inside a piece, as numbers of lines. */
function matchedLines(lines: readonly KnownLine[], from: number, to: number): ReadonlySet<number> {
  const found = new Set<number>();
  const open: number[][] = [];
  for (let at = from; at < to; at++) {
    const word = /^\s*#\s*(\w+)/.exec(lines[at]?.text ?? '')?.[1];
    if (word?.startsWith('if')) open.push([at]);
    else if (word?.startsWith('el')) open[open.length - 1]?.push(at);
    else if (word === 'endif') {
      const group = open.pop();
      if (group) for (const one of [...group, at]) found.add(one);
    }
  }
  return found;
}
