import type { CType } from '../csource/types';
import type { ModuleParameter } from '../csource/unit';
import { ERRNO } from '../kernel/types';
import type { Interpreter, LoadedModule } from './interpreter';
import { staticBlock } from './program';
import type { Aggregate, Value } from './values';

const WRITABLE = 0o222;
const MAX_CHARP = 1024;

/** Bounds of the integer types that module_param() knows. */
const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  byte: [0n, 0xffn],
  short: [-0x8000n, 0x7fffn],
  ushort: [0n, 0xffffn],
  int: [-0x80000000n, 0x7fffffffn],
  uint: [0n, 0xffffffffn],
  hexint: [0n, 0xffffffffn],
  long: [-(2n ** 63n), 2n ** 63n - 1n],
  ulong: [0n, 2n ** 64n - 1n],
  ullong: [0n, 2n ** 64n - 1n],
};

/** One value as kernel/params.c reads it, or a negative errno. */
export function parseParameter(type: string, text: string | null): Value | { readonly errno: number } {
  if (type === 'bool' || type === 'invbool' || type === 'bool_enable_only') {
    const truth = text === null ? true : boolean(text);
    if (truth === null) return { errno: -ERRNO.EINVAL };
    return truth !== (type === 'invbool') ? 1 : 0;
  }
  if (text === null) return { errno: -ERRNO.EINVAL };
  if (type === 'charp' || type === 'string') {
    if (text.length > MAX_CHARP) return { errno: -ERRNO.ENOSPC };
    return { k: 'string', text, offset: 0 };
  }
  const range = RANGES[type];
  if (range === undefined) return { k: 'unknown', id: `parameter value ${text}` };
  const value = integer(text.trim());
  if (value === null) return { errno: -ERRNO.EINVAL };
  if (value < range[0] || value > range[1]) return { errno: -ERRNO.ERANGE };
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** kstrtobool(): the first letter decides; on and off need their second. */
function boolean(text: string): boolean | null {
  if (/^[yY1tT]/.test(text)) return true;
  if (/^[nN0fF]/.test(text)) return false;
  if (/^[oO][nN]/.test(text)) return true;
  return /^[oO][fF]/.test(text) ? false : null;
}

/** kstrtoll() with base 0: 0x is hexadecimal, a leading 0 octal. */
function integer(text: string): bigint | null {
  const match = /^([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/.exec(text);
  if (match === null) return null;
  const digits = match[2] as string;
  const octal = /^0[0-7]+$/.test(digits);
  const value = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  return match[1] === '-' ? -value : value;
}

/** Writes a parameter's variable. 0, or -errno with nothing written. */
export function setVariable(
  it: Interpreter,
  module: LoadedModule,
  parameter: ModuleParameter,
  text: string | null,
): number {
  const found = findVariable(module, parameter.variable);
  if (found === null) return 0;
  const { block: id, type } = found;
  const block = it.memory.block(id);
  if (block === undefined) return 0;
  if (type?.k === 'array' && parameter.type !== 'string') {
    const values = (text ?? '').split(',').map((part) => parseParameter(parameter.type, part));
    const cells = new Map<string, Value>();
    if (type.length !== null && values.length > type.length) return -ERRNO.EINVAL;
    for (const [i, value] of values.entries()) {
      if (typeof value === 'object' && 'errno' in value) return value.errno;
      cells.set(`[${i}]`, value);
    }
    for (const [path, value] of cells)
      it.memory.store(it.memory.block(id) ?? block, path, value, type.of, null, -1);
    const count = parameter.count === null ? null : findVariable(module, parameter.count);
    const counter = count === null ? undefined : it.memory.block(count.block);
    if (count !== null && counter !== undefined)
      it.memory.store(counter, '', values.length, count.type ?? { k: 'unknown', name: '' }, null, -1);
    return 0;
  }
  const value = parseParameter(parameter.type, text);
  if (typeof value === 'object' && 'errno' in value) return value.errno;
  if (type?.k === 'array' && typeof value === 'object' && value.k === 'string') {
    if (type.length !== null && value.text.length >= type.length) return -ERRNO.ENOSPC;
    const cells = new Map<string, Value>([...value.text].map((c, i) => [`[${i}]`, c.charCodeAt(0)]));
    const written: Aggregate = { k: 'aggregate', cells, fill: 'zero' };
    it.memory.store(block, '', written, type, null, -1);
    return 0;
  }
  it.memory.store(block, '', value, type ?? { k: 'unknown', name: '' }, null, -1);
  return 0;
}

function findVariable(module: LoadedModule, name: string): { block: number; type: CType | null } | null {
  for (const unit of module.image.units) {
    if (!unit.unit.parameters.some(({ variable, count }) => variable === name || count === name)) continue;
    const ref = module.image.resolve(unit, name);
    if (ref.k === 'variable') {
      return {
        block: staticBlock(module.instance, ref.slot),
        type: module.image.slot(ref.slot)?.type ?? null,
      };
    }
  }
  return null;
}

export function findParameter(module: LoadedModule, name: string): ModuleParameter | undefined {
  // The kernel takes - and _ for the same in parameter names.
  const wanted = name.replaceAll('-', '_');
  for (const unit of module.image.program.units) {
    const found = unit.parameters.find((parameter) => parameter.name.replaceAll('-', '_') === wanted);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** insmod's arguments: 0, or the errno with which loading fails. `log` gets what the kernel says about them. */
export function insertParameters(
  it: Interpreter,
  module: LoadedModule,
  given: ReadonlyMap<string, string>,
  log: (line: string) => void,
): number {
  for (const [name, text] of given) {
    const parameter = findParameter(module, name);
    const owner = module.image.program.name;
    if (parameter === undefined) {
      // The module loader takes these two itself.
      if (name === 'async_probe' || name === 'dyndbg') continue;
      log(`${owner}: unknown parameter '${name}' ignored`);
      continue;
    }
    const result = setVariable(it, module, parameter, text);
    if (result === 0) continue;
    const how = result === -ERRNO.ENOSPC ? 'too large' : 'invalid';
    log(`${owner}: \`${text}' ${how} for parameter \`${name}'`);
    return result;
  }
  return 0;
}

/** A write to /sys/module/…/parameters/…: 0 or a negative errno. */
export function writeParameter(it: Interpreter, module: LoadedModule, name: string, text: string): number {
  const parameter = findParameter(module, name);
  if (parameter === undefined || parameter.permissions === 0) return -ERRNO.ENOENT;
  if ((parameter.permissions & WRITABLE) === 0) return -ERRNO.EACCES;
  return setVariable(it, module, parameter, text);
}
