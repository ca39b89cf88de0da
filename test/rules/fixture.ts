import { join } from 'node:path';
import { expect } from 'vitest';
import type { Project } from '../../server/src/host/project';
import type { Finding, Fix } from '../../server/src/rules/rule';
import { projectOfTexts } from '../support/project';
import { tries } from './counting';

/**
 * A lineage as text. `//- v1/a.c` begins a file; `livepatch.yaml` is the manifest. What is expected to be found stands
 * under the code, in a comment of its own:
 *
 *     .replace = true,
 *  // ^^^^^^^^^^^^^^^ missing-replace: words of the message
 *     //~ some-rule            on the line above, from any column
 */
export interface Fixture {
  readonly files: ReadonlyMap<string, string>;
  readonly marks: readonly Mark[];
}

interface Mark {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1; null for any column. */
  readonly columns: readonly [number, number] | null;
  readonly code: string;
  readonly words: string;
}

const MARK = /^(\s*(?:\/\/|#)\s*)(?:(\^+)|~)\s+([a-z-]+)(?::\s*(.*))?$/;

export function parseFixture(text: string): Fixture {
  const files = new Map<string, string>();
  let name: string | null = null;
  let lines: string[] = [];
  const end = (): void => {
    if (name !== null) files.set(name, `${lines.join('\n').replace(/\n+$/, '')}\n`);
  };
  for (const line of text.split('\n')) {
    const head = /^\/\/- (\S+)$/.exec(line);
    if (head) {
      end();
      name = head[1] ?? '';
      lines = [];
    } else if (name !== null) lines.push(line);
  }
  end();
  return { files, marks: [...files].flatMap(([file, content]) => marksIn(file, content)) };
}

function marksIn(file: string, content: string): Mark[] {
  const marks: Mark[] = [];
  let code = 0;
  content.split('\n').forEach((line, index) => {
    const mark = MARK.exec(line);
    if (!mark) {
      code = index + 1;
      return;
    }
    const start = (mark[1]?.length ?? 0) + 1;
    const carets = mark[2];
    marks.push({
      file,
      line: code,
      columns: carets === undefined ? null : [start, start + carets.length],
      code: mark[3] ?? '',
      words: mark[4] ?? '',
    });
  });
  return marks;
}

const ROOT = '/lineage';

export interface Checked {
  readonly fixture: Fixture;
  readonly project: Project;
  readonly findings: readonly Finding[];
}

/** All findings of a lineage; that a rule breaks is none of them. */
export async function check(text: string): Promise<Checked> {
  const fixture = parseFixture(text);
  const { project } = await projectOfTexts(Object.fromEntries(fixture.files));
  const analysis = project.analyse();
  const findings = analysis.findings();
  // A rule that throws is silent as well.
  expect(findings.filter(({ message }) => message.includes('for this program failed there'))).toEqual([]);
  const { versions } = analysis.lineage;
  tries({
    text,
    found: new Set(findings.map((finding) => finding.code)),
    hasLivepatch: versions.some((version) => version.facts?.patch != null),
  });
  return { fixture, project, findings };
}

/**
 * Checks a lineage and compares everything that is found with the marks in its text; answers the findings. With
 * `code` only what that rule finds counts.
 */
export async function expectMarked(text: string, code?: string): Promise<readonly Finding[]> {
  const checked = await check(text);
  const { fixture } = checked;
  const findings = checked.findings.filter((finding) => code === undefined || finding.code === code);
  const marks = [...fixture.marks];
  const unexpected: string[] = [];
  for (const finding of findings) {
    const at = marks.findIndex((mark) => isAt(fixture, mark, finding));
    if (at >= 0) marks.splice(at, 1);
    else unexpected.push(describe(fixture, finding));
  }
  expect({ unexpected, missing: marks }).toEqual({ unexpected: [], missing: [] });
  return findings;
}

function isAt(fixture: Fixture, mark: Mark, finding: Finding): boolean {
  if (mark.code !== finding.code || join(ROOT, mark.file) !== finding.place.file) return false;
  if (!finding.message.includes(mark.words)) return false;
  const [line, column, endColumn] = positionOf(fixture, finding);
  return (
    line === mark.line &&
    (mark.columns === null || (column === mark.columns[0] && endColumn === mark.columns[1]))
  );
}

/** Line, column and end column from 1; what goes on beyond its line ends with it. */
function positionOf(fixture: Fixture, { place }: Finding): [number, number, number] {
  const text = textOf(fixture, place.file);
  const lineStart = text.lastIndexOf('\n', place.start - 1) + 1;
  const lineEnd = text.indexOf('\n', place.start);
  const line = text.slice(0, lineStart).split('\n').length;
  const end = lineEnd < 0 ? place.end : Math.min(place.end, lineEnd);
  return [line, place.start - lineStart + 1, end - lineStart + 1];
}

function textOf(fixture: Fixture, file: string): string {
  return fixture.files.get(file.slice(ROOT.length + 1)) ?? '';
}

function describe(fixture: Fixture, finding: Finding): string {
  const [line, column, end] = positionOf(fixture, finding);
  const file = finding.place.file.slice(ROOT.length + 1);
  return `${file}:${line}:${column}-${end} ${finding.severity} ${finding.code}: ${finding.message}`;
}

/** The files of the fixture after a fix; marks are part of their text. */
export function fixed(fixture: Fixture, fix: Fix): Map<string, string> {
  const files = new Map(fixture.files);
  const edits = [...fix.edits].sort((a, b) => b.place.start - a.place.start);
  for (const { place, text } of edits) {
    const name = place.file.slice(ROOT.length + 1);
    const old = files.get(name) ?? '';
    files.set(name, old.slice(0, place.start) + text + old.slice(place.end));
  }
  return files;
}

/** The text that `fixed` gives, to be checked once more. */
export function asText(files: ReadonlyMap<string, string>): string {
  return [...files].map(([name, text]) => `//- ${name}\n${text}`).join('');
}

export interface LivepatchParts {
  /** Whatever comes first: functions and data. */
  readonly body?: string;
  /** The elements of `funcs`, one to a line. */
  readonly functions?: readonly string[];
  /** `.pre_patch = f` and so on, of the vmlinux object; lines. */
  readonly callbacks?: string;
  /** The whole array of objects instead, lines. */
  readonly objects?: string;
  /** The elements of the array of states; lines. */
  readonly states?: string;
  /** The line of `.replace`, marks included; empty for none. */
  readonly replace?: string;
  readonly init?: string;
  readonly exit?: string;
}

const INDENT = '  ';

/** The C of a whole livepatch module, of which the test says what matters. */
export function livepatch(parts: LivepatchParts = {}): string {
  const functions = (parts.functions ?? ['acme_open']).map(
    (name) => `${INDENT}{ .old_name = "${name}", .new_func = klpp_${name} },`,
  );
  const replacements = (parts.functions ?? ['acme_open']).map(
    (name) => `static int klpp_${name}(int n)\n{\n  return n;\n}\n`,
  );
  const callbacks = parts.callbacks === undefined ? '' : `\n    .callbacks = {\n${parts.callbacks}\n    },`;
  const objects = parts.objects ?? `  {\n    .funcs = funcs,${callbacks}\n  },`;
  const states =
    parts.states === undefined ? '' : `static struct klp_state states[] = {\n${parts.states}\n  { }\n};\n`;
  return `#include <linux/livepatch.h>
#include <linux/module.h>

${parts.states === undefined ? '' : 'static struct klp_patch patch;\n'}${replacements.join('')}
${parts.body ?? ''}
static struct klp_func funcs[] = {
${functions.join('\n')}
  { }
};
static struct klp_object objs[] = {
${objects}
  { }
};
${states}static struct klp_patch patch = {
  .mod = THIS_MODULE,
  .objs = objs,
${parts.states === undefined ? '' : '  .states = states,\n'}${parts.replace === '' ? '' : `${parts.replace ?? '  .replace = true,'}\n`}};
static int __init m_init(void)
{
${parts.init ?? '  return klp_enable_patch(&patch);'}
}
static void __exit m_exit(void)
{
${parts.exit ?? ''}
}
module_init(m_init);
module_exit(m_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;
}

export interface ManifestVersionLine {
  readonly status?: string;
  /** Further keys of the entry, indented by four. */
  readonly more?: string;
}

/** A manifest with versions v1, v2, … from folders of the same names. */
export function manifest(
  versions: readonly (string | ManifestVersionLine)[],
  more: { readonly kernel?: string; readonly end?: string } = {},
): string {
  const entries = versions.map((version, i) => {
    const { status = 'draft', more: keys = '' } = typeof version === 'string' ? { status: version } : version;
    const name = `v${i + 1}`;
    return `  - version: ${name}\n    module: m_${name}\n    sources: ${name}/*.c\n    status: ${status}\n${keys}`;
  });
  return `lineage: l\nkernel: ${more.kernel ?? '"6.1"'}\nversions:\n${entries.join('')}${more.end ?? ''}`;
}

/** A fixture of one livepatch for each version, v1/a.c and so on, under a manifest. */
export function lineage(head: string, ...sources: readonly (string | LivepatchParts)[]): string {
  const files = sources.map((source, i) => {
    const text = typeof source === 'string' ? source : livepatch(source);
    return `//- v${i + 1}/a.c\n${text}`;
  });
  return `//- livepatch.yaml\n${head}${files.join('')}`;
}
