import { knownNames, versionByName } from '../core/lineage/lineage';
import { describeValue } from '../core/manifest/describe';
import { ERRNO_NAMES } from '../core/manifest/errno';
import { STEP_VERBS } from '../core/manifest/steps';
import type { Analysis } from './analysis';
import type { Completion, CompletionKind } from './completion';

/** Characters of a line in which a step is looked for. */
const LONGEST_STEP = 2_000;

/** The next word of a step: its verb, a name, a parameter, a function that may fail, an errno. */
export function completeStep(analysis: Analysis, text: string, offset: number): Completion[] {
  const line = text.slice(Math.max(text.lastIndexOf('\n', offset - 1) + 1, offset - LONGEST_STEP), offset);
  // A step begins behind a dash, a bracket, a comma or a quote.
  const step =
    /(?:^|[[,"']|^\s*-\s|\bsteps:)([^[\],"']*)$/.exec(line)?.[1]?.replace(/^\s*(?:-\s+)?/, '') ?? '';
  const words = step.split(/\s+/);
  const word = words[words.length - 1] ?? '';
  const [verb = '', name = ''] = words;
  const rest = /^[\w.+#-]*/.exec(text.slice(offset))?.[0].length ?? 0;
  const from = offset - word.length + word.lastIndexOf('=') + 1;
  const item = (label: string, kind: CompletionKind, detail = '', documentation = ''): Completion => {
    const span = { start: from, end: offset + rest };
    return { label, kind, detail, documentation, insert: label, span };
  };
  if (words.length <= 1) {
    return STEP_VERBS.map((it) => {
      const alone = it === 'stall' || it === 'hold' || it === 'resume';
      const documentation = describeValue(['scenarios', '0', 'steps', '0'], it) ?? '';
      return { ...item(it, 'step', '', documentation), insert: alone || rest > 0 ? it : `${it} ` };
    });
  }
  if (verb === 'stall' || verb === 'hold' || verb === 'resume') return [];
  const version = versionByName(analysis.lineage, name);
  if (words.length === 2) return namesFor(analysis, verb, item);
  if (verb === 'load' || (verb === 'set' && words.length === 3)) {
    if (word.includes('=')) return [];
    return (version?.facts?.parameters ?? []).map((it) => ({
      ...item(it.name, 'constant', 'module parameter'),
      insert: `${it.name}=`,
    }));
  }
  if (verb !== 'fail' || words.length !== 3) return [];
  if (word.includes('=')) return ERRNO_NAMES.map((errno) => item(errno, 'value'));
  const called = new Map<string, string>();
  for (const call of version?.facts?.calls ?? [])
    if (call.reachedFrom.length > 0) called.set(call.callee, call.reachedFrom.join(', '));
  if (!version) called.set('init', 'the init of a target module');
  return [...called].map(([callee, where]) => item(callee, 'callback', where));
}

type Item = (label: string, kind: CompletionKind, detail?: string, documentation?: string) => Completion;

/** Versions first, each also by its module; only load and unload and fail take target modules. */
function namesFor(analysis: Analysis, verb: string, item: Item): Completion[] {
  const { lineage } = analysis;
  const found = lineage.versions.map((it) =>
    item(it.name, 'version', `${it.module}, ${it.entry.status.value}`),
  );
  if (verb === 'load' || verb === 'unload' || verb === 'fail') {
    const own = new Set(lineage.versions.flatMap((it) => [it.name, it.module]));
    for (const name of knownNames(lineage))
      if (!own.has(name)) found.push(item(name, 'module', 'target module'));
  }
  return found;
}
