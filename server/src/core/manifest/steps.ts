import type { Span } from '../place';
import { ERRNO_NAMES, formatErrno, parseErrno } from './errno';
import { nearest } from './nearest';
import type { Problem } from './problem';

export interface StepParameter {
  readonly name: string;
  readonly value: string;
}

/** One thing an administrator or the kernel does. `name` is a version, a module name or a target. */
export type Step =
  | { readonly k: 'load'; readonly name: string; readonly params: readonly StepParameter[] }
  | { readonly k: 'disable' | 'enable' | 'unload' | 'force'; readonly name: string }
  | { readonly k: 'stall' | 'hold' | 'resume' }
  | { readonly k: 'set'; readonly name: string; readonly param: string; readonly value: string }
  /** `errno` is negative; null where the step does not say which. `function` may be `f#2`: the second call from now. */
  | { readonly k: 'fail'; readonly name: string; readonly function: string; readonly errno: number | null };

export type StepVerb = Step['k'];

export const STEP_VERBS: readonly StepVerb[] = [
  'load',
  'disable',
  'enable',
  'unload',
  'stall',
  'hold',
  'resume',
  'force',
  'set',
  'fail',
];

export interface LocatedStep {
  readonly value: Step;
  readonly place: Span;
  /** Where the name stands; null for stall, hold and resume. */
  readonly namePlace: Span | null;
}

/** What is wrong with the text of a step; `place` counts from the start of that text. */
export interface StepProblem {
  readonly problem: string;
  readonly place: Span;
}

const USAGE: Readonly<Record<StepVerb, string>> = {
  load: 'load NAME [param=value …]',
  disable: 'disable NAME',
  enable: 'enable NAME',
  unload: 'unload NAME',
  stall: 'stall',
  hold: 'hold',
  resume: 'resume',
  force: 'force NAME',
  set: 'set NAME param=value',
  fail: 'fail NAME FUNCTION[#CALL][=ERRNO]',
};

/** At most this many steps are read from one text. */
export const MAX_STEPS = 10_000;

interface Word extends Span {
  readonly text: string;
}

/** The step that `text` (one step, blanks around it allowed) writes, or what is wrong with it. */
export function parseStep(text: string): Step | StepProblem {
  const result = readStep(text, 0, text.length);
  return 'problem' in result ? result : result.value;
}

/** As parseStep, with places that count from the start of `text` plus `offset`. */
export function locateStep(text: string, offset: number): LocatedStep | StepProblem {
  const result = readStep(text, 0, text.length);
  if ('problem' in result) return { problem: result.problem, place: moved(result.place, offset) };
  const namePlace = result.namePlace === null ? null : moved(result.namePlace, offset);
  return { value: result.value, place: moved(result.place, offset), namePlace };
}

/**
 * Steps separated by `;` or line ends, as the command line takes them; empty ones and those that start with `#`
 * are skipped. Places count from the start of `text` plus `offset`. Steps that cannot be read are left out.
 */
export function parseSteps(text: string, offset = 0): { steps: LocatedStep[]; problems: Problem[] } {
  const steps: LocatedStep[] = [];
  const problems: Problem[] = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i <= text.length; i++) {
    const c = text[i];
    if (c === '"') quoted = !quoted;
    const ends = c === undefined || c === '\n' || c === '\r' || (c === ';' && !quoted);
    if (!ends) continue;
    if (/[^\s]/.test(text.slice(start, i)) && !/^\s*#/.test(text.slice(start, i))) {
      if (steps.length + problems.length >= MAX_STEPS) {
        const place = moved({ start, end: text.length }, offset);
        problems.push({
          severity: 'error',
          message: `More than ${MAX_STEPS} steps: the rest is not read.`,
          place,
        });
        break;
      }
      const result = readStep(text, start, i);
      if ('problem' in result) {
        problems.push({ severity: 'error', message: result.problem, place: moved(result.place, offset) });
      } else {
        const namePlace = result.namePlace === null ? null : moved(result.namePlace, offset);
        steps.push({ value: result.value, place: moved(result.place, offset), namePlace });
      }
    }
    start = i + 1;
    quoted = false;
  }
  return { steps, problems };
}

/** One problem for each step that names something not among `known` (versions, their modules, targets, objects). */
export function checkStepNames(steps: readonly LocatedStep[], known: ReadonlySet<string>): Problem[] {
  const problems: Problem[] = [];
  for (const { value: step, namePlace } of steps) {
    if (!('name' in step) || namePlace === null || known.has(step.name)) continue;
    const near = problems.length < 100 ? nearest(step.name, known) : null;
    const hint =
      near === null ? 'Name a version, its module, or a target module.' : `Did you mean "${near}"?`;
    problems.push({
      severity: 'error',
      message: `No version, module or target is called "${shorten(step.name)}". ${hint}`,
      place: namePlace,
      ...(near === null
        ? {}
        : { fix: { title: `Change to "${near}"`, edits: [{ ...namePlace, text: near }] } }),
    });
  }
  return problems;
}

/** The text of a step, so that `parseStep(formatStep(step))` is the same step. */
export function formatStep(step: Step): string {
  switch (step.k) {
    case 'load':
      return ['load', step.name, ...step.params.map((p) => `${p.name}=${quote(p.value)}`)].join(' ');
    case 'set':
      return `set ${step.name} ${step.param}=${quote(step.value)}`;
    case 'fail': {
      const errno = step.errno === null ? '' : `=${formatErrno(step.errno)}`;
      return `fail ${step.name} ${step.function}${errno}`;
    }
    case 'stall':
    case 'hold':
    case 'resume':
      return step.k;
    default:
      return `${step.k} ${step.name}`;
  }
}

