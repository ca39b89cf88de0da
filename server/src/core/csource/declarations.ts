import { ANNOTATIONS, CALLED_ANNOTATIONS, KEYWORDS, looksAnnotated } from './annotations';
import { constantValue } from './constants';
import { pointerTo } from './conversions';
import { conditional, expression } from './expressions';
import { ELLIPSIS, NAME } from './lexer';
import { type Lowering, MAX_DEPTH } from './lowering';
import { names } from './names';
import { readEnum, readStruct } from './records';
import { BOOL, CHAR, type CType, INT, LONG, UINT, ULONG, UNKNOWN_TYPE, VOID } from './types';

export interface Specifiers {
  readonly type: CType;
  readonly typedef: boolean;
  readonly static: boolean;
  readonly extern: boolean;
  /** `__auto_type`: the type is that of the initialiser. */
  readonly auto: boolean;
  readonly annotations: readonly string[];
  /** Whether anything was there that names a type. */
  readonly found: boolean;
}

interface Parameter {
  readonly name: string;
  readonly id: number;
  readonly type: CType;
}

export interface Declarator {
  /** 0 for an abstract one. */
  readonly id: number;
  /** Index of the name's token. */
  readonly token: number;
  readonly type: CType;
  /** Set where the name itself is followed by a parameter list. */
  readonly parameters: readonly Parameter[] | null;
  readonly variadic: boolean;
}

const id = (text: string): number => names.id(text);
const TYPEDEF = id('typedef');
const STATIC = id('static');
const EXTERN = id('extern');
const STRUCT = id('struct');
const UNION = id('union');
const ENUM = id('enum');
const AUTO_TYPE = id('__auto_type');
const VOID_NAME = id('void');
const IGNORED = new Set(
  'const volatile register inline auto restrict __restrict __restrict__ __const __volatile__ __volatile _Thread_local __thread _Atomic'
    .split(' ')
    .map(id),
);
const TYPEOF = new Set(['typeof', '__typeof__', '__typeof', 'typeof_unqual', '__typeof_unqual__'].map(id));
const BASIC = new Map<number, string>(
  'char short int long signed __signed__ unsigned float double _Bool __int128'
    .split(' ')
    .map((text) => [id(text), text]),
);
/** Words that a declaration can begin with. */
const BEGINNINGS = new Set<number>([
  TYPEDEF,
  STATIC,
  EXTERN,
  STRUCT,
  UNION,
  ENUM,
  AUTO_TYPE,
  VOID_NAME,
  ...IGNORED,
  ...TYPEOF,
  ...BASIC.keys(),
]);

/** Whether the token at hand (or further ahead) begins a type for certain: a keyword or a known typedef. */
export function beginsType(l: Lowering, ahead = 0): boolean {
  const name = l.name(ahead);
  return name !== 0 && (BEGINNINGS.has(name) || isTypedef(l, name));
}

function isTypedef(l: Lowering, name: number): boolean {
  const local = l.binding(name);
  if (local !== undefined) return local.k === 'typedef';
  return l.scope.typedef(name) !== undefined;
}

/** Whether the name means a value here: variable, function, parameter or enumerator. */
export function isValue(l: Lowering, name: number): boolean {
  const local = l.binding(name);
  if (local !== undefined) return local.k !== 'typedef';
  return l.scope.global(name) !== undefined || l.scope.enumerator(name) !== undefined;
}

