import { blockComment, commentText, slug } from './c-text';
import type { AddedNames } from './merge';
import type { Guard, Remedy } from './remedy';
import type { CarriedState } from './states';

/** What the added C file is made from. Names of versions as the workspace has them. */
export interface CleanupFile {
  readonly restore: string;
  readonly after: readonly string[];
  readonly as: string;
  /** SPDX identifier; safe for C. */
  readonly license: string;
  readonly names: AddedNames;
  readonly remedies: readonly Remedy[];
  /** The whole table, where the good version has none; else empty. */
  readonly states: readonly CarriedState[];
  readonly noFuncs: boolean;
  /** Headers that the faulty versions include, for names whose header nobody knows. */
  readonly foreignHeaders: readonly string[];
  /** "v2/main.c:31" of a remedy. */
  readonly where: (remedy: Remedy) => string | null;
}

type StateGuard = Extract<Guard, { readonly k: 'state' }>;

/** The added C file: state table, one static function for each thing to undo, and the cleanup that calls them. */
export function cleanupSource(file: CleanupFile): string {
  const after = file.after.map(commentText).join(', ');
  const restore = commentText(file.restore);
  const { names, remedies } = file;
  const out: string[] = [`// SPDX-License-Identifier: ${file.license}`];
  out.push(
    ...blockComment([
      `What ${commentText(file.as)} adds to ${restore}: the cleanup after ${after}.`,
      "When one cumulative livepatch replaces another, none of the replaced one's callbacks run: what they did stays. " +
        `Here it is undone by the livepatch that comes after, in post_patch: by then nothing can call the code of ${after} ` +
        'any more, its module is still in memory, and a transition that is reversed never gets here.',
      `Where ${after} was never installed, nothing here does anything.`,
    ]),
  );
  const logs = remedies.some((remedy) => remedy.body.some((line) => line.includes('pr_info(')));
  if (logs) out.push('', '#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt');
  out.push('', ...includes(file), '', `#include "${names.header}"`);
  if (file.states.length > 0) out.push('', ...stateTable(file));
  if (file.noFuncs) {
    out.push(
      '',
      ...blockComment(['No function of vmlinux is patched; the object is there for its callback.']),
    );
    out.push(`struct klp_func ${names.noFuncs}[] = {`, '\t{ }', '};');
  }
  const definitions = new Map(remedies.flatMap((remedy) => [...remedy.definitions]));
  if (definitions.size > 0) out.push('', ...blockComment([`As in ${after}.`]));
  [...definitions.values()].forEach((text, index) =>
    out.push(...(index > 0 ? [''] : []), ...text.split('\n')),
  );
  const guarded = remedies.some((remedy) => remedy.guard.k === 'state');
  if (guarded) out.push('', ...guardFunction(after));
  const functions = functionNames(remedies);
  remedies.forEach((remedy, index) => out.push('', ...remedyFunction(file, remedy, functions[index] ?? '')));
  if (remedies.length > 0) out.push('', ...cleanupFunction(file, functions));
  return `${out.join('\n')}\n`;
}

/** The header that the good version's tables get their new names from. */
export function cleanupHeader(file: CleanupFile): string {
  const { names } = file;
  const guard = `_${names.header.replace(/[^A-Za-z0-9]/g, '_').toUpperCase()}`;
  const out = [
    `/* SPDX-License-Identifier: ${file.license} */`,
    `/* What ${commentText(file.as)} adds to ${commentText(file.restore)}. */`,
    `#ifndef ${guard}`,
    `#define ${guard}`,
    '',
    '#include <linux/livepatch.h>',
    '',
  ];
  if (file.states.length > 0) out.push(`extern struct klp_state ${names.states}[];`);
  if (file.noFuncs) out.push(`extern struct klp_func ${names.noFuncs}[];`);
  if (file.states.length > 0 || file.noFuncs) out.push('');
  if (file.remedies.length > 0) out.push(`void ${names.cleanup}(struct klp_object *obj);`, '');
  out.push(`#endif /* ${guard} */`);
  return `${out.join('\n')}\n`;
}

/** The `#include` lines for what the remedies call. */
export function includes(file: CleanupFile): string[] {
  const headers = new Set(['linux/livepatch.h']);
  for (const remedy of file.remedies) for (const header of remedy.headers) headers.add(header);
  const foreign =
    file.remedies.some((remedy) => remedy.foreign) ||
    file.states.some((state) => typeof state.id === 'string');
  if (foreign) for (const header of file.foreignHeaders) headers.add(header);
  return [...headers].sort().map((header) => `#include <${header}>`);
}

