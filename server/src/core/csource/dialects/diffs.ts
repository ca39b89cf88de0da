import type { Place } from '../../place';
import type { DialectInput, DialectName, Reading, ReadingProblem, SourceFile } from './dialect';
import { type KernelObject, objectOf } from './kernel-object';
import { MadeText, relocateInto, type Source } from './made-text';
import { PatchedFile } from './patched-file';
import { type CallbackUse, type FileText, textOf } from './patched-text';
import { readUnifiedDiff } from './unified-diff';

/** In what the two tools that build livepatches from diffs differ. */
export interface DiffTool {
  /** Their macros: KPATCH_PRE_PATCH_CALLBACK, KLP_PRE_PATCH_CALLBACK. */
  readonly macros: 'KPATCH' | 'KLP';
  /** Whether the last object that was found stands first in the table. */
  readonly reversed: boolean;
  readonly init: string;
  readonly exit: string;
  /** What becomes of two callbacks of a kind for one object. */
  readonly duplicate: string;
}

/** Whether these sources are diffs. */
export function isDiffs(files: readonly SourceFile[]): boolean {
  const named = (pattern: RegExp): boolean => files.some(({ file }) => pattern.test(file));
  return named(/\.(?:patch|diff)$/) && !named(/\.c$/);
}

/** Whether a dialect's sources are diffs. */
export function isDiffDialect(dialect: DialectName): boolean {
  return dialect === 'kpatch' || dialect === 'klp-build';
}

interface Member {
  readonly unit: number;
  readonly path: string;
  readonly text: FileText;
  readonly object: KernelObject;
}

interface ObjectPlan {
  readonly name: string | null;
  readonly place: Source;
  readonly functions: { readonly name: string; readonly variable: string; readonly place: Source }[];
  readonly callbacks: Map<string, { readonly variable: string; readonly use: CallbackUse }>;
}

/**
 * Reads diffs as the module that the tool makes of them: one text for each patched .c file, with what of it is new or
 * changed as far as the diffs show it, and one for the tables and the init that the tool adds. Never fails.
 */
export function readDiffs(input: DialectInput, tool: DiffTool): Reading {
  const problems: ReadingProblem[] = [];
  const sources = input.files.filter(({ file }) => !/\.[ch]$/.test(file));
  const patched = compose(sources, problems);
  const prefix = `diffs-of:${input.module}`;
  const made = new Map<string, MadeText>();
  const fileOf = (diff: number): string => sources[diff]?.file ?? '';
  const headers = patched.filter(({ path }) => path.endsWith('.h'));
  for (const file of headers) {
    const { text, changes } = textOf(file, -1, tool.macros, fileOf, []);
    made.set(`${prefix}/${file.path}`, text);
    if (changes) problems.push(headerNote(file, fileOf));
  }
  const includes = headers.map(({ path }) => `${prefix}/${path}`);
  const members = patched
    .filter(({ path }) => path.endsWith('.c'))
    .map((file, unit): Member => {
      const text = textOf(file, unit, tool.macros, fileOf, includes);
      problems.push(...text.problems);
      made.set(`${prefix}/${file.path}`, text.text);
      return { unit, path: file.path, text, object: objectOf(file.path, input.tree) };
    });
  const objects = planObjects(members, tool, problems);
  const first = members[0]?.text.place ?? { file: fileOf(0), start: 0, end: 0 };
  if (sources.length > 0) {
    const ordered = tool.reversed ? objects.toReversed() : objects;
    made.set(prefix, mainText(ordered, tool, input.replace !== false, first));
  }
  return {
    units: [...members.map(({ path }) => `${prefix}/${path}`), ...(sources.length > 0 ? [prefix] : [])],
    texts: new Map([...made].map(([name, { text }]) => [name, text])),
    relocate: relocateInto(made),
    problems,
  };
}

/** Hunks that one version may have. */
const MAX_HUNKS = 20_000;

/** The files of the kernel tree as all diffs leave them, in the order in which they are first named. */
export function compose(sources: readonly SourceFile[], problems: ReadingProblem[]): PatchedFile[] {
  const files = new Map<string, PatchedFile>();
  let hunks = 0;
  for (const [diff, { file, text: read }] of sources.entries()) {
    const text = read() ?? '';
    const found = readUnifiedDiff(text);
    for (const { message, start, end } of found.problems)
      problems.push({ message, place: { file, start, end }, severity: 'warning' });
    if (found.files.length === 0)
      problems.push({
        message: 'This is no unified diff: nothing is read from it.',
        place: { file, start: 0, end: 0 },
      });
    for (const patch of found.files) {
      hunks += patch.hunks.length;
      if (hunks > MAX_HUNKS) {
        const { start, end } = patch.place;
        problems.push({
          message: `More than ${MAX_HUNKS} hunks: the rest is not read.`,
          place: { file, start, end },
        });
        return [...files.values()];
      }
      if (patch.to === null) {
        files.delete(patch.from ?? '');
        continue;
      }
      let target = files.get(patch.to);
      if (!target) {
        target = new PatchedFile(patch.to, { diff, start: patch.place.start, end: patch.place.end });
        const before = patch.from === null ? undefined : files.get(patch.from);
        if (before && patch.from !== patch.to) {
          target.stretches.push(...before.stretches);
          target.removed.push(...before.removed);
          files.delete(before.path);
        }
        files.set(patch.to, target);
      }
      for (const hunk of target.apply(patch, diff, text)) {
        problems.push({
          message: `The hunk does not apply: the lines around it are not what the earlier diffs leave of ${patch.to}.`,
          place: { file, ...hunk.place },
        });
      }
    }
  }
  return [...files.values()];
}

