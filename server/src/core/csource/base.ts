import { defineMacro } from './define';
import { Expander, TokenList } from './expand';
import { readExternals } from './externals';
import { FileScope } from './file-scope';
import { HEADER_KNOWLEDGE } from './header-knowledge';
import { architecture, type KernelConfig } from './kernel-config';
import { lex } from './lexer';
import { Lowering } from './lowering';
import { MacroTable } from './macro-table';
import { names } from './names';
import { preprocess, stretches } from './preprocess';
import type { UnitOptions } from './unit';

/** What holds before the first line of every unit. */
export interface Base {
  readonly macros: MacroTable;
  readonly scope: FileScope;
  /** Names whose absence was decided: CONFIG_ names set to n. */
  readonly decided: ReadonlySet<number>;
}

/** Configuration that a machine with livepatch has in any case. */
const ASSUMED = 'LIVEPATCH MODULES MODULE_UNLOAD SMP SYSFS PROC_FS PRINTK BUG MMU'.split(' ');

let headers: { readonly macros: MacroTable; readonly scope: FileScope } | null = null;

/** The built-in header knowledge, read once. */
function headerKnowledge(): { readonly macros: MacroTable; readonly scope: FileScope } {
  if (headers !== null) return headers;
  const tokens = lex(HEADER_KNOWLEDGE);
  const { root, macros } = preprocess({
    file: '',
    tokens,
    provider: { text: () => undefined, resolve: () => undefined },
    base: new MacroTable(null),
    decided: new Set(),
    lexed: () => undefined,
    place: (file, start, end) => ({ file, start, end }),
  });
  for (const asks of ['enabled', 'built-in', 'module'] as const) {
    for (const text of asks === 'enabled'
      ? ['IS_ENABLED', 'IS_REACHABLE']
      : asks === 'module'
        ? ['IS_MODULE']
        : ['IS_BUILTIN']) {
      const name = names.id(text);
      macros.set(
        name,
        { name, parameters: [names.id('option')], variadic: false, body: [], hash: 1, asks },
        0,
      );
    }
  }
  const scope = new FileScope(null);
  const list = new TokenList();
  new Expander(macros).expand(stretches(root, 0, tokens.count), list);
  const lowering = new Lowering(list, scope, 0, '', undefined);
  readExternals(lowering, false, (external) => {
    scope.globals.set(external.id, external.declarator.type);
    return false;
  });
  headers = { macros, scope };
  return headers;
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
    const tokens = lex(`${name} ${body}`);
    const macro = defineMacro(tokens, 0, tokens.count);
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
