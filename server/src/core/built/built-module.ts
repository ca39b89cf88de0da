import { capabilitiesOf } from '../kernel/capabilities';
import { cString, type ElfFile, type ElfSymbol, type Relocation, readElf } from './elf';

/** What a built livepatch module (.ko) says of itself: its tables as the compiler laid them out. */
export interface BuiltModule {
  /** As in modinfo, e.g. "6.1.0-18-amd64". */
  readonly release: string;
  readonly livepatchInfo: boolean;
  readonly license: string | null;
  readonly init: string | null;
  readonly exit: string | null;
  /** null where there is no static struct klp_patch, as in modules of kpatch-build, which makes its tables at load. */
  readonly patch: BuiltPatch | null;
}

export interface BuiltPatch {
  readonly variable: string;
  /** null where code writes it. */
  readonly replace: boolean | null;
  readonly objects: readonly BuiltObject[];
  readonly states: readonly { readonly id: bigint; readonly version: number }[];
  readonly terminated: boolean;
}

export interface BuiltObject {
  readonly name: string | null;
  readonly functions: readonly BuiltFunction[];
  /** Function names in the order pre_patch, post_patch, pre_unpatch, post_unpatch; null where there is none. */
  readonly callbacks: readonly (string | null)[];
  readonly terminated: boolean;
}

export interface BuiltFunction {
  readonly old: string;
  readonly new: string;
  readonly sympos: bigint;
}

/** A place in a section. */
interface Spot {
  readonly section: number;
  readonly offset: number;
}

/** Offsets in the structures of include/linux/livepatch.h, which are the same on every architecture with livepatches. */
const OBJS = 8;
const STATES = 16;
const FUNCS = 8;
const CALLBACKS = [16, 24, 32, 40];
const NEW_FUNC = 8;
const SYMPOS = 16;
const STATE_SIZE = 24;
/** More entries than any livepatch has: functions, objects and states together. */
const MAX_ENTRIES = 100_000;
/** Symbols and relocations that are looked at, each time anew; thousands of functions take a tenth of it. */
const MAX_LOOKS = 300_000_000;

/** Reads a .ko. Answers why it cannot, in words for a person. Mirrors include/linux/livepatch.h. */
export function readBuiltModule(bytes: Uint8Array): BuiltModule | { readonly problem: string } {
  const elf = readElf(bytes);
  if ('problem' in elf) return elf;
  try {
    return new ModuleReader(elf).read();
  } catch (error) {
    if (error instanceof RangeError) return { problem: 'its tables are larger than those of any livepatch' };
    throw error;
  }
}

class ModuleReader {
  private entries = 0;
  private looks = 0;

  constructor(private readonly elf: ElfFile) {}

  read(): BuiltModule {
    const info = this.modinfo();
    const release = (info.get('vermagic') ?? '').split(' ')[0] ?? '';
    return {
      release,
      livepatchInfo: info.has('livepatch'),
      license: info.get('license') ?? null,
      init: this.entry('init_module'),
      exit: this.entry('cleanup_module'),
      patch: this.patch(hasStates(release)),
    };
  }

  private modinfo(): Map<string, string> {
    const found = new Map<string, string>();
    const section = this.elf.sections.find(({ name }) => name === '.modinfo');
    const text = section ? String.fromCharCode(...section.bytes.subarray(0, 65_536)) : '';
    for (const entry of text.split('\0')) {
      const at = entry.indexOf('=');
      if (at > 0) found.set(entry.slice(0, at), entry.slice(at + 1));
    }
    return found;
  }

  /** The function behind the name that the loader looks for. */
  private entry(alias: string): string | null {
    const symbol = this.elf.symbols.find(({ name, section }) => name === alias && section !== 0);
    return symbol
      ? (this.functionAt({ section: symbol.section, offset: symbol.value }, alias) ?? alias)
      : null;
  }

  /** What begins with a pointer to this module, and then has one to an array of objects. */
  private patch(states: boolean): BuiltPatch | null {
    for (const [section, list] of this.elf.relocations) {
      if (this.elf.sections[section]?.code) continue;
      for (const relocation of list) {
        if (relocation.symbol.name !== '__this_module' || relocation.addend !== 0) continue;
        const at = { section, offset: relocation.offset };
        const symbol = this.symbolAt(at);
        const objects = this.pointer(at, OBJS);
        if (!symbol || symbol.value !== at.offset || !objects || !this.isObjectTable(objects)) continue;
        const table = this.objects(objects);
        return {
          variable: symbol.name,
          replace: this.replace(at, states ? 24 : 16),
          ...table,
          states: states ? this.states(this.pointer(at, STATES)) : [],
        };
      }
    }
    return null;
  }

  private isObjectTable(at: Spot): boolean {
    const functions = this.pointer(at, FUNCS);
    if (this.elf.sections[at.section]?.code || !functions) return false;
    const symbol = this.symbolAt(at);
    return symbol !== undefined && symbol.value === at.offset && symbol.size >= 48;
  }

  private replace(patch: Spot, member: number): boolean | null {
    const at = patch.offset + member;
    for (const [section, list] of this.elf.relocations) {
      if (!this.elf.sections[section]?.code) continue;
      for (const relocation of list) {
        const target = this.target(relocation);
        if (target?.section !== patch.section) continue;
        // On x86 the addend counts from the end of the instruction: 4 bytes of address, perhaps one of a value.
        if ([0, 4, 5].some((distance) => target.offset + distance === at)) return null;
      }
    }
    return (this.elf.sections[patch.section]?.bytes[at] ?? 0) !== 0;
  }

