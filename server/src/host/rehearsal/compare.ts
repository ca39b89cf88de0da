import { PLACEHOLDER } from '../../core/execution/format';

/** Predicted and real kernel log, side by side. Pure. */

export interface ComparedLine {
  /** null: the real kernel printed a line that was not predicted. */
  readonly predicted: string | null;
  /** null: a predicted line is missing. */
  readonly real: string | null;
  readonly same: boolean;
}

/** Longer logs are compared line by line without looking for the best alignment. */
const MAX_CELLS = 4_000_000;

/** Whether a real line is what was predicted; PLACEHOLDER in the prediction stands for any text. */
export function lineMatches(predicted: string, real: string): boolean {
  if (predicted === real) return true;
  const parts = predicted.split(PLACEHOLDER);
  const first = parts[0] ?? '';
  const last = parts[parts.length - 1] ?? '';
  if (parts.length === 1 || !real.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = real.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return real.length - last.length >= at && real.endsWith(last);
}

/** What the loader says of modules that are not the kernel's own; it has the module's name in front. */
const TAINT =
  /^\w+: (?:loading out-of-tree module taints kernel\.|tainting kernel with TAINT_LIVEPATCH|module verification failed: signature and\/or required key missing - tainting kernel)$/;

/** Lines whose time is the kernel's own affair. */
function isTimed(text: string): boolean {
  return text === 'livepatch: signaling remaining tasks';
}

/**
 * The lines that count: those of the livepatch core, of the loader about a module's init, of the modules themselves
 * ("name: …"), and any that was predicted. Other drivers log too.
 */
export function relevantLines(
  real: readonly string[],
  modules: readonly string[],
  predicted: readonly string[] = [],
): string[] {
  const prefixes = ['livepatch: ', 'do_init_module: ', 'sysfs: cannot create duplicate filename'].concat(
    modules.map((name) => `${name}: `),
  );
  const exact = new Set(predicted);
  const patterns = predicted.filter((line) => line.includes(PLACEHOLDER));
  return real.filter(
    (text) =>
      !isTimed(text) &&
      !TAINT.test(text) &&
      (prefixes.some((prefix) => text.startsWith(prefix)) ||
        exact.has(text) ||
        patterns.some((pattern) => pattern !== PLACEHOLDER && lineMatches(pattern, text))),
  );
}

/** Both logs in order, aligned so that as many lines as possible agree. */
export function compareLogs(predicted: readonly string[], real: readonly string[]): ComparedLine[] {
  const rows: ComparedLine[] = [];
  let begin = 0;
  while (begin < predicted.length && begin < real.length && matches(predicted, real, begin, begin)) {
    rows.push(agreed(predicted, real, begin, begin));
    begin++;
  }
  let cut = 0;
  const shorter = Math.min(predicted.length, real.length) - begin;
  while (cut < shorter && matches(predicted, real, predicted.length - 1 - cut, real.length - 1 - cut)) cut++;
  rows.push(...aligned(predicted.slice(begin, predicted.length - cut), real.slice(begin, real.length - cut)));
  for (let i = cut; i > 0; i--) rows.push(agreed(predicted, real, predicted.length - i, real.length - i));
  return rows;
}

function matches(predicted: readonly string[], real: readonly string[], i: number, j: number): boolean {
  return lineMatches(predicted[i] ?? '', real[j] ?? '');
}

function agreed(predicted: readonly string[], real: readonly string[], i: number, j: number): ComparedLine {
  return { predicted: predicted[i] ?? null, real: real[j] ?? null, same: true };
}

/** The longest common subsequence, what is left out of it as differences. */
function aligned(predicted: readonly string[], real: readonly string[]): ComparedLine[] {
  const wide = real.length + 1;
  if ((predicted.length + 1) * wide > MAX_CELLS) return sideBySide(predicted, real);
  const longest = new Uint32Array((predicted.length + 1) * wide);
  for (let i = predicted.length - 1; i >= 0; i--) {
    for (let j = real.length - 1; j >= 0; j--) {
      longest[i * wide + j] = matches(predicted, real, i, j)
        ? (longest[(i + 1) * wide + j + 1] ?? 0) + 1
        : Math.max(longest[(i + 1) * wide + j] ?? 0, longest[i * wide + j + 1] ?? 0);
    }
  }
  const rows: ComparedLine[] = [];
  let i = 0;
  let j = 0;
  while (i < predicted.length || j < real.length) {
    const here = longest[i * wide + j] ?? 0;
    if (
      i < predicted.length &&
      j < real.length &&
      matches(predicted, real, i, j) &&
      here === (longest[(i + 1) * wide + j + 1] ?? 0) + 1
    ) {
      rows.push(agreed(predicted, real, i++, j++));
    } else if (i < predicted.length && (j >= real.length || here === (longest[(i + 1) * wide + j] ?? 0))) {
      rows.push({ predicted: predicted[i++] ?? null, real: null, same: false });
    } else rows.push({ predicted: null, real: real[j++] ?? null, same: false });
  }
  return rows;
}

function sideBySide(predicted: readonly string[], real: readonly string[]): ComparedLine[] {
  const rows: ComparedLine[] = [];
  for (let i = 0; i < Math.max(predicted.length, real.length); i++) {
    const row = agreed(predicted, real, i, i);
    const same = row.predicted !== null && row.real !== null && lineMatches(row.predicted, row.real);
    rows.push({ ...row, same });
  }
  return rows;
}

/** What stands in a step's result and log, predicted and real. */
export interface ComparedStep {
  readonly results: { readonly predicted: number; readonly real: number | null };
  readonly lines: readonly ComparedLine[];
  readonly same: boolean;
}

/** One step. `real` null: the guest never got to the end of it. */
export function compareStep(
  predicted: { readonly result: number; readonly log: readonly string[] },
  real: { readonly result: number; readonly log: readonly string[] } | null,
  modules: readonly string[],
): ComparedStep {
  const lines = compareLogs(
    predicted.log.filter((text) => !isTimed(text)),
    real === null ? [] : relevantLines(real.log, modules, predicted.log),
  );
  const same = real !== null && real.result === predicted.result && lines.every((line) => line.same);
  return { results: { predicted: predicted.result, real: real?.result ?? null }, lines, same };
}
