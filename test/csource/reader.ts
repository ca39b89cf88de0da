import { openUnit } from '../../server/src/core/csource/build-unit';
import { CSource } from '../../server/src/core/csource/c-source';
import type { Expr, FunctionIr, Init, Stmt } from '../../server/src/core/csource/ir';
import { initParser } from '../../server/src/core/csource/tree';
import type { SourceProvider, Unit, UnitOptions } from '../../server/src/core/csource/unit';

/** The parser with the WebAssembly files of the installed packages. */
export function startParser(): Promise<void> {
  return initParser({
    core: 'node_modules/web-tree-sitter/web-tree-sitter.wasm',
    language: 'node_modules/tree-sitter-c/tree-sitter-c.wasm',
  });
}

export const OPTIONS: UnitOptions = { defines: {}, kernelRelease: '6.1.192' };

/** Files that refer to each other by their names. */
export function provide(files: Readonly<Record<string, string>>): SourceProvider {
  return { text: (file) => files[file], resolve: (name) => (name in files ? name : undefined) };
}

/** Reads a text as main.c, beside other files; its trees are deleted at once. */
export function read(
  text: string,
  others: Readonly<Record<string, string>> = {},
  options: Partial<UnitOptions> = {},
): Unit {
  return openUnit(
    'main.c',
    provide({ ...others, 'main.c': text }),
    { ...OPTIONS, ...options },
    new CSource(),
  );
}

export function lowered(unit: Unit, name: string): FunctionIr {
  const ir = unit.lower(name);
  if (ir === undefined) throw new Error(`no function ${name}`);
  return ir;
}

/** The expression of `return …;`, the last statement of function f. */
export function returned(text: string, options: Partial<UnitOptions> = {}): Expr {
  const body = lowered(read(text, {}, options), 'f').body;
  const last = body[body.length - 1];
  if (last?.k !== 'return' || last.value === null) throw new Error('no return value');
  return last.value;
}

/** The initialiser of variable v. */
export function initialiser(text: string): Init {
  const init = read(text).variable('v')?.init;
  if (init === null || init === undefined) throw new Error('no initialiser');
  return init;
}

/** Texts of all unknown expressions and statements. */
export function unknowns(node: unknown, out: string[] = []): string[] {
  if (Array.isArray(node)) for (const one of node) unknowns(one, out);
  else if (typeof node === 'object' && node !== null) {
    const { k, text } = node as { k?: string; text?: string };
    if (k === 'unknown' && text !== undefined) out.push(text);
    for (const [key, value] of Object.entries(node)) {
      if (key !== 'type' && key !== 'positions' && key !== 'operands') unknowns(value, out);
    }
  }
  return out;
}

/** An expression in short: names, numbers and operators in prefix form. */
export function brief(e: Expr): string {
  switch (e.k) {
    case 'int':
      return String(e.value);
    case 'string':
      return JSON.stringify(e.value);
    case 'local':
      return `$${e.slot}`;
    case 'name':
      return e.name;
    case 'call':
      return `${brief(e.callee)}(${e.args.map(brief).join(', ')})`;
    case 'member':
      return `${brief(e.of)}${e.arrow ? '->' : '.'}${e.name}`;
    case 'index':
      return `${brief(e.of)}[${brief(e.index)}]`;
    case 'unary':
      return `(${e.op} ${brief(e.of)})`;
    case 'step':
      return e.prefix ? `(${e.op} ${brief(e.of)})` : `(${brief(e.of)} ${e.op})`;
    case 'binary':
    case 'logical':
      return `(${e.op} ${brief(e.left)} ${brief(e.right)})`;
    case 'assign':
      return `(${e.op} ${brief(e.target)} ${brief(e.value)})`;
    case 'conditional':
      return `(? ${brief(e.test)} ${e.then === null ? '-' : brief(e.then)} ${brief(e.otherwise)})`;
    case 'cast':
      return `(cast ${brief(e.of)})`;
    case 'comma':
      return `(, ${brief(e.first)} ${brief(e.second)})`;
    case 'statements':
      return `{${e.body.map(briefStatement).join(' ')}}`;
    case 'compound':
      return 'compound';
    case 'container':
      return `container(${brief(e.of)}, ${e.path})`;
    case 'sizeof':
      return 'sizeof';
    case 'offsetof':
      return `offsetof(${e.path})`;
    default:
      return `<${e.text}>`;
  }
}

/** A statement in short. */
export function briefStatement(s: Stmt): string {
  const list = (body: readonly Stmt[]): string => `{${body.map(briefStatement).join(' ')}}`;
  switch (s.k) {
    case 'expression':
      return `${brief(s.value)};`;
    case 'declare':
      return `$${s.slot}${s.init?.k === 'value' ? `=${brief(s.init.value)}` : s.init === null ? '' : '={}'};`;
    case 'if':
      return `if ${brief(s.test)} ${list(s.then)}${s.otherwise.length > 0 ? ` else ${list(s.otherwise)}` : ''}`;
    case 'loop': {
      const test = s.test === null ? '' : brief(s.test);
      return `${s.form}(${test};${s.step === null ? '' : brief(s.step)}) ${list(s.body)}`;
    }
    case 'iterate':
      return `${s.macro}(${s.args.map(brief).join(', ')}) ${list(s.body)}`;
    case 'switch':
      return `switch ${brief(s.on)} ${list(s.body)}`;
    case 'case':
      return s.from === null
        ? 'default:'
        : `case ${brief(s.from)}${s.to === null ? '' : `...${brief(s.to)}`}:`;
    case 'label':
      return `${s.name}:`;
    case 'goto':
      return `goto ${s.name};`;
    case 'return':
      return `return${s.value === null ? '' : ` ${brief(s.value)}`};`;
    case 'block':
      return list(s.body);
    case 'unknown':
      return `<<${s.text}>>`;
    default:
      return `${s.k};`;
  }
}