  private objects(start: Spot): { objects: BuiltObject[]; terminated: boolean } {
    const symbol = this.symbolAt(start);
    const size = symbol ? symbol.value + symbol.size - start.offset : 0;
    const stride = this.objectStride(start, size);
    const objects: BuiltObject[] = [];
    for (let offset = 0; ; offset += stride) {
      if (offset + stride > size) return { objects, terminated: false };
      const at = { section: start.section, offset: start.offset + offset };
      const name = this.string(at, 0);
      const functions = this.pointer(at, FUNCS);
      if (name === null && !functions) break;
      this.count();
      objects.push({
        name,
        ...(functions ? this.functions(functions) : { functions: [], terminated: true }),
        callbacks: CALLBACKS.map((member) => this.functionName(at, member)),
      });
    }
    return { objects, terminated: true };
  }

  /** sizeof(struct klp_object) hangs on the configuration: the second entry, or else the array's size, tells. */
  private objectStride(start: Spot, size: number): number {
    const next = this.within(start, size).find(({ offset }) => offset > start.offset + 47);
    if (!next) return Math.max(48, size / 2);
    const distance = next.offset - start.offset;
    // It begins with its name, which vmlinux does not have; the functions are eight bytes on.
    const named = this.text(this.target(next)) !== null && distance % 8 === 0 && size % distance === 0;
    return named ? distance : distance - FUNCS;
  }

  private functions(start: Spot): { functions: BuiltFunction[]; terminated: boolean } {
    const symbol = this.symbolAt(start);
    const size = symbol ? symbol.value + symbol.size - start.offset : 0;
    const second = this.within(start, size).find(({ offset }) => offset > start.offset + NEW_FUNC);
    const stride = second ? second.offset - start.offset : Math.max(24, size / 2);
    const functions: BuiltFunction[] = [];
    for (let offset = 0; ; offset += stride) {
      if (offset + stride > size) return { functions, terminated: false };
      const at = { section: start.section, offset: start.offset + offset };
      const old = this.string(at, 0);
      const replacement = this.functionName(at, NEW_FUNC);
      if (old === null && replacement === null) break;
      this.count();
      functions.push({ old: old ?? '', new: replacement ?? '', sympos: this.long(at, SYMPOS) });
    }
    return { functions, terminated: true };
  }

  private states(start: Spot | null): { id: bigint; version: number }[] {
    const found: { id: bigint; version: number }[] = [];
    if (!start) return found;
    for (let offset = start.offset; ; offset += STATE_SIZE) {
      const id = this.long({ section: start.section, offset }, 0);
      if (id === 0n) return found;
      this.count();
      found.push({ id, version: Number(this.long({ section: start.section, offset }, 8) & 0xffff_ffffn) });
    }
  }

  private count(): void {
    if (++this.entries > MAX_ENTRIES) throw new RangeError('too many entries');
  }

  private look<T>(list: readonly T[]): readonly T[] {
    this.looks += list.length;
    if (this.looks > MAX_LOOKS) throw new RangeError('too many looks');
    return list;
  }

  private within(start: Spot, size: number): readonly Relocation[] {
    return this.look(this.elf.relocations.get(start.section) ?? []).filter(
      ({ offset }) => offset >= start.offset && offset < start.offset + size,
    );
  }

  private relocationAt(at: Spot, member: number): Relocation | undefined {
    const list = this.elf.relocations.get(at.section) ?? [];
    const wanted = at.offset + member;
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((list[middle]?.offset ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return list[low]?.offset === wanted ? list[low] : undefined;
  }

  private target(relocation: Relocation): Spot | null {
    const { symbol, addend } = relocation;
    return symbol.section === 0 ? null : { section: symbol.section, offset: symbol.value + addend };
  }

  private pointer(at: Spot, member: number): Spot | null {
    const relocation = this.relocationAt(at, member);
    return relocation ? this.target(relocation) : null;
  }

  private string(at: Spot, member: number): string | null {
    return this.text(this.pointer(at, member));
  }

  /** A C string of printable characters: what names are made of. */
  private text(at: Spot | null): string | null {
    const section = at && this.elf.sections[at.section];
    const text = section ? cString(section.bytes, at.offset) : null;
    return text !== null && /^[\x21-\x7e]*$/.test(text) ? text : null;
  }

  private functionName(at: Spot, member: number): string | null {
    const relocation = this.relocationAt(at, member);
    if (!relocation) return null;
    const target = this.target(relocation);
    return target ? this.functionAt(target) : relocation.symbol.name;
  }

  private functionAt(at: Spot, except = ''): string | null {
    const found = this.look(this.elf.symbols).find(
      ({ kind, section, value, name }) =>
        kind === 'function' && section === at.section && value === at.offset && name !== except,
    );
    return found?.name ?? null;
  }

  /** The variable that a place lies in. */
  private symbolAt({ section, offset }: Spot): ElfSymbol | undefined {
    return this.look(this.elf.symbols).find(
      (it) =>
        it.kind === 'object' && it.section === section && it.value <= offset && offset < it.value + it.size,
    );
  }

  private long({ section, offset }: Spot, member: number): bigint {
    const bytes = this.elf.sections[section]?.bytes;
    const at = offset + member;
    if (!bytes || at + 8 > bytes.length) return 0n;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return view.getBigUint64(at, this.elf.littleEndian);
  }
}

/** Whether struct klp_patch has `.states` in this kernel. */
function hasStates(release: string): boolean {
  return capabilitiesOf({ release, has: [], lacks: [] }).has('states') !== 'no';
}
