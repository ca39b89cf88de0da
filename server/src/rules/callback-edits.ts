import type { Actor } from '../core/execution/effects';
import type { CallbackKind } from '../core/kernel/types';
import type { LineageVersion } from '../core/lineage/lineage';
import type { Place } from '../core/place';
import type { RuleContext } from './context';
import { fix } from './edits';
import type { Fix } from './rule';

/** Edits of whole statements in callbacks. Whatever is not written as expected gets no edit. */

interface Body {
  /** Offset of the `{` and of the `}` of a function. */
  readonly open: number;
  readonly close: number;
}

const DECLARATION =
  /^[ \t]*(?:(?:const|static|struct|union|enum|unsigned|signed|void|bool|char|short|int|long|size_t|[us](?:8|16|32|64)|\w+_t)\b)[^()]*(?:=[^;]*)?;[^\n]*$/;

/** Wraps the call at `by` in the guard that a state of `from` is, one fix for each state that can be asked. */
export function guardedBy(
  context: RuleContext,
  from: LineageVersion,
  to: LineageVersion,
  by: Actor,
): readonly Fix[] {
  const text = context.text(by.place.file);
  const statement = statementAt(text, by.place);
  if (!statement || !isOfKernelOnly(to, by.during)) return [];
  const { indent, place } = statement;
  const call = text.slice(place.start, place.end);
  return sharedStates(context, from, to).flatMap(({ id, theirs, own }) => {
    // A successor finds this version's own entry: only a higher version tells whose it is.
    if (theirs === null || own === null || own <= theirs) return [];
    const asked = call.replaceAll(`klp_get_prev_state(${id})`, 'prev');
    if (asked === call && /\bprev\b/.test(call)) return [];
    const step = indent.includes('\t') || indent === '' ? '\t' : '  ';
    const inner = `${indent}${step}`;
    const wrapped =
      `{\n${inner}struct klp_state *prev = klp_get_prev_state(${id});\n\n` +
      `${inner}if (prev && prev->version <= ${theirs})\n${inner}${step}${asked}\n${indent}}`;
    return [fix(`Only where ${from.name} left state ${id}`, [{ place, text: wrapped }], false)];
  });
}

/** Moves the call at `by` to the end of the callback of another kind of the same object, in the same file. */
export function movedTo(
  context: RuleContext,
  version: LineageVersion,
  by: Actor,
  kind: CallbackKind,
): readonly Fix[] {
  const text = context.text(by.place.file);
  const objects = (version.facts?.patch?.objects ?? []).filter((object) =>
    object.callbacks.some((it) => it.callback === by.during && it.function === by.function),
  );
  const target = objects.length === 1 && objects[0]?.callbacks.find((it) => it.callback === kind)?.function;
  const statement = statementAt(text, by.place);
  const source = bodyOf(text, by.function);
  const body = target ? bodyOf(text, target) : null;
  if (!statement || !source || !body || !target) return [];
  // On the way of a branch or an early return the statement would run elsewhere in other cases.
  if (by.place.start < source.open || by.place.start > source.close) return [];
  if (!isTopLevel(text, source, statement.place.start)) return [];
  if (/\b(?:return|goto)\b/.test(text.slice(body.open, body.close))) return [];
  const call = text.slice(statement.place.start, statement.place.end);
  const unit = context.unitsOf(version).find((it) => it.file === by.place.file);
  if (!unit || [...operands(call)].some((name) => !unit.variables.has(name) && !/^[A-Z_\d]+$/.test(name)))
    return [];
  const lineStart = text.lastIndexOf('\n', statement.place.start - 1) + 1;
  const lineEnd = text.indexOf('\n', statement.place.end) + 1;
  const at = text.lastIndexOf('\n', body.close) + 1;
  if (lineEnd === 0 || at <= body.open) return [];
  const edits = [
    { place: { ...by.place, start: lineStart, end: lineEnd }, text: '' },
    { place: { ...by.place, start: at, end: at }, text: `${statement.indent}${call}\n` },
  ];
  return [fix(`Move it to ${target}(), the ${kind} callback`, edits, false)];
}