function stateTable(file: CleanupFile): string[] {
  const lines = blockComment([
    `The kernel lets a cumulative livepatch in only if it carries every state of the installed ones. The version is one ` +
      `more than the newest of ${file.after.map(commentText).join(', ')}: so later livepatches can tell what was left from what was cleaned.`,
  ]);
  lines.push(`struct klp_state ${file.names.states}[] = {`);
  for (const state of file.states)
    lines.push('\t{', `\t\t.id = ${String(state.id)},`, `\t\t.version = ${state.version},`, '\t},');
  lines.push('\t{ }', '};');
  return lines;
}

function guardFunction(after: string): string[] {
  return [
    ...blockComment([
      `The entry that ${after} left in its state table, or NULL. A newer version of the state means that it has been ` +
        'cleaned already. To be called in a transition only: in callbacks of vmlinux that is always so.',
    ]),
    'static struct klp_state *left_state(unsigned long id, unsigned int first, unsigned int last)',
    '{',
    '\tstruct klp_state *prev = klp_get_prev_state(id);',
    '',
    '\tif (!prev || prev->version < first || prev->version > last)',
    '\t\treturn NULL;',
    '\treturn prev;',
    '}',
  ];
}

/** The name of each remedy's function. */
export function functionNames(remedies: readonly Remedy[]): string[] {
  const taken = new Set<string>();
  return remedies.map((remedy) => {
    const base = `${remedy.verb}_left_${slug(remedy.object)}`;
    let name = base;
    for (let n = 2; taken.has(name); n++) name = `${base}_${n}`;
    taken.add(name);
    return name;
  });
}

function takesEntry(remedy: Remedy): boolean {
  return (
    remedy.guard.k === 'state' && (remedy.guard.data || remedy.body.some((line) => /\bprev\b/.test(line)))
  );
}

/** The function that undoes one thing, with the comment above it. */
export function remedyFunction(file: CleanupFile, remedy: Remedy, name: string): string[] {
  const where = file.where(remedy);
  const made = where === null ? '' : ` (${commentText(where)})`;
  const what = commentText(remedy.what);
  const lines = blockComment([
    `${what[0]?.toUpperCase() ?? ''}${what.slice(1)} of ${commentText(remedy.version.name)}${made}. ${remedy.explanation}`,
  ]);
  const takes = takesEntry(remedy);
  lines.push(`static void ${name}(${takes ? 'struct klp_state *prev' : 'void'})`, '{');
  for (const line of remedy.declarations) lines.push(`\t${line}`);
  if (remedy.declarations.length > 0) lines.push('');
  if (remedy.guard.k === 'state' && remedy.guard.data) lines.push('\tif (!prev->data)', '\t\treturn;', '');
  for (const line of remedy.body) lines.push(line === '' ? '' : `\t${line}`);
  lines.push('}');
  return lines;
}

/** The function that calls all of them. */
export function cleanupFunction(file: CleanupFile, functions: readonly string[]): string[] {
  const guards = file.remedies.some((remedy) => remedy.guard.k === 'state');
  const lines = blockComment([
    `post_patch of vmlinux: runs when the transition to ${commentText(file.as)} is complete, and again after a disable that was turned round; then there is nothing to do.`,
  ]);
  lines.push(`void ${file.names.cleanup}(struct klp_object *obj)`, '{');
  if (guards) lines.push('\tstruct klp_state *prev;', '');
  for (let i = 0; i < file.remedies.length; ) {
    const guard = file.remedies[i]?.guard;
    if (guard?.k !== 'state') {
      lines.push(`\t${functions[i] ?? ''}();`);
      i++;
      continue;
    }
    const calls: string[] = [];
    for (; i < file.remedies.length && sameGuard(file.remedies[i]?.guard, guard); i++) {
      const remedy = file.remedies[i];
      if (remedy) calls.push(`\t\t${functions[i] ?? ''}(${takesEntry(remedy) ? 'prev' : ''});`);
    }
    if (lines[lines.length - 1] !== '') lines.push('');
    lines.push(`\tprev = left_state(${String(guard.id)}, ${guard.from}, ${guard.to});`);
    lines.push(
      calls.length > 1 ? '\tif (prev) {' : '\tif (prev)',
      ...calls,
      ...(calls.length > 1 ? ['\t}'] : []),
    );
    if (i < file.remedies.length && file.remedies[i]?.guard.k !== 'state') lines.push('');
  }
  lines.push('}');
  return lines;
}

function sameGuard(a: Guard | undefined, b: StateGuard): boolean {
  return a?.k === 'state' && a.id === b.id && a.from === b.from && a.to === b.to;
}
