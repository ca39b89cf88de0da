import { defineMacro } from './define';
import type { FileScope } from './file-scope';
import { TYPED_LIKE } from './header-functions';
import { HEADER_DECLARATIONS, HEADER_DEFINITIONS } from './header-knowledge';
import { HeaderScope } from './header-scope';
import { architecture, type KernelConfig } from './kernel-config';
import { lex } from './lexer';
import { type Macro, MacroTable } from './macro-table';
import { names } from './names';
import type { UnitOptions } from './unit';

/** What holds before the first line of every unit. */
export interface Base {
  readonly macros: MacroTable;
  readonly scope: FileScope;
  /** Names whose absence was decided: CONFIG_ names set to n. */
  readonly decided: ReadonlySet<number>;
}

const CONFIGURATION_QUESTIONS = [
  ['IS_ENABLED', 'enabled'],
  ['IS_REACHABLE', 'enabled'],
  ['IS_BUILTIN', 'built-in'],
  ['IS_MODULE', 'module'],
] as const;

/** Configuration that a machine with livepatch has in any case. */
const ASSUMED = 'LIVEPATCH MODULES MODULE_UNLOAD SMP SYSFS PROC_FS PRINTK BUG MMU'.split(' ');

let headers: { readonly macros: MacroTable; readonly scope: FileScope } | null = null;

/** The built-in header knowledge: of macros and declarations, what somebody asks for is read. */
function headerKnowledge(): { readonly macros: MacroTable; readonly scope: FileScope } {
  if (headers !== null) return headers;
  const macros = new MacroTable(null);
  for (const line of HEADER_DEFINITIONS.split('\n')) {
    if (line === '') continue;
    const text = line.slice('#define '.length);
    macros.setUnread(names.id(text.slice(0, nameEnd(text))), () => definition(text));
  }
  for (const [text, asks] of CONFIGURATION_QUESTIONS) {
    const name = names.id(text);
    macros.set(name, { name, parameters: [names.id('option')], variadic: false, body: [], hash: 1, asks }, 0);
  }
  const scope = new HeaderScope(HEADER_DECLARATIONS, TYPED_LIKE);
  headers = { macros, scope };
  return headers;
}

/** Where the name ends that a definition begins with; a blank or a parenthesis follows it. */
function nameEnd(text: string): number {
  const blank = text.indexOf(' ');
  const open = text.indexOf('(');
  return open >= 0 && open < blank ? open : blank;
}

function definition(text: string): Macro | null {
  const tokens = lex(text);
  return defineMacro(tokens, 0, tokens.count);
}

/** Configurations are large: they are told apart by a number, which the same object keeps. */
const numbers = new WeakMap<KernelConfig, number>();
let numbered = 0;

function numberOf(config: KernelConfig): number {
  const known = numbers.get(config) ?? ++numbered;
  numbers.set(config, known);
  return known;
}

const bases = new Map<string, Base>();
const MAX_BASES = 64;

/** The base for a set of options; the same object for equal options. */
export function baseFor(options: UnitOptions): Base {
  const { config, arch } = options;
  const key = JSON.stringify([
    options.kernelRelease,
    arch,
    config && numberOf(config),
    Object.entries(options.defines),
  ]);
  const known = bases.get(key);
  if (known !== undefined) return known;
  if (bases.size >= MAX_BASES) bases.clear();
  const { macros: parent, scope } = headerKnowledge();
  const macros = parent.copy();
  const decided = new Set<number>();
  const set = (name: string, body: string): void => {
    const macro = definition(`${name} ${body}`);
    if (macro !== null) macros.set(macro.name, macro, 0);
  };
  const machine = architecture(arch, config);
  for (const name of machine.macros) set(name, '1');
  set('__KERNEL__', '1');
  set('MODULE', '1');
  set('__GNUC__', '12');
  set('__LP64__', '1');
  set('__LITTLE_ENDIAN', '1234');
  set('BITS_PER_LONG', '64');
  const release = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(options.kernelRelease);
  if (release !== null) {
    const sub = Math.min(Number(release[3] ?? 0), 255);
    set('LINUX_VERSION_CODE', String(Number(release[1]) * 65536 + Number(release[2]) * 256 + sub));
    set('LINUX_VERSION_MAJOR', release[1] as string);
    set('LINUX_VERSION_PATCHLEVEL', release[2] as string);
    set('LINUX_VERSION_SUBLEVEL', String(sub));
  }
  set('UTS_RELEASE', JSON.stringify(options.kernelRelease));
  const given = config ? { ...config, ...options.defines } : options.defines;
  for (const name of [...machine.config, ...ASSUMED]) {
    if (given[`CONFIG_${name}`] === undefined) set(`CONFIG_${name}`, '1');
  }
  for (const name of machine.not) decided.add(names.id(`CONFIG_${name}`));
  for (const [name, value] of Object.entries(given)) {
    if (!/^[A-Za-z_]\w*$/.test(name)) continue;
    decided.add(names.id(name));
    if (!name.startsWith('CONFIG_')) set(name, value);
    else if (value === 'm') set(`${name}_MODULE`, '1');
    else if (value !== 'n') set(name, value === 'y' ? '1' : value);
  }
  const base = { macros, scope, decided };
  bases.set(key, base);
  return base;
}