function headerNote(file: PatchedFile, fileOf: (diff: number) => string): ReadingProblem {
  const { diff, start, end } = file.place;
  return {
    severity: 'information',
    message: `${file.path} changes: every function that uses what changes in it is replaced as well; which these are only the build tells, so they are not listed.`,
    place: { file: fileOf(diff), start, end },
  };
}

/** The objects in the order in which the tool finds them: by functions first, then by callbacks. */
function planObjects(members: readonly Member[], tool: DiffTool, problems: ReadingProblem[]): ObjectPlan[] {
  const objects = new Map<string | null, ObjectPlan>();
  const objectFor = ({ object, text, path }: Member): ObjectPlan => {
    let plan = objects.get(object.name);
    if (plan) return plan;
    plan = { name: object.name, place: text.place, functions: [], callbacks: new Map() };
    objects.set(object.name, plan);
    if (object.guess !== null) {
      const what = object.name === null ? 'vmlinux' : `the module ${object.name}`;
      problems.push({
        severity: 'information',
        message: `${path} is taken to be part of ${what}: ${object.guess}. Name the kernel's source folder with \`kernel: { tree: … }\` and its configuration with \`config\`.`,
        place: text.place,
      });
    }
    return plan;
  };
  for (const member of members) {
    for (const [i, { name, place }] of member.text.functions.entries())
      objectFor(member).functions.push({ name, place, variable: `klp_new_${member.unit}_${i}` });
  }
  for (const kind of CALLBACKS) {
    for (const member of members) {
      for (const [i, use] of member.text.callbacks.entries()) {
        if (use.kind !== kind) continue;
        const plan = objectFor(member);
        const known = plan.callbacks.get(kind);
        if (!known) plan.callbacks.set(kind, { use, variable: `klp_callback_${member.unit}_${i}` });
        else problems.push(duplicate(plan.name, known.use, use, tool));
      }
    }
  }
  return [...objects.values()];
}

export const CALLBACKS = ['pre_patch', 'post_patch', 'pre_unpatch', 'post_unpatch'] as const;

function duplicate(
  name: string | null,
  first: CallbackUse,
  second: CallbackUse,
  tool: DiffTool,
): ReadingProblem {
  return {
    code: 'duplicate-callback',
    message: `${second.function}() is a second ${second.kind} for ${name ?? 'vmlinux'}: ${tool.duplicate}. Call both from one function.`,
    place: second.place,
    related: [{ message: `${first.function}() is the first`, place: first.place }],
  };
}

/** What the tool adds: the tables, which an init fills with what the other texts name. */
function mainText(objects: readonly ObjectPlan[], tool: DiffTool, replace: boolean, first: Place): MadeText {
  const text = new MadeText();
  const make = (line: string, place: Source = first): void => text.make(line, place);
  make('#include <linux/livepatch.h>');
  for (const { functions, callbacks } of objects) {
    for (const { variable, place } of functions) make(`extern void *${variable};`, place);
    for (const [kind, { variable, use }] of callbacks)
      make(`extern ${kind === 'pre_patch' ? 'int' : 'void'} (*${variable})(struct klp_object *);`, use.place);
  }
  for (const [index, { functions, place }] of objects.entries()) {
    make(`static struct klp_func funcs_${index}[] = {`, place);
    const positions = new Map<string, number>();
    for (const { name } of functions) positions.set(name, (positions.get(name) ?? 0) + 1);
    const seen = new Map<string, number>();
    for (const { name, place: at } of functions) {
      const nth = (seen.get(name) ?? 0) + 1;
      seen.set(name, nth);
      // Two functions of one name are told apart by their positions; the tool finds these in the kernel.
      make(`{ .old_name = "${name}", .old_sympos = ${(positions.get(name) ?? 0) > 1 ? nth : 0} },`, at);
    }
    make('{ } };', place);
  }
  make('static struct klp_object objs[] = {');
  for (const [index, { name, place }] of objects.entries())
    make(`{ .name = ${name === null ? 'NULL' : `"${name}"`}, .funcs = funcs_${index} },`, place);
  make('{ } };');
  make(
    `static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs, .replace = ${String(replace)} };`,
  );
  make(`static int __init ${tool.init}(void) {`);
  for (const [index, { functions, callbacks }] of objects.entries()) {
    for (const [row, { variable, place }] of functions.entries())
      make(`funcs_${index}[${row}].new_func = ${variable};`, place);
    for (const [kind, { variable, use }] of callbacks)
      make(`objs[${index}].callbacks.${kind} = ${variable};`, use.place);
  }
  make('return klp_enable_patch(&patch); }');
  make(`static void __exit ${tool.exit}(void) { }`);
  make(`module_init(${tool.init});\nmodule_exit(${tool.exit});`);
  make('MODULE_LICENSE("GPL");\nMODULE_INFO(livepatch, "Y");');
  return text;
}
