import { type Integer, isErrorPointer, wrap } from './integers';
import { isInteger, type Unknown, type Value } from './values';

/** Stands in a printed line for what is not known; a comparison takes it for a wildcard. */
export const PLACEHOLDER = '<?>';

/** What formatting asks of memory. */
export interface FormatSource {
  /** The C string a value points at; null if not known. */
  string(value: Value): string | null;
  /** What a `gfp_t *` and the like points at. */
  behind(value: Value): Value;
  /** Name of a loaded module. */
  moduleName(instance: number): string;
}

// Flags, width, precision, length modifier, conversion. %p takes letters that say what it points at.
const SPEC = /%([-+ #0]*)(\*|[1-9]\d*)?(?:\.(\*|\d+)?)?(hh|h|ll|l|L|z|Z|t|j|q)?([a-zA-Z%])/g;

/**
 * Formats as lib/vsprintf.c does. An argument that is not known prints as PLACEHOLDER, a constant without a known
 * value as its name.
 */
export function formatKernel(source: FormatSource, format: string, args: readonly Value[]): string {
  let next = 0;
  let result = '';
  let last = 0;
  SPEC.lastIndex = 0;
  for (let match = SPEC.exec(format); match !== null; match = SPEC.exec(format)) {
    result += format.slice(last, match.index);
    last = SPEC.lastIndex;
    const conversion = match[5] as string;
    if (conversion === '%') {
      result += '%';
      continue;
    }
    let flags = match[1] ?? '';
    let width = 0;
    if (match[2] === '*') {
      const given = args[next++];
      width = typeof given === 'number' ? given : 0;
      if (width < 0) {
        flags += '-';
        width = -width;
      }
    } else if (match[2] !== undefined) width = Number(match[2]);
    let precision = -1;
    if (match[0].includes('.')) {
      if (match[3] === '*') {
        const given = args[next++];
        precision = typeof given === 'number' ? given : -1;
      } else precision = Number(match[3] ?? 0);
    }
    let pointee = '';
    if (conversion === 'p') {
      const letters = /^[a-zA-Z0-9]*/.exec(format.slice(last));
      pointee = letters?.[0] ?? '';
      last += pointee.length;
      SPEC.lastIndex = last;
    }
    const value = args[next++];
    width = Math.min(width, 1024);
    result += one(source, { flags, width, precision, length: match[4] ?? '', conversion, pointee }, value);
  }
  return result + format.slice(last);
}

interface Spec {
  readonly flags: string;
  readonly width: number;
  readonly precision: number;
  readonly length: string;
  readonly conversion: string;
  readonly pointee: string;
}

function one(source: FormatSource, spec: Spec, value: Value | undefined): string {
  if (value === undefined) return PLACEHOLDER;
  switch (spec.conversion) {
    case 's':
      return pad(text(source, value, spec.precision), spec, ' ');
    case 'c':
      return isInteger(value)
        ? pad(String.fromCharCode(Number(wrap(value, 8, false))), spec, ' ')
        : unknownText(value);
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o':
      return number(spec, value);
    case 'p':
      return pointer(source, spec, value);
    default:
      return PLACEHOLDER;
  }
}

function unknownText(value: Value): string {
  if (typeof value === 'object' && value.k === 'unknown') return symbolText(value);
  return PLACEHOLDER;
}

/** `(GFP_KERNEL | __GFP_ZERO)` prints as the kernel's tables would: GFP_KERNEL|__GFP_ZERO. */
function symbolText(value: Unknown): string {
  return value.symbolic ? value.id.replaceAll(/[() ]/g, '') : PLACEHOLDER;
}

function text(source: FormatSource, value: Value, precision: number): string {
  if (value === 0) return cut('(null)', precision);
  if (isInteger(value)) return isErrorPointer(value) ? '(efault)' : PLACEHOLDER;
  if (value.k === 'unknown') return symbolText(value);
  const known = source.string(value);
  return known === null ? PLACEHOLDER : cut(known, precision);
}

function cut(known: string, precision: number): string {
  return precision >= 0 ? known.slice(0, precision) : known;
}

function pad(known: string, spec: Spec, fill: string): string {
  if (known.length >= spec.width) return known;
  return spec.flags.includes('-') ? known.padEnd(spec.width) : known.padStart(spec.width, fill);
}

const BITS: Readonly<Record<string, number>> = {
  hh: 8,
  h: 16,
  l: 64,
  ll: 64,
  L: 64,
  z: 64,
  Z: 64,
  t: 64,
  j: 64,
  q: 64,
};

function number(spec: Spec, value: Value): string {
  if (!isInteger(value)) return pad(unknownText(value), spec, ' ');
  const signed = spec.conversion === 'd' || spec.conversion === 'i';
  const known = wrap(value, BITS[spec.length] ?? 32, signed);
  const negative = known < 0;
  const magnitude: Integer = typeof known === 'bigint' ? (negative ? -known : known) : Math.abs(known);
  const base = spec.conversion === 'o' ? 8 : spec.conversion === 'x' || spec.conversion === 'X' ? 16 : 10;
  let digits = magnitude.toString(base);
  if (spec.conversion === 'X') digits = digits.toUpperCase();
  if (spec.precision === 0 && known === 0) digits = '';
  digits = digits.padStart(Math.max(spec.precision, 0), '0');
  let sign = '';
  if (signed) sign = negative ? '-' : spec.flags.includes('+') ? '+' : spec.flags.includes(' ') ? ' ' : '';
  if (spec.flags.includes('#')) {
    if (base === 16) sign = spec.conversion === 'X' ? '0X' : '0x';
    else if (base === 8 && known !== 0) sign = '0';
  }
  if (spec.flags.includes('0') && !spec.flags.includes('-') && spec.precision < 0) {
    digits = digits.padStart(spec.width - sign.length, '0');
  }
  return pad(sign + digits, spec, ' ');
}

function pointer(source: FormatSource, spec: Spec, value: Value): string {
  const kind = spec.pointee;
  if (kind.startsWith('Gg') || kind.startsWith('Gp') || kind.startsWith('Gv')) {
    const flags = source.behind(value);
    if (typeof flags === 'object') return pad(unknownText(flags), spec, ' ');
    return pad(kind.startsWith('Gg') ? gfpText(Number(flags)) : PLACEHOLDER, spec, ' ');
  }
  if (/^[SsBf]/.test(kind) && typeof value === 'object' && value.k === 'function') {
    const module = value.instance === null ? '' : ` [${source.moduleName(value.instance)}]`;
    const offset = kind.startsWith('s') ? '' : `+0x0/${PLACEHOLDER}`;
    return pad(`${value.name}${offset}${module}`, spec, ' ');
  }
  if (kind.startsWith('e') && isInteger(value) && isErrorPointer(value)) {
    const errno = -Number(wrap(value, 64, true));
    return pad(ERRNO_NAMES[errno] === undefined ? `-${errno}` : `-${ERRNO_NAMES[errno]}`, spec, ' ');
  }
  return PLACEHOLDER;
}

const ERRNO_NAMES: Readonly<Record<number, string>> = {
  1: 'EPERM',
  2: 'ENOENT',
  3: 'ESRCH',
  4: 'EINTR',
  5: 'EIO',
  6: 'ENXIO',
  7: 'E2BIG',
  8: 'ENOEXEC',
  9: 'EBADF',
  10: 'ECHILD',
  11: 'EAGAIN',
  12: 'ENOMEM',
  13: 'EACCES',
  14: 'EFAULT',
  16: 'EBUSY',
  17: 'EEXIST',
  18: 'EXDEV',
  19: 'ENODEV',
  20: 'ENOTDIR',
  21: 'EISDIR',
  22: 'EINVAL',
  23: 'ENFILE',
  24: 'EMFILE',
  25: 'ENOTTY',
  27: 'EFBIG',
  28: 'ENOSPC',
  29: 'ESPIPE',
  30: 'EROFS',
  32: 'EPIPE',
  33: 'EDOM',
  34: 'ERANGE',
  38: 'ENOSYS',
  95: 'EOPNOTSUPP',
  110: 'ETIMEDOUT',
};

/** Names of allocation flags, longest combinations first. Their values differ between releases: a flag named in C keeps its name. */
const GFP: readonly (readonly [number, string])[] = [
  [0x1d24ca, 'GFP_TRANSHUGE'],
  [0x1d20ca, 'GFP_TRANSHUGE_LIGHT'],
  [0x100cca, 'GFP_HIGHUSER_MOVABLE'],
  [0x100cc2, 'GFP_HIGHUSER'],
  [0x100cc0, 'GFP_USER'],
  [0x400cc0, 'GFP_KERNEL_ACCOUNT'],
  [0xcc0, 'GFP_KERNEL'],
  [0xc40, 'GFP_NOFS'],
  [0xa20, 'GFP_ATOMIC'],
  [0xc00, 'GFP_NOIO'],
  [0x800, 'GFP_NOWAIT'],
  [0x1, 'GFP_DMA'],
  [0x2, '__GFP_HIGHMEM'],
  [0x4, 'GFP_DMA32'],
  [0x20, '__GFP_HIGH'],
  [0x200, '__GFP_ATOMIC'],
  [0x40, '__GFP_IO'],
  [0x80, '__GFP_FS'],
  [0x2000, '__GFP_NOWARN'],
  [0x4000, '__GFP_RETRY_MAYFAIL'],
  [0x8000, '__GFP_NOFAIL'],
  [0x10000, '__GFP_NORETRY'],
  [0x40000, '__GFP_COMP'],
  [0x100, '__GFP_ZERO'],
  [0x80000, '__GFP_NOMEMALLOC'],
  [0x20000, '__GFP_MEMALLOC'],
  [0x100000, '__GFP_HARDWALL'],
  [0x200000, '__GFP_THISNODE'],
  [0x10, '__GFP_RECLAIMABLE'],
  [0x8, '__GFP_MOVABLE'],
  [0x400000, '__GFP_ACCOUNT'],
  [0x1000, '__GFP_WRITE'],
  [0xc00, '__GFP_RECLAIM'],
  [0x400, '__GFP_DIRECT_RECLAIM'],
  [0x800, '__GFP_KSWAPD_RECLAIM'],
];

function gfpText(flags: number): string {
  if (flags === 0) return 'none';
  const names: string[] = [];
  let rest = flags;
  for (const [mask, name] of GFP) {
    if ((rest & mask) !== mask) continue;
    names.push(name);
    rest &= ~mask;
    if (rest === 0) break;
  }
  if (rest !== 0) names.push(`0x${rest.toString(16)}`);
  return names.join('|');
}
