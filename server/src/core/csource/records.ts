import { constantValue, wrap } from './constants';
import { readDeclarator, readSpecifiers, skipAnnotation, skipAnnotations } from './declarations';
import { conditional } from './expressions';
import { NAME } from './lexer';
import { type Lowering, MAX_DEPTH } from './lowering';
import { names } from './names';
import { type CType, INT, LONG, type StructField, UINT, UNKNOWN_TYPE } from './types';

const UNION = names.id('union');

/** Reads `struct …` or `union …`, with its members if they are there, and makes them known. */
export function readStruct(l: Lowering): CType {
  const union = l.name() === UNION;
  l.at++;
  const annotations: string[] = [];
  while (skipAnnotation(l, annotations));
  let packed = isPacked(annotations);
  let tag = '';
  if (l.kind[l.at] === NAME) {
    tag = names.text(l.name());
    l.at++;
  }
  while (skipAnnotation(l, annotations));
  if (l.punctuator() !== 123) return tag === '' ? UNKNOWN_TYPE : { k: 'struct', tag };
  if (l.depth > MAX_DEPTH) {
    l.skipBalanced();
    return UNKNOWN_TYPE;
  }
  l.depth++;
  l.at++;
  const fields: StructField[] = [];
  while (!l.ended && l.punctuator() !== 125) {
    const before = l.at;
    readMember(l, fields);
    if (l.at === before) l.at++;
  }
  l.take(125);
  l.depth--;
  const after: string[] = [];
  while (skipAnnotation(l, after));
  packed ||= isPacked(after);
  if (tag === '') tag = l.scope.newTag(fields, union);
  l.scope.structs.set(tag, { tag, union, ...(packed ? { packed } : {}), fields });
  l.scope.changed();
  return { k: 'struct', tag };
}

function isPacked(annotations: readonly string[]): boolean {
  return annotations.some((one) => one.includes('packed'));
}

function readMember(l: Lowering, fields: StructField[]): void {
  if (l.take(59)) return;
  const specifiers = readSpecifiers(l);
  if (!specifiers.found) {
    l.skipTo();
    l.take(59);
    return;
  }
  if (l.punctuator() === 59) {
    if (specifiers.type.k === 'struct') fields.push({ name: '', type: specifiers.type });
    l.at++;
    return;
  }
  for (;;) {
    let type = specifiers.type;
    let name = '';
    if (l.punctuator() !== 58) {
      const declarator = readDeclarator(l, specifiers.type);
      type = declarator.type;
      name = names.text(declarator.id);
    }
    if (l.take(58)) {
      const bits = constantValue(conditional(l), l.scope.struct);
      if (bits !== null && bits >= 0 && bits <= 64) fields.push({ name, type, bits: Number(bits) });
    } else if (name !== '') fields.push({ name, type });
    skipAnnotations(l);
    if (!l.take(44)) break;
  }
  if (l.take(59)) return;
  l.skipTo();
  l.take(59);
}

/** Reads `enum …`, with its enumerators if they are there, and makes them known. */
export function readEnum(l: Lowering): CType {
  l.at++;
  while (skipAnnotation(l));
  if (l.kind[l.at] === NAME) l.at++;
  if (l.punctuator() !== 123) return UINT;
  l.at++;
  let next: number | bigint | null = 0;
  let type: CType = UINT;
  while (!l.ended && l.kind[l.at] === NAME) {
    const name = l.name();
    l.at++;
    skipAnnotations(l);
    if (l.take(61)) next = constantValue(conditional(l), l.scope.struct);
    if (next !== null) {
      if (l.returns !== null) l.bind(name, { k: 'enumerator', value: next });
      else l.scope.enumerators.set(name, next);
      if (next < 0) type = type.k === 'int' && type.bits === 64 ? LONG : INT;
      if (next > 0xffffffff || next < -0x80000000) type = LONG;
      next = wrap(BigInt(next) + 1n, LONG);
    }
    if (!l.take(44)) break;
  }
  if (l.punctuator() !== 125) l.skipTo();
  l.take(125);
  return type;
}