function quote(value: string): string {
  return /[\s;#]/.test(value) ? `"${value}"` : value;
}

function moved(span: Span, by: number): Span {
  return { start: span.start + by, end: span.end + by };
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Words of text[from, to): blanks separate, except inside double quotes. */
function wordsOf(text: string, from: number, to: number): Word[] | StepProblem {
  const words: Word[] = [];
  let i = from;
  while (i < to) {
    if (/\s/.test(text[i] ?? '')) {
      i++;
      continue;
    }
    const start = i;
    let quote = -1;
    while (i < to && (quote >= 0 || !/\s/.test(text[i] ?? ''))) {
      if (text[i] === '"') quote = quote < 0 ? i : -1;
      i++;
    }
    if (quote >= 0)
      return { problem: 'The quote that starts here is not closed.', place: { start: quote, end: to } };
    words.push({ text: text.slice(start, i), start, end: i });
  }
  return words;
}

function readStep(text: string, from: number, to: number): LocatedStep | StepProblem {
  const words = wordsOf(text, from, to);
  if ('problem' in words) return words;
  const separator = words.map(separatorIn).find((at) => at !== null);
  if (separator !== undefined && separator !== null) {
    const end = words[words.length - 1]?.end ?? to;
    return {
      problem: 'A second step begins here: write one step per entry.',
      place: { start: separator, end },
    };
  }
  const [verb, name, ...rest] = words;
  if (verb === undefined)
    return { problem: 'A step is missing here, such as "load v1".', place: { start: from, end: to } };
  if (!isVerb(verb.text)) {
    const near = nearest(verb.text, STEP_VERBS);
    const hint = near === null ? `Steps start with ${STEP_VERBS.join(', ')}.` : `Did you mean "${near}"?`;
    return { problem: `"${shorten(verb.text)}" is not a step. ${hint}`, place: span(verb) };
  }
  const k = verb.text;
  const place = { start: verb.start, end: words[words.length - 1]?.end ?? verb.end };
  if (k === 'stall' || k === 'hold' || k === 'resume') {
    return name === undefined ? { value: { k }, place, namePlace: null } : surplus(k, name, place);
  }
  if (name === undefined) return { problem: `"${k}" lacks a name: ${USAGE[k]}.`, place };
  if (/["=;,]/.test(name.text)) {
    return { problem: `"${shorten(name.text)}" is not a name: ${USAGE[k]}.`, place: span(name) };
  }
  const namePlace = span(name);
  const found = (value: Step): LocatedStep => ({ value, place, namePlace });
  const [second, third] = rest;
  switch (k) {
    case 'load': {
      const params: StepParameter[] = [];
      for (const word of rest) {
        const param = parameter(word, k);
        if ('problem' in param) return param;
        params.push(param);
      }
      return found({ k, name: name.text, params });
    }
    case 'set': {
      if (second === undefined) return { problem: `"set" lacks the parameter: ${USAGE.set}.`, place };
      if (third !== undefined) return surplus(k, third, place);
      const param = parameter(second, k);
      if ('problem' in param) return param;
      return found({ k, name: name.text, param: param.name, value: param.value });
    }
    case 'fail': {
      if (second === undefined) return { problem: `"fail" lacks the function: ${USAGE.fail}.`, place };
      if (third !== undefined) return surplus(k, third, place);
      return failing(second, name.text, found);
    }
    default:
      return second === undefined ? found({ k, name: name.text }) : surplus(k, second, place);
  }
}

/** Where a `;` outside quotes stands in a word. */
function separatorIn(word: Word): number | null {
  let quoted = false;
  for (let i = 0; i < word.text.length; i++) {
    if (word.text[i] === '"') quoted = !quoted;
    if (word.text[i] === ';' && !quoted) return word.start + i;
  }
  return null;
}

function isVerb(text: string): text is StepVerb {
  return (STEP_VERBS as readonly string[]).includes(text);
}

function span(word: Word): Span {
  return { start: word.start, end: word.end };
}

function surplus(verb: StepVerb, word: Word, place: Span): StepProblem {
  return {
    problem: `"${shorten(word.text)}" is too much here: ${USAGE[verb]}.`,
    place: { start: word.start, end: place.end },
  };
}

/** Module parameters are C identifiers; the kernel takes `-` for `_`. */
function parameter(word: Word, verb: 'load' | 'set'): StepParameter | StepProblem {
  const match = /^([A-Za-z_][A-Za-z0-9_-]*)=(.*)$/s.exec(word.text);
  if (match === null) {
    return {
      problem: `"${shorten(word.text)}" is not of the form param=value: ${USAGE[verb]}.`,
      place: span(word),
    };
  }
  return { name: match[1] ?? '', value: (match[2] ?? '').replaceAll('"', '') };
}

function failing(word: Word, name: string, found: (step: Step) => LocatedStep): LocatedStep | StepProblem {
  const equals = word.text.indexOf('=');
  const called = equals < 0 ? word.text : word.text.slice(0, equals);
  if (!/^[A-Za-z_][A-Za-z0-9_]*(?:#[2-9])?$/.test(called)) {
    return { problem: `"${shorten(called)}" is not a function name: ${USAGE.fail}.`, place: span(word) };
  }
  if (equals < 0) return found({ k: 'fail', name, function: called, errno: null });
  const written = word.text.slice(equals + 1);
  const errno = parseErrno(written);
  if (errno !== null) return found({ k: 'fail', name, function: called, errno });
  const near = nearest(written.replace(/^-/, ''), ERRNO_NAMES);
  const hint =
    near === null ? 'Write a name like EBUSY or a number from 1 to 4095.' : `Did you mean ${near}?`;
  return {
    problem: `"${shorten(written)}" is not an errno. ${hint}`,
    place: { start: word.start + equals + 1, end: word.end },
  };
}
