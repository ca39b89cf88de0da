import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseManifest } from '../../server/src/core/manifest/parse';
import { yamlText } from '../../server/src/core/manifest/quoting';
import { hover } from '../../server/src/features/hover';
import { shellWord } from '../../server/src/features/runbook-shell';
import { klp, withFolder } from '../cli/run';
import type { Random } from '../execution/random';
import { FILES, livepatch } from '../features/fixture';
import { projectOfTexts } from '../support/project';
import { made } from '../support/soak';

/** What a workspace calls things is text, wherever it is shown: never markup, a command, a prototype or a cursor. */

const HOSTILE = [
  '\u001b[31m\u001b]0;title\u0007',
  '\u202eevil\u2066',
  '\r\nlivepatch.yaml:1:1: error: forged [forged]',
  '</script><img src=x onerror=alert(1)>',
  '[click](command:workbench.action.terminal.new)',
  '![x](http://example.org/x.png)',
  // The second text begins with it.
  'livepatch.yaml:1:1: error: forged [forged]',
  '`$(reboot)`;reboot #',
  '%s%n%p',
  '*/ int evil; /*',
  '"; DROP',
  '&lt;&#x3c;',
  '\u2028\u2029\u0085',
  '\u009b31m',
];

/** All of them in two texts: a command is dear to start. */
const GROUPS = [HOSTILE.slice(0, 6).join(' '), HOSTILE.slice(6).join(' ')];

/** Pieces of them put together. */
function mixed(random: Random): string {
  const pieces = Array.from({ length: 2 + random.below(5) }, () => {
    const text = [...random.pick(HOSTILE)];
    return text.slice(random.below(3), text.length - random.below(3)).join('');
  });
  return pieces.join(random.pick(['', ' ', '/', '\\', ':']));
}

const MIXED = made(1, 60, mixed);