/** Reads declaration specifiers. An unknown name counts as a type if what follows looks like a declarator. */
export function readSpecifiers(l: Lowering): Specifiers {
  let type: CType | null = null;
  let typedef = false;
  let isStatic = false;
  let extern = false;
  let auto = false;
  let found = false;
  const annotations: string[] = [];
  let basic: string[] | null = null;
  for (;;) {
    const name = l.name();
    if (name === 0) break;
    if (name === TYPEDEF) typedef = true;
    else if (name === STATIC) isStatic = true;
    else if (name === EXTERN) extern = true;
    else if (name === AUTO_TYPE) {
      auto = true;
      found = true;
      type = UNKNOWN_TYPE;
    } else if (IGNORED.has(name)) {
      // Says nothing about values.
    } else if (name === VOID_NAME && type === null) {
      type = VOID;
    } else if (BASIC.has(name) && type === null) {
      basic ??= [];
      basic.push(BASIC.get(name) as string);
    } else if (name === STRUCT || name === UNION || name === ENUM) {
      found = true;
      type = name === ENUM ? readEnum(l) : readStruct(l);
      continue;
    } else if (TYPEOF.has(name)) {
      found = true;
      type = readTypeof(l);
      continue;
    } else if (skipAnnotation(l, annotations)) continue;
    else if (type === null && basic === null) {
      const local = l.binding(name);
      const known =
        local === undefined ? l.scope.typedef(name) : local.k === 'typedef' ? local.type : undefined;
      if (known !== undefined) type = known;
      else if (looksLikeType(l)) type = { k: 'unknown', name: names.text(name) };
      else if (BEGINNINGS.has(l.name(1)) || (isTypedef(l, l.name(1)) && l.name(1) !== 0)) {
        annotations.push(names.text(name));
        l.at++;
        continue;
      } else break;
    } else if (l.kind[l.at + 1] === NAME && !KEYWORDS.has(name) && !isAnnotation(l.name(1))) {
      // Two names in a row behind a type: the first is an annotation nobody has told us about.
      annotations.push(names.text(name));
    } else if (looksAnnotated(name) && l.punctuator(1) === 42) {
      annotations.push(names.text(name));
    } else break;
    found = true;
    l.at++;
  }
  const whole: CType = type ?? (basic === null ? INT : basicType(basic));
  return { type: whole, typedef, static: isStatic, extern, auto, annotations, found };
}

/** Whether a name is an annotation or looks like one. */
function isAnnotation(name: number): boolean {
  return ANNOTATIONS.has(name) || looksAnnotated(name);
}

/** `foo_t x`, `foo_t *x`: an unknown name followed by what a declarator begins with. */
function looksLikeType(l: Lowering): boolean {
  const next = l.name(1);
  if (next !== 0) return !BEGINNINGS.has(next) || IGNORED.has(next);
  if (l.punctuator(1) !== 42) return false;
  let ahead = 1;
  while (l.punctuator(ahead) === 42 || IGNORED.has(l.name(ahead)) || ANNOTATIONS.has(l.name(ahead))) ahead++;
  return true;
}

function basicType(words: readonly string[]): CType {
  const has = (word: string): boolean => words.includes(word);
  if (has('_Bool')) return BOOL;
  if (has('float')) return { k: 'unknown', name: 'float' };
  if (has('double')) return { k: 'unknown', name: 'double' };
  if (has('__int128')) return { k: 'unknown', name: '__int128' };
  const signed = !has('unsigned');
  if (has('char')) return signed ? CHAR : { k: 'int', bits: 8, signed };
  if (has('short')) return { k: 'int', bits: 16, signed };
  if (has('long')) return signed ? LONG : ULONG;
  return signed ? INT : UINT;
}

function readTypeof(l: Lowering): CType {
  l.at++;
  if (!l.take(40)) return UNKNOWN_TYPE;
  const type = beginsType(l) ? readTypeName(l) : expression(l).type;
  if (!l.take(41)) {
    l.skipTo();
    l.take(41);
  }
  return type;
}

/** Steps over an annotation of the tables; false if none is at hand. */
export function skipAnnotation(l: Lowering, into: string[] | null = null): boolean {
  const name = l.name();
  if (name === 0) return false;
  if (CALLED_ANNOTATIONS.has(name) && l.punctuator(1) === 40) {
    const from = l.at;
    l.at++;
    l.skipBalanced();
    into?.push(l.text(from));
    return true;
  }
  if (!ANNOTATIONS.has(name)) return false;
  into?.push(names.text(name));
  l.at++;
  return true;
}

/** Steps over what may stand between a declarator and its `=`, `,`, `;` or body. */
export function skipAnnotations(l: Lowering, into: string[] | null = null): void {
  for (;;) {
    if (skipAnnotation(l, into)) continue;
    const name = l.name();
    if (name !== 0 && looksAnnotated(name) && !KEYWORDS.has(name)) {
      const from = l.at;
      l.at++;
      if (l.punctuator() === 40) l.skipBalanced();
      into?.push(l.text(from));
      continue;
    }
    return;
  }
}

