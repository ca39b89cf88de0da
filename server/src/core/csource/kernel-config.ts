/** What a kernel's `.config` says, by name: y, m, n, a number or a quoted string. Lines that say nothing are passed over. */
export type KernelConfig = Readonly<Record<string, string>>;

/** Reads the text of a `.config`. A name that is not mentioned is not decided. */
export function readKernelConfig(text: string): KernelConfig {
  const config: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [, name, value, off] of text.matchAll(
    /^(?:(CONFIG_\w+)=(.*)|# (CONFIG_\w+) is not set[ \t]*)\r?$/gm,
  )) {
    if (off !== undefined) config[off] = 'n';
    else if (name !== undefined && value?.trim()) config[name] = value.trimEnd();
  }
  return config;
}

/** Macros of the compiler and names of the configuration that an architecture brings, by its name in `uname -m`. */
const ARCHITECTURES: ReadonlyMap<string, readonly [macros: readonly string[], config: readonly string[]]> =
  new Map([
    ['x86_64', [['__x86_64__'], ['X86_64', 'X86', '64BIT']]],
    ['aarch64', [['__aarch64__'], ['ARM64', '64BIT']]],
    [
      's390x',
      [
        ['__s390__', '__s390x__'],
        ['S390', '64BIT'],
      ],
    ],
    [
      'ppc64le',
      [
        ['__powerpc__', '__powerpc64__'],
        ['PPC', 'PPC64', '64BIT'],
      ],
    ],
    ['riscv64', [['__riscv'], ['RISCV', '64BIT']]],
    ['loongarch64', [['__loongarch__'], ['LOONGARCH', '64BIT']]],
  ]);

/** Names that tell an architecture in a configuration, with the kernel's own names for it. */
const OWN_NAMES: ReadonlyMap<string, string> = new Map([
  ['X86', 'x86_64'],
  ['ARM64', 'aarch64'],
  ['S390', 's390x'],
  ['PPC', 'ppc64le'],
  ['POWERPC', 'ppc64le'],
  ['RISCV', 'riscv64'],
  ['LOONGARCH', 'loongarch64'],
]);

export interface Architecture {
  readonly macros: readonly string[];
  readonly config: readonly string[];
  /** What other architectures are known by, which this one is not. */
  readonly not: readonly string[];
}

/** The architecture that is named, or else told by the configuration, or else x86_64. */
export function architecture(name: string | undefined, config: KernelConfig | undefined): Architecture {
  const told = name ?? [...OWN_NAMES].find(([own]) => config?.[`CONFIG_${own}`] === 'y')?.[1] ?? 'x86_64';
  const known = ARCHITECTURES.get(told) ?? ARCHITECTURES.get(OWN_NAMES.get(told.toUpperCase()) ?? '');
  const [macros, own] = known ?? [[], []];
  const all = [...ARCHITECTURES.values()].flatMap(([, names]) => names);
  return { macros, config: own, not: known ? all.filter((it) => !own.includes(it)) : [] };
}
