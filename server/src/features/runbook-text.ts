import { escapeMarkdown } from './markdown';
import type { Runbook } from './runbook';
import type { RunbookStep } from './runbook-steps';

/** A runbook for a terminal or a printer. */
export function runbookText(runbook: Runbook): string {
  const lines = [headline(runbook), ''];
  const add = (title: string, text: string): void => {
    lines.push(`${title}: ${text}`);
  };
  if (runbook.window) add('Window', runbook.window.text);
  for (const { text } of runbook.stays) add('Stays', `${text}.`);
  for (const note of runbook.notes) add('Note', note);
  for (const { path, because } of runbook.rejected) add('Not', `${path}: ${because}.`);
  for (const step of runbook.steps) lines.push('', ...stepLines(step));
  return `${lines.join('\n')}\n`;
}

function headline({ lineage, kernel, from, to, summary, certainty }: Runbook): string {
  const may = certainty === 'may' ? ' (as far as known)' : '';
  return `${lineage}${kernel === '' ? '' : ` on kernel ${kernel}`}: from ${from ?? 'an unpatched kernel'} to ${to}: ${summary}${may}`;
}

function stepLines(step: RunbookStep): string[] {
  const lines = [`${step.number}. ${step.title}`];
  const looks = step.command === step.check;
  if (!looks) lines.push(`   $ ${step.command}`);
  lines.push(`   check: $ ${step.check}`);
  const expected = step.expect === '' ? ['(nothing)'] : step.expect.split('\n');
  lines.push(...expected.map((line, index) => `${index === 0 ? '   prints:  ' : '            '}${line}`));
  lines.push(...step.log.map((line, index) => `${index === 0 ? '   in log:  ' : '            '}${line}`));
  for (const { when, advice, commands } of step.onFailure) {
    lines.push(`   if ${when}: ${advice}`, ...commands.map((command) => `      $ ${command}`));
  }
  if (step.rollback) lines.push(`   back: ${step.rollback.text}`, `      $ ${step.rollback.command}`);
  return lines;
}

/** The same as a Markdown document; nothing of the workspace becomes markup in it. */
export function runbookMarkdown(runbook: Runbook): string {
  const { from, to, summary } = runbook;
  const blocks = [
    `# ${escapeMarkdown(runbook.lineage)}: ${escapeMarkdown(from ?? 'unpatched kernel')} → ${escapeMarkdown(to)}`,
    escapeMarkdown(sentence(`${summary}${runbook.certainty === 'may' ? ', as far as known' : ''}`)),
  ];
  const section = (title: string, items: readonly string[]): void => {
    if (items.length > 0)
      blocks.push(`## ${title}`, items.map((item) => `- ${escapeMarkdown(item)}`).join('\n'));
  };
  if (runbook.window) blocks.push('## While nothing is patched', escapeMarkdown(runbook.window.text));
  section(
    'What stays',
    runbook.stays.map(({ text }) => sentence(text)),
  );
  section('Before the first step', runbook.notes);
  section(
    'Ways that are worse',
    runbook.rejected.map(({ path, because }) => `${sentence(path)} ${sentence(because)}`),
  );
  blocks.push('## Steps', ...runbook.steps.map(stepBlock));
  return `${blocks.join('\n\n')}\n`;
}

function stepBlock(step: RunbookStep): string {
  const parts = [`### ${step.number}. ${escapeMarkdown(step.title)}`];
  if (step.command !== step.check) parts.push(fenced('sh', step.command));
  parts.push(step.command === step.check ? 'This' : 'Then this', fenced('sh', step.check));
  parts.push(
    step.expect === '' ? 'prints nothing.' : 'prints',
    ...(step.expect === '' ? [] : [fenced('text', step.expect)]),
  );
  if (step.log.length > 0) parts.push('The kernel log says', fenced('text', step.log.join('\n')));
  const items = step.onFailure.map(({ when, advice, commands }) =>
    [`- If ${escapeMarkdown(when)}: ${escapeMarkdown(advice)}`, ...commands.map(commandBlock)].join('\n'),
  );
  if (step.rollback)
    items.push(
      [`- Back: ${escapeMarkdown(step.rollback.text)}`, commandBlock(step.rollback.command)].join('\n'),
    );
  if (items.length > 0) parts.push(items.join('\n'));
  return parts.join('\n\n');
}

/** A command below a list item, in a block of its own: it is copied as it stands. */
function commandBlock(command: string): string {
  return `\n  ${fenced('sh', command).replaceAll('\n', '\n  ')}\n`;
}

/** A fenced block whose fence is longer than any row of backticks in the text. */
function fenced(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((match) => match[0].length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return first.endsWith('.') ? first : `${first}.`;
}
