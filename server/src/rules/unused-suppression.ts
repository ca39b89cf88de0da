import { nearest } from '../core/manifest/nearest';
import type { RuleContext } from './context';
import { fix } from './edits';
import type { Finding, Fix, Rule } from './rule';
import type { Suppression } from './suppressions';

/** A livepatch-ignore comment that suppresses nothing. Found by the engine, when all others have spoken. */
export const unusedSuppression: Rule = {
  code: 'unused-suppression',
  severity: 'warning',
  kind: 'facts',
  replacement: false,
  summary: 'a livepatch-ignore comment suppresses nothing',
  documentation: { page: 'livepatch/livepatch' },
  page: `
A comment asks to be silent about a finding that is not there: the code was put right, the finding moved to another line,
or the code is misspelt. Left in place it would hide the next finding that happens to stand there.

## How a suppression works

~~~c
/* livepatch-ignore orphaned-side-effect: the file shall stay, see the runbook */
debugfs_create_file("net_status", 0444, NULL, NULL, &fops);

register_module_notifier(&nb); // livepatch-ignore dangling-module-pointer: module is pinned
~~~

It speaks for its own line, and for the next one where it stands alone. Several codes are separated by commas. In the
manifest it is \`# livepatch-ignore manifest-invalid: reason\`. It hides a finding and changes nothing else: verdicts
stay as they are.

## What to do

Remove the comment, or put it where the finding is.
`,
  check: () => [],
};

/** The comments that had nothing to suppress. Codes in `silent` (off, or of a rule that failed) are left alone. */
export function unusedSuppressions(
  context: RuleContext,
  suppressions: readonly Suppression[],
  rules: readonly Rule[],
  silent: ReadonlySet<string>,
): Finding[] {
  const known = new Set(rules.map((rule) => rule.code));
  return suppressions.flatMap((suppression) => {
    if (suppression.uncompiled) return [];
    const findings: Finding[] = [];
    const say = (message: string, fixes: readonly Fix[]): void => {
      findings.push({
        code: 'unused-suppression',
        severity: 'warning',
        message,
        certainty: 'must',
        place: suppression.place,
        versions: suppression.versions,
        related: [],
        fixes,
      });
    };
    const remove = removeComment(context, suppression);
    if (suppression.codes.length === 0) {
      say('This comment names no rule, so it suppresses nothing: write `livepatch-ignore code: reason`.', [
        remove,
      ]);
    }
    const spare = suppression.codes.filter((code) => !suppression.used.has(code) && !silent.has(code));
    for (const code of spare) {
      if (known.has(code) && code !== 'unused-suppression') {
        say(`There is no ${code} here to suppress.`, suppression.codes.length === 1 ? [remove] : []);
      } else if (!known.has(code)) {
        const near = nearest(code, known);
        say(
          `No rule is called ${code}.${near === null ? '' : ` Did you mean ${near}?`}`,
          suppression.codes.length === 1 ? [remove] : [],
        );
      }
    }
    return findings;
  });
}

/** Takes the comment away, with its line where nothing else stands there. */
function removeComment(context: RuleContext, { place }: Suppression): Fix {
  const text = context.text(place.file);
  const lineStart = text.lastIndexOf('\n', place.start - 1) + 1;
  const lineEnd = text.indexOf('\n', place.end);
  const end = lineEnd < 0 ? text.length : lineEnd;
  const before = text.slice(lineStart, place.start);
  const behind = text.slice(place.end, end);
  if (before.trim() === '' && behind.trim() === '') {
    return fix('Remove this comment', [
      { place: { ...place, start: lineStart, end: Math.min(end + 1, text.length) }, text: '' },
    ]);
  }
  const start = place.start - (before.length - before.trimEnd().length);
  return fix('Remove this comment', [
    { place: { ...place, start: behind.trim() === '' ? start : place.start }, text: '' },
  ]);
}
