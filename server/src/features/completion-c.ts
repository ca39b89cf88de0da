import { CALLBACK_KINDS, type CallbackKind } from '../core/kernel/types';
import type { Analysis } from './analysis';
import { type CCursor, cursorIn } from './c-cursor';
import type { Completion } from './completion';
import { ID_ARGUMENTS, type IdKind, idSites } from './id-sites';
import { inlineCode } from './markdown';
import { callbacksOf } from './mentions';

/** How each callback is declared, as in struct klp_callbacks of include/linux/livepatch.h. */
export const SIGNATURES: Readonly<Record<CallbackKind, string>> = {
  pre_patch: 'int pre_patch(struct klp_object *obj)',
  post_patch: 'void post_patch(struct klp_object *obj)',
  pre_unpatch: 'void pre_unpatch(struct klp_object *obj)',
  post_unpatch: 'void post_unpatch(struct klp_object *obj)',
};

/** When the kernel calls each of them, in one sentence. */
export const WHEN: Readonly<Record<CallbackKind, string>> = {
  pre_patch:
    'Called before the transition to the patched state begins. An error stops it: the livepatch, or the module that comes, is not loaded.',
  post_patch: 'Called once the transition to the patched state is complete.',
  pre_unpatch:
    'Called before the transition to the unpatched state begins. Never called when another livepatch replaces this one.',
  post_unpatch:
    'Called once the transition to the unpatched state is complete. Never called when another livepatch replaces this one.',
};

/** In C: `.replace`, callbacks in their table, and the ids of states and shadow variables that the lineage knows. */
export function completeC(analysis: Analysis, file: string, offset: number): Completion[] {
  const cursor = cursorIn(analysis.text(file), offset);
  if (!cursor) return [];
  const { structure, member, dot, call } = cursor;
  if (call) {
    const where = Object.hasOwn(ID_ARGUMENTS, call.name) ? ID_ARGUMENTS[call.name] : undefined;
    return where && where.argument === call.argument ? ids(analysis, file, where.kind, cursor) : [];
  }
  if (structure === 'klp_state' && member === 'id') return ids(analysis, file, 'state', cursor);
  if (member !== null)
    return structure === 'klp_callbacks' || structure === 'klp_object'
      ? functions(analysis, file, member, cursor)
      : [];
  if (dot !== null) {
    if (structure === 'klp_patch') return [replace(cursor)];
    if (structure === 'klp_callbacks') return members(cursor, '');
    if (structure === 'klp_object') return members(cursor, 'callbacks.');
  }
  return [];
}

function replace({ word }: CCursor): Completion {
  const documentation =
    'This livepatch takes over from all older ones in one transition; none of their callbacks is called. With `false` it is added on top.';
  const insert = 'replace = true';
  return { label: 'replace', kind: 'key', detail: 'bool', documentation, insert, span: word };
}

function members({ word: span }: CCursor, prefix: string): Completion[] {
  return CALLBACK_KINDS.map((callback) => ({
    label: `${prefix}${callback}`,
    kind: 'callback',
    detail: SIGNATURES[callback],
    documentation: WHEN[callback],
    insert: `${prefix}${callback} = `,
    span,
  }));
}

/** Functions of this file with the parameter of a callback, those that other versions use for it first. */
function functions(analysis: Analysis, file: string, member: string, { word: span }: CCursor): Completion[] {
  const callback = CALLBACK_KINDS.find((it) => it === member);
  if (!callback) return [];
  const used = new Set(
    analysis.lineage.versions
      .flatMap(callbacksOf)
      .filter((it) => it.callback.callback === callback)
      .map((it) => it.callback.function),
  );
  const found = new Set<string>();
  for (const version of analysis.lineage.versions) {
    for (const unit of analysis.unitsOf(version).filter((it) => it.files.includes(file))) {
      for (const { name, parameters } of unit.functions.values()) {
        const type = parameters[0]?.type;
        const isObject = type?.k === 'pointer' && type.to.k === 'struct' && type.to.tag === 'klp_object';
        if (parameters.length === 1 && isObject) found.add(name);
      }
    }
  }
  const order = [...found].sort((a, b) => Number(used.has(b)) - Number(used.has(a)));
  return order.map((label) => ({
    label,
    kind: 'callback',
    detail: used.has(label) ? `${callback} of this lineage` : 'takes a klp_object',
    documentation: WHEN[callback],
    insert: label,
    span,
  }));
}

/** The ids that the lineage uses, each once as written, with the versions that do. */
function ids(analysis: Analysis, file: string, kind: IdKind, { word: span }: CCursor): Completion[] {
  const users = new Map<string, Set<string>>();
  const values = new Map<string, string>();
  for (const site of idSites(analysis)) {
    const { place } = site;
    // What is being written is no id yet.
    const isTyped = place.file === file && place.start <= span.start && place.end >= span.end;
    if (site.kind !== kind || isTyped) continue;
    users.set(site.text, (users.get(site.text) ?? new Set()).add(site.version.name));
    values.set(site.text, site.id);
  }
  return [...users].map(([label, versions]) => ({
    label,
    kind: 'constant',
    detail: `${kind === 'state' ? 'state' : 'shadow variable'} of ${[...versions].join(', ')}`,
    documentation: values.get(label) === label ? '' : `= ${inlineCode(values.get(label) ?? '')}`,
    insert: label,
    span,
  }));
}
