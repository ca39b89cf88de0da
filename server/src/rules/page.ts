import type { Rule } from './rule';

const KINDS: Readonly<Record<Rule['kind'], string>> = {
  facts: 'the C, without running anything',
  run: 'simulated runs; the shortest one is shown with the finding',
  manifest: 'the manifest',
};

/** The whole page of a rule, as Markdown: docs/rules/CODE.md and what an editor opens for a finding's code. */
export function rulePage(rule: Rule): string {
  const { page, anchor } = rule.documentation;
  const link = `https://docs.kernel.org/${page}.html${anchor === undefined ? '' : `#${anchor}`}`;
  const about = [
    `Severity: ${rule.severity}.`,
    `Read from ${KINDS[rule.kind]}.`,
    ...(rule.replacement ? ['Silent unless some version of the lineage has `.replace`.'] : []),
  ];
  return [
    `# ${rule.code}`,
    sentenceOf(rule.summary),
    about.join(' '),
    rule.page.trim(),
    `The kernel's own documentation: <${link}>`,
    suppressing(rule),
  ]
    .join('\n\n')
    .concat('\n');
}

function suppressing(rule: Rule): string {
  const comment =
    rule.kind === 'manifest'
      ? `~~~yaml\n# livepatch-ignore ${rule.code}: why this is right here\n~~~`
      : `~~~c\n/* livepatch-ignore ${rule.code}: why this is right here */\n~~~`;
  return [
    '## Suppress it',
    'For one place, a comment on that line or alone on the line above:',
    comment,
    'It hides the finding and nothing else. For the whole lineage, in the manifest:',
    `~~~yaml\nrules:\n  ${rule.code}: off\n~~~`,
  ].join('\n\n');
}

function sentenceOf(text: string): string {
  const first = text.slice(0, 1).toUpperCase() + text.slice(1);
  return first.endsWith('.') ? first : `${first}.`;
}

/** The table of all rules: docs/rules/README.md. */
export function rulesTable(rules: readonly Rule[]): string {
  const rows = rules.map(
    (rule) => `| [${rule.code}](${rule.code}.md) | ${rule.severity} | ${rule.summary} |`,
  );
  return ['# Rules', '', '| code | severity | what it says |', '|---|---|---|', ...rows, ''].join('\n');
}
