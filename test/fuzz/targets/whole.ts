import { nextVersion } from '../../../server/src/core/scaffold/next-version';
import { quickFixes } from '../../../server/src/features/code-actions';
import { codeLenses } from '../../../server/src/features/code-lens';
import { completions } from '../../../server/src/features/completion';
import { manifestFolds } from '../../../server/src/features/folding';
import { hover } from '../../../server/src/features/hover';
import { inlayHints } from '../../../server/src/features/inlay-hints';
import { definition, references } from '../../../server/src/features/navigation';
import { panelModel } from '../../../server/src/features/panel';
import { panelTransition } from '../../../server/src/features/panel-transition';
import { rename } from '../../../server/src/features/rename';
import { runbookDocument } from '../../../server/src/features/runbook-answer';
import { scaffoldAnswer } from '../../../server/src/features/scaffold-answer';
import { signatureHelp } from '../../../server/src/features/signature-help';
import { explainAnswer, simulateAnswer } from '../../../server/src/features/simulate-answer';
import { lineageSymbols, manifestSymbols } from '../../../server/src/features/symbols';
import { placesOf } from '../../../server/src/host/places-of';
import { Project } from '../../../server/src/host/project';
import type { Finding } from '../../../server/src/rules/rule';
import { MemoryFiles } from '../../support/memory-files';
import { type Input, must, mustLieIn, WHOLE } from '../target';

export const ROOT = '/lineage';

export function projectOf(input: Input): Project {
  return new Project(`${ROOT}/livepatch.yaml`, ROOT, new MemoryFiles(ROOT, input));
}

/** Findings as text, without the fixes. */
export function told(findings: readonly Finding[]): string {
  return findings
    .map(({ place, code, severity, message, related }) =>
      [
        `${place.file}:${place.start}-${place.end} ${severity} ${code} ${message}`,
        ...related.map((it) => `  ${it.place.file}:${it.place.start}-${it.place.end} ${it.message}`),
      ].join('\n'),
    )
    .join('\n');
}

/** The findings of a lineage, each at a place in a text, the same each time; no rule may have failed. */
export function checkFindings(project: Project): readonly Finding[] {
  const analysis = project.analyse();
  const findings = analysis.findings();
  for (const finding of findings) {
    mustLieIn(finding.place, analysis.text(finding.place.file));
    for (const { place } of finding.related) mustLieIn(place, analysis.text(place.file));
    for (const { edits } of finding.fixes)
      for (const { place } of edits) mustLieIn(place, analysis.text(place.file));
    must(finding.message !== '', `${finding.code} without words`);
    must(!finding.message.includes('undefined'), finding.message);
    must(!/lease report/.test(finding.message), `${finding.code}: ${finding.message}`);
  }
  return findings;
}

/** Reads a lineage to its facts, and on some inputs asks for the findings. */
export function readOrCheck(input: Input): void {
  const project = projectOf(input);
  if ((input[WHOLE] ?? '') === '') project.analyse();
  else checkFindings(project);
}

/** All that is asked of one lineage in the editor and on the command line, except of what needs a disk. */
export function askEverything(project: Project, offsets: (length: number) => readonly number[]): void {
  const analysis = project.analyse();
  checkFindings(project);
  const places = placesOf(project);
  const files = new Set(
    [analysis.manifestFile, ...analysis.lineage.versions.flatMap((it) => analysis.filesOf(it))].filter(
      (file) => file.startsWith(ROOT),
    ),
  );
  for (const file of files) {
    const text = analysis.text(file);
    for (const { place } of codeLenses(analysis, file)) mustLieIn(place, text);
    inlayHints(analysis, file, { start: 0, end: text.length });
    quickFixes(analysis, file, { start: 0, end: text.length });
    for (const offset of offsets(text.length)) {
      const answer = hover(analysis, file, offset);
      if (answer) mustLieIn(answer.span, text);
      for (const { span } of completions(analysis, file, offset)) mustLieIn(span, text);
      definition(analysis, file, offset);
      references(analysis, file, offset, true);
      rename(analysis, file, offset, 'renamed');
      signatureHelp(analysis, file, offset);
    }
  }
  manifestFolds(analysis);
  manifestSymbols(analysis);
  lineageSymbols(analysis, 'v');
  panelModel(analysis, (file) => file);
  const [first, second] = analysis.lineage.versions.slice(-2).map((it) => it.name);
  for (const [from, to] of [
    ['none', first],
    [first, second],
    [second, first],
  ]) {
    if (from === undefined || to === undefined) continue;
    panelTransition(
      analysis,
      from,
      to,
      (file) => file,
      () => null,
    );
    explainAnswer(analysis, from, to, places);
    runbookDocument(analysis, from, to, places);
  }
  if (first === undefined) return;
  simulateAnswer(analysis, `load ${first}; disable ${first}`, places);
  nextVersion(analysis, { from: first, as: 'v9', out: null });
  if (second !== undefined) scaffoldAnswer(analysis, first, [second], 'v9');
}