/** The texts of HOSTILE as they may stand in a C string. */
const cText = (text: string): string =>
  [...text]
    .map((c) =>
      /[\w ()[\]:;,.<>=!$#&*/-]/.test(c)
        ? c
        : [...Buffer.from(c)].map((b) => `\\${b.toString(8).padStart(3, '0')}`).join(''),
    )
    .join('');

function lineage(text: string): Record<string, string> {
  const quoted = JSON.stringify(text).replace(
    /[\u0080-\u009f\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const source = (version: 1 | 2): string =>
    livepatch(version)
      .replace('debugfs_create_file("demo"', `debugfs_create_file("${cText(text)}"`)
      .replace('if (before)', `pr_info("${cText(text).replaceAll('%', '%%')}\\n");\n\tif (before)`)
      .replace('.old_name = "info_show"', `.old_name = "${cText(text)}"`)
      .replace(
        'klp_shadow_free_all',
        `/* ${text.replaceAll('*/', '* /').replaceAll(/[\r\n\u2028\u2029]/g, ' ')} */\n\tklp_shadow_free_all`,
      );
  return {
    'livepatch.yaml': `lineage: ${quoted}
kernel: "6.1"
versions:
  - { version: v1, module: demo_v1, sources: v1.c, status: released, note: ${quoted} }
  - { version: v2, module: demo_v2, sources: v2.c, note: ${quoted}, params: { name: ${quoted} } }
targets: [nf_tables]
scenarios: [{ name: ${quoted}, steps: [load v1, load v2], expect: refused }]
`,
    'v1.c': source(1),
    'v2.c': source(2),
    // As status finds it: no kernel has such a name, but a copy of another machine's files may.
    [`sys/kernel/livepatch/${text.replaceAll('/', '-').slice(0, 50)}/enabled`]: '1\n',
  };
}

// oxlint-disable-next-line no-control-regex -- these are what is looked for
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

test.each([...GROUPS, ...MIXED].map((text) => [text] as const))(
  '%j is printed by every command as text',
  (text) => {
    withFolder(lineage(text), (folder) => {
      for (const args of [
        ['check'],
        ['matrix'],
        ['facts', 'v2.c'],
        ['simulate', '--steps', 'load v1; load v2; disable v2'],
        ['explain', 'v1', 'v2'],
        ['runbook', 'v2', 'v1'],
        ['scaffold', '--restore', 'v1', '--after', 'v2', '--as', 'v3', '--dry-run'],
        ['new-version', '--from', 'v2', '--as', 'v3', '--dry-run'],
        ['check', '--format', 'json'],
        ['check', '--format', 'sarif'],
        ['simulate', '--steps', 'load v1; load v2', '--format', 'json'],
        ['explain', 'v1', 'v2', '--format', 'json'],
        ['status', '--root', '.'],
        ['status', '--root', '.', '--format', 'json'],
      ]) {
        const { stdout, stderr, status } = klp(args, folder);
        if (args.includes('--format')) expect(JSON.parse(stdout), args.join(' ')).toBeTypeOf('object');
        expect(stdout + stderr, args[0]).not.toMatch(UNPRINTABLE);
        expect(status, `${args[0]}: ${stderr}`).not.toBe(3);
        for (const line of (stdout + stderr).split('\n'))
          expect(line, args[0]).not.toMatch(/^livepatch\.yaml:1:1: error: forged/);
      }
      const svg = klp(['graph', '--output', 'out.svg'], folder);
      expect(svg.status, svg.stderr).toBe(0);
      const drawn = readFileSync(join(folder, 'out.svg'), 'utf8');
      expect(drawn).not.toMatch(UNPRINTABLE);
      // Every tag is one of those that a drawing is made of, and none of them runs or loads anything.
      const tags = new Set([...drawn.matchAll(/<\/?([^\s/>]*)/g)].map(([, tag]) => tag));
      for (const tag of tags)
        expect([
          'svg',
          'g',
          'path',
          'rect',
          'text',
          'tspan',
          'title',
          'desc',
          'style',
          'defs',
          'marker',
          'line',
          'circle',
          'polygon',
          'polyline',
          'pattern',
          'clipPath',
        ]).toContain(tag);
      for (const [tag] of drawn.matchAll(/<[^>]*>/g)) expect(tag).not.toMatch(/\son\w+=|href=|url\((?!#)/i);
    });
  },
  120_000,
);

test.each(GROUPS.map((text) => [text] as const))(
  '%j in generated C stays in its comment or its string',
  (group) => {
    // A name with other characters in it cannot be written again: the version that would is not offered.
    const text = group.replace(/[^ -~]/g, '');
    const example = (name: string): string => readFileSync(join('examples/net-fixes', name), 'utf8');
    const [v1, v2] = ['v1/livepatch_net_v1.c', 'v2/livepatch_net_v2.c'] as const;
    const files = {
      'livepatch.yaml': example('livepatch.yaml').replace('hangs under load', JSON.stringify(text)),
      [v1]: example(v1),
      [v2]: example(v2)
        .replace('"net_status"', `"${cText(text)}"`)
        .replace('static struct dentry', `/* ${text.replaceAll('*/', '* /')} */\nstatic struct dentry`),
    };
    withFolder(files, (folder) => {
      const args = ['scaffold', '--restore', 'v1', '--after', 'v2', '--as', 'v3', '--dry-run'];
      const { stdout, stderr } = klp(args, folder);
      expect(stdout, stderr).toContain('klp_enable_patch');
      expect(stdout).toMatch(/evil|DROP/);
      // Notes to the author stand behind the files.
      const written = stdout.replace(/^note: .*$/gm, '');
      const code = written.replace(/\/\*[\s\S]*?\*\/|\/\/.*|"(?:\\.|[^"\\\n])*"/g, '');
      expect(code.replace(/\bremove_left_\w+/g, '')).not.toMatch(/evil|reboot|DROP|forged|onerror/);
      for (const [format] of stdout.matchAll(/(?<=pr_\w+\()"(?:\\.|[^"\\\n])*"/g))
        expect(format.replaceAll('%%', '')).not.toMatch(/%[np]/);
    });
  },
);

test.each([...GROUPS, ...MIXED].map((text) => [text] as const))(
  '%j in a hover is no link, no image and no HTML',
  async (text) => {
    const { project } = await projectOfTexts(lineage(text));
    const analysis = project.analyse();
    let answers = 0;
    for (const name of ['livepatch.yaml', 'v1.c', 'v2.c']) {
      const file = `/lineage/${name}`;
      for (let offset = 0; offset < analysis.text(file).length; offset += 17) {
        const markdown = hover(analysis, file, offset)?.markdown;
        if (markdown === undefined) continue;
        answers++;
        // Code spans and fences show what they hold; what is left is markup.
        const markup = markdown
          .replace(/```[\s\S]*?```/g, '')
          .replace(/(`+)[^`][\s\S]*?\1/g, '')
          .replace(/\\[^\w\s]/g, '');
        expect(markup).not.toMatch(/\]\((?:command|http|javascript|data):/i);
        expect(markup).not.toMatch(/<(?:img|script|\/script|a |svg|iframe)/i);
        expect(markup).not.toMatch(/!\[/);
      }
    }
    expect(answers).toBeGreaterThan(20);
  },
);

test('no hover is ever trusted, and only the editor decides which command a link may run', () => {
  const client = readFileSync('client/src/server.ts', 'utf8');
  expect(client).toContain('markdown: { isTrusted: false, supportHtml: false }');
});

test.each([...HOSTILE, ...made(20, 2_000, mixed)].map((text) => [text] as const))(
  '%j as YAML and as a word of the shell is read back as it was',
  (text) => {
    const manifest = `lineage: ${yamlText(text)}\nkernel: "6.1"\nversions: [{ version: v1, module: m, sources: a.c }]\n`;
    const { lineage: read, versions } = parseManifest('f', manifest).manifest;
    expect(read?.value).toBe(text);
    expect(versions).toHaveLength(1);
    const word = shellWord(text);
    if (word === null) expect(text).toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    else expect(execFileSync('sh', ['-c', `printf %s ${word}`], { encoding: 'utf8' })).toBe(text);
  },
);

test('keys of a manifest that are names of the language change nothing', async () => {
  const keys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];
  for (const key of keys) {
    const map = `{ ${key}: 1, A: { ${key}: y } }`;
    const text = `lineage: l\n${key}: { polluted: yes }\nkernel: { release: "6.1", ${key}: x }\nversions:\n  - version: ${key}\n    module: m_1\n    sources: v1.c\n    ${key}: [1]\n    defines: ${map}\n    params: { ${key}: "2" }\nrules: { ${key}: off }\neffects: [{ do: ${key}, undo: toString }]\nscenarios: [{ name: ${key}, steps: [load ${key}], ${key}: 1 }]\n`;
    const { project } = await projectOfTexts({ ...FILES, 'livepatch.yaml': text });
    const analysis = project.analyse();
    analysis.findings();
    analysis.transitions.all();
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(analysis.parsed.manifest)).toBe(Object.prototype);
    // The names themselves are known as what they are.
    const [version] = analysis.parsed.manifest.versions;
    expect(version?.version.value).toBe(key);
    expect([...(version?.params.keys() ?? [])]).toEqual([key]);
  }
});