/** Reads a declarator, abstract or not, for something of type `base`. */
export function readDeclarator(l: Lowering, base: CType): Declarator {
  let type = base;
  for (;;) {
    if (l.punctuator() === 42) {
      l.at++;
      type = pointerTo(type);
    } else if (IGNORED.has(l.name())) l.at++;
    else if (!skipAnnotation(l) && !isOddAnnotation(l)) break;
  }
  if (l.punctuator() === 40 && isInner(l) && l.depth < MAX_DEPTH) {
    const open = l.at;
    l.skipBalanced();
    const suffix = readSuffix(l, type);
    const after = l.at;
    l.at = open + 1;
    l.depth++;
    const inner = readDeclarator(l, suffix.type);
    l.depth--;
    l.at = after;
    if (inner.parameters === null && inner.type === suffix.type && suffix.parameters !== null) {
      return { ...inner, parameters: suffix.parameters, variadic: suffix.variadic };
    }
    return inner;
  }
  let token = l.at;
  let name = l.name();
  if (name !== 0 && !KEYWORDS.has(name)) l.at++;
  else {
    name = 0;
    token = Math.max(0, l.at - 1);
  }
  return { id: name, token, ...readSuffix(l, type) };
}

/** `void __acme *p`: an annotation by its looks, in front of a name or a further star. */
function isOddAnnotation(l: Lowering): boolean {
  const name = l.name();
  if (name === 0 || !looksAnnotated(name)) return false;
  const next = l.name(1);
  if (l.punctuator(1) !== 42 && (next === 0 || KEYWORDS.has(next))) return false;
  l.at++;
  return true;
}

/** Whether the parenthesis at hand holds a declarator rather than parameters. */
function isInner(l: Lowering): boolean {
  const next = l.punctuator(1);
  if (next === 42 || next === 94 || next === 40 || next === 91) return true;
  const name = l.name(1);
  return (
    name !== 0 &&
    !beginsType(l, 1) &&
    (l.punctuator(2) === 41 || l.punctuator(2) === 91 || ANNOTATIONS.has(name))
  );
}

interface Suffix {
  readonly type: CType;
  readonly parameters: readonly Parameter[] | null;
  readonly variadic: boolean;
}

function readSuffix(l: Lowering, of: CType): Suffix {
  if (l.punctuator() === 91) {
    const lengths: (number | null)[] = [];
    while (l.take(91)) {
      let length: number | null = null;
      while (IGNORED.has(l.name()) || l.name() === STATIC) l.at++;
      if (l.punctuator() !== 93) {
        const value = constantValue(conditional(l), l.scope.struct);
        if (value !== null && value >= 0 && value <= 0x7fffffff) length = Number(value);
      }
      lengths.push(length);
      if (!l.take(93)) {
        l.skipTo();
        l.take(93);
      }
    }
    let type = of;
    for (let i = lengths.length - 1; i >= 0; i--) type = { k: 'array', of: type, length: lengths[i] ?? null };
    return { type, parameters: null, variadic: false };
  }
  if (l.punctuator() === 40) {
    const { parameters, variadic } = readParameters(l);
    return { type: { k: 'function', returns: of }, parameters, variadic };
  }
  return { type: of, parameters: null, variadic: false };
}

function readParameters(l: Lowering): { parameters: Parameter[]; variadic: boolean } {
  const parameters: Parameter[] = [];
  let variadic = false;
  l.at++;
  if (l.depth > MAX_DEPTH) {
    l.at--;
    l.skipBalanced();
    return { parameters, variadic };
  }
  l.depth++;
  while (!l.ended && l.punctuator() !== 41) {
    const from = l.at;
    if (l.take(ELLIPSIS)) variadic = true;
    else {
      const specifiers = readSpecifiers(l);
      const declarator = readDeclarator(l, specifiers.type);
      skipAnnotations(l);
      const nothing = declarator.id === 0 && declarator.type.k === 'void';
      if (specifiers.found && !nothing) {
        parameters.push({
          name: names.text(declarator.id),
          id: declarator.id,
          type: parameterType(declarator.type),
        });
      }
    }
    if (l.punctuator() !== 44 && l.punctuator() !== 41) l.skipTo(44);
    if (!l.take(44) && (l.punctuator() !== 41 || l.at === from)) break;
  }
  l.take(41);
  l.depth--;
  return { parameters, variadic };
}

function parameterType(type: CType): CType {
  if (type.k === 'array') return pointerTo(type.of);
  return type.k === 'function' ? pointerTo(type) : type;
}

/** Reads `struct x *` and the like. */
export function readTypeName(l: Lowering): CType {
  const specifiers = readSpecifiers(l);
  const declarator = readDeclarator(l, specifiers.type);
  skipAnnotations(l);
  return declarator.type;
}
