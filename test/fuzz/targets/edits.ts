import { TextDocument } from 'vscode-languageserver-textdocument';
import { Lines } from '../../../server/src/core/lines';
import { Workspace } from '../../../server/src/host/workspace';
import type { Random } from '../../execution/random';
import { FILES } from '../../features/fixture';
import { MemoryFiles } from '../../support/memory-files';
import { must, type Target, WHOLE } from '../target';
import { C_WORDS } from './c-text';
import { YAML_WORDS } from './manifest';
import { ROOT, told } from './whole';

interface Position {
  readonly line: number;
  readonly character: number;
}

/** One change of one file; without a range the whole text is new. */
interface Edit {
  readonly file: string;
  readonly start?: Position;
  readonly end?: Position;
  readonly text: string;
}

const TYPED = [
  '',
  ' ',
  '\n',
  '\r\n',
  '\r',
  '\n\r',
  '\r\r\n',
  '\ufeff',
  '\u{1f600}',
  '\ud800',
  '\udc00',
  '\0',
  '\u2028',
  '\u0085',
  '{',
  '}',
  '(',
  '"',
  '/*',
  '*/',
  '#if 0\n',
  '#endif\n',
  'static ',
  ';',
  '\t',
  'é',
];

/**
 * A second model of an editor's text: lines as the protocol defines them (LF, CR LF, CR), a position beyond the end of
 * its line meaning the line's end.
 */
export function offsetIn(text: string, { line, character }: Position): number {
  if (line < 0) return 0;
  let start = 0;
  for (let n = 0; n < line; n++) {
    const rest = /\r\n|\r|\n/.exec(text.slice(start));
    if (!rest) return text.length;
    start += rest.index + rest[0].length;
  }
  const end = /\r\n|\r|\n/.exec(text.slice(start));
  const length = end ? end.index : text.length - start;
  return start + Math.min(Math.max(character, 0), length);
}

function positionNear(random: Random, text: string): Position {
  const lines = text.split(/\r\n|\r|\n/);
  const line = random.below(lines.length);
  const length = lines[line]?.length ?? 0;
  if (random.below(12) === 0)
    return { line: random.pick([line, lines.length, lines.length + 9]), character: length + random.below(9) };
  return { line, character: random.below(length + 1) };
}

/** Texts in the server after edits are those in the editor, and so are the findings of a fresh start. */
export const edits: Target = {
  name: 'edits',
  least: 10,
  long: 10_000,
  generate: (random) => {
    const files = ['livepatch.yaml', 'v1.c', 'v2.c'];
    const texts = new Map(files.map((file) => [file, FILES[file] ?? '']));
    const script: Edit[] = [];
    for (let left = 1 + random.below(10); left > 0; left--) {
      const file = random.pick(files);
      const text = texts.get(file) ?? '';
      const typed = random.pick([
        random.pick(TYPED),
        random.pick(file.endsWith('.c') ? C_WORDS : YAML_WORDS),
      ]);
      if (random.below(15) === 0) {
        const whole = random.pick([
          '',
          text.replaceAll('\n', '\r\n'),
          text.replaceAll('\n', '\r'),
          `\ufeff${text}`,
        ]);
        script.push({ file, text: whole });
        texts.set(file, whole);
        continue;
      }
      const one = positionNear(random, text);
      const other = random.below(3) === 0 ? positionNear(random, text) : one;
      const [start, end] = [one, other].sort((a, b) => a.line - b.line || a.character - b.character) as [
        Position,
        Position,
      ];
      const near =
        random.below(3) === 0 ? end : { line: start.line, character: start.character + random.below(4) };
      script.push({ file, start, end: near, text: typed });
      texts.set(
        file,
        text.slice(0, offsetIn(text, start)) +
          typed +
          text.slice(Math.max(offsetIn(text, start), offsetIn(text, near))),
      );
    }
    return { script: JSON.stringify(script), [WHOLE]: random.below(10) === 0 ? 'yes' : '' };
  },
  run: (input) => {
    let script: Edit[];
    try {
      script = JSON.parse(input.script ?? '[]') as Edit[];
    } catch {
      return;
    }
    // What was kept before there was this distinction has it not.
    const isWhole = input[WHOLE] !== '';
    const workspace = new Workspace(new MemoryFiles(ROOT, FILES));
    if (isWhole) workspace.addFolder(ROOT);
    const inEditor = new Map(Object.entries(FILES));
    const inServer = new Map(
      Object.entries(FILES).map(([file, text]) => [
        file,
        TextDocument.create(`file://${ROOT}/${file}`, 'c', 1, text),
      ]),
    );
    for (const [file, document] of inServer)
      if (isWhole) workspace.open(`${ROOT}/${file}`, 1, document.getText());
    for (const [n, { file, start, end, text }] of script.entries()) {
      const before = inEditor.get(file);
      const document = inServer.get(file);
      if (before === undefined || !document) continue;
      const range = start && end ? { start, end } : undefined;
      const after = range
        ? before.slice(0, offsetIn(before, range.start)) +
          text +
          before.slice(Math.max(offsetIn(before, range.start), offsetIn(before, range.end)))
        : text;
      inEditor.set(file, after);
      TextDocument.update(document, [range ? { range, text } : { text }], document.version + 1);
      if (isWhole) workspace.open(`${ROOT}/${file}`, document.version, document.getText());
      must(document.getText() === after, `after edit ${n} the text of ${file} is another one`);
      const lines = new Lines(after);
      must(
        lines.count === document.lineCount,
        `${file} has ${lines.count} lines, and ${document.lineCount} in the document`,
      );
      if (isWhole && n % 3 === 0) workspace.findings();
    }
    if (!isWhole) return;
    const fresh = new Workspace(new MemoryFiles(ROOT, Object.fromEntries(inEditor)));
    fresh.addFolder(ROOT);
    must(
      all(workspace) === all(fresh),
      `findings after edits:\n${all(workspace)}\nand afresh:\n${all(fresh)}`,
    );
    workspace.dispose();
    fresh.dispose();
  },
};

function all(workspace: Workspace): string {
  return [...workspace.findings().values()].map(told).sort().join('\n');
}