/** Lets post_patch take over the data of a state that both versions allocate, where there is a predecessor. */
export function takenOver(
  context: RuleContext,
  from: LineageVersion,
  to: LineageVersion,
  place: Place,
): readonly Fix[] {
  const { patch } = to.facts ?? {};
  const object = patch?.objects?.find((it) => it.name === null);
  const name = object?.callbacks.find((it) => it.callback === 'post_patch')?.function;
  const text = context.text(place.file);
  const body = name === undefined ? null : bodyOf(text, name);
  if (!patch || !body || place.start < body.open || place.start > body.close) return [];
  const states = sharedStates(context, from, to);
  const [state] = states;
  if (!state || states.length > 1 || !allocates(context, from) || !allocates(context, to)) return [];
  if (text.slice(body.open, body.close).includes('klp_get_prev_state')) return [];
  let at = text.indexOf('\n', body.open) + 1;
  const first = at;
  for (let end = text.indexOf('\n', at); DECLARATION.test(text.slice(at, end)); end = text.indexOf('\n', at))
    at = end + 1;
  const indent = /^[ \t]*/.exec(text.slice(first))?.[0] ?? '\t';
  const lines = [
    'if (before) {',
    `${indent}kfree(mine->data);`,
    `${indent}mine->data = before->data;`,
    `${indent}return;`,
    '}',
  ].map((line) => `${indent}${line}\n`);
  const declared =
    `${indent}struct klp_state *before = klp_get_prev_state(${state.id});\n` +
    `${indent}struct klp_state *mine = klp_get_state(&${patch.variable}, ${state.id});\n`;
  const blank = text[at] === '\n' ? '' : '\n';
  return [
    fix(
      `Take over what ${from.name} saved in state ${state.id}`,
      [
        { place: { ...place, start: first, end: first }, text: declared },
        { place: { ...place, start: at, end: at }, text: `\n${lines.join('')}${blank}` },
      ],
      false,
    ),
  ];
}

interface SharedState {
  /** As `to` writes it. */
  readonly id: string;
  readonly theirs: number | null;
  readonly own: number | null;
}

function sharedStates(context: RuleContext, from: LineageVersion, to: LineageVersion): SharedState[] {
  return (to.facts?.patch?.states ?? []).flatMap((own) => {
    const theirs = from.facts?.patch?.states.find((it) => it.id === own.id);
    if (!theirs) return [];
    const entry = context.text(own.place.file).slice(own.place.start, own.place.end);
    const id = /\.id\s*=\s*(\w+)/.exec(entry)?.[1] ?? String(own.id);
    return [{ id, theirs: theirs.version, own: own.version }];
  });
}

/** Whether the callbacks of this kind are all of vmlinux: they run in a transition and nowhere else. */
function isOfKernelOnly(version: LineageVersion, during: string): boolean {
  return (version.facts?.patch?.objects ?? []).every(
    (object) => object.name === null || !object.callbacks.some((it) => it.callback === during),
  );
}

function allocates(context: RuleContext, version: LineageVersion): boolean {
  return context
    .unitsOf(version)
    .some((unit) => /->data = kv?[mzc]alloc(?:_obj)?\(/.test(context.text(unit.file)));
}

/** The call with its semicolon, where it stands on lines of its own. */
function statementAt(text: string, place: Place): { readonly place: Place; readonly indent: string } | null {
  const lineStart = text.lastIndexOf('\n', place.start - 1) + 1;
  const indent = text.slice(lineStart, place.start);
  const rest = /^\s*;[ \t]*(?=\n)/.exec(text.slice(place.end, place.end + 80));
  return indent.trim() === '' && rest
    ? { place: { ...place, end: place.end + rest[0].trimEnd().length }, indent }
    : null;
}

function bodyOf(text: string, name: string): Body | null {
  const head = new RegExp(
    String.raw`\b${name}\s*\(\s*struct\s+klp_object\s*\*\s*(?:\w+\s*)?\)\s*\{(?=[ \t]*\n)`,
  ).exec(text);
  if (!head) return null;
  const open = head.index + head[0].length - 1;
  // The kernel's style ends a function in the first column, if that is not all on one line.
  const close = text.indexOf('\n}', open);
  return close < 0 ? null : { open, close: close + 1 };
}

function isTopLevel(text: string, body: Body, at: number): boolean {
  const before = text.slice(body.open, at).replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '');
  const depth = before.split('{').length - before.split('}').length;
  return depth === 1 && /[;{}]\s*$/.test(before) && !/\b(?:return|goto)\b/.test(before);
}

/** Names that a call's arguments use, but for those of functions and members. */
function operands(call: string): Set<string> {
  const names = call.replace(/"(?:\\.|[^"\\])*"/g, '').matchAll(/(->\s*|\.\s*)?\b([A-Za-z_]\w*)\b(?!\s*\()/g);
  return new Set([...names].filter((match) => match[1] === undefined).map((match) => match[2] ?? ''));
}
