/**
 * Asks the registry for known holes in the packages of package-lock.json.
 *
 *   node scripts/audit.mjs [--required]
 *
 * A hole counts (status 1) in what is bundled, whatever its severity, and in what only development uses from "high" on.
 * Registries that answer no audits are common behind a firewall: that is said in one line and is no failure, unless it
 * is --required (status 2).
 */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** What dist/ holds code of, as ARCHITECTURE.md names it; what these need is bundled with them. */
export const BUNDLED = [
  'tree-sitter-c',
  'vscode-languageclient',
  'vscode-languageserver',
  'vscode-languageserver-textdocument',
  'web-tree-sitter',
  'yaml',
];
const SERIOUS = ['high', 'critical'];

const say = (text) => process.stdout.write(`audit: ${text}\n`);

function bundled(packages) {
  const found = new Set();
  for (const queue = [...BUNDLED]; queue.length > 0; ) {
    const name = queue.shift();
    if (found.has(name)) continue;
    found.add(name);
    queue.push(...Object.keys(packages[`node_modules/${name}`]?.dependencies ?? {}));
  }
  return found;
}

/** What npm says of the holes, or why it says nothing. */
function ask() {
  const { stdout, error } = spawnSync('npm', ['audit', '--json'], {
    cwd: root,
    encoding: 'utf8',
    timeout: 120_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error) return { why: error.message };
  try {
    const answer = JSON.parse(stdout);
    if (typeof answer.vulnerabilities === 'object') return { holes: Object.values(answer.vulnerabilities) };
    return { why: String(answer.message ?? answer.error?.summary ?? 'no answer').split('\n')[0] };
  } catch {
    return { why: 'its answer is no JSON' };
  }
}

function main(required) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const count = Object.keys(packages).length - 1;
  const { holes, why } = ask();
  if (!holes) {
    say(`NOT DONE, known holes in ${count} packages were not looked up: ${why}`);
    return required ? 2 : 0;
  }
  const ours = bundled(packages);
  let bad = 0;
  for (const { name, severity, via } of holes) {
    const counts = ours.has(name) || SERIOUS.includes(severity);
    if (counts) bad++;
    const about = via.map((it) => (typeof it === 'string' ? `through ${it}` : `${it.title} ${it.url}`));
    say(
      `${name} (${ours.has(name) ? 'bundled' : 'development'}): ${severity}${counts ? '' : ', does not count'}: ${about.join('; ')}`,
    );
  }
  say(
    `${count} packages, ${bad === 0 ? 'no hole that counts' : `${bad} with a hole that counts: update them`}`,
  );
  return bad === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.exitCode = main(process.argv.includes('--required'));
