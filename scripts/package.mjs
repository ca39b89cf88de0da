/**
 * Packs dist/ and what package.json names into livepatch-lineage.vsix, and refuses a package that has
 * grown beyond its limits or lacks a file that package.json points at. Run the build first.
 *
 *   node scripts/package.mjs [--out FILE]
 *
 * What may go in is listed in .vscodeignore and nowhere else. It is packed from a folder of its own, where the JSON files
 * have lost what nobody reads in an installed extension.
 */

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createVSIX, listFiles } from '@vscode/vsce';
import { readArchive, writeArchive } from './zip-archive.mjs';

const LIMIT_KB = 450;
const LIMIT_FILES = 30;
/** A page for who installs it; the repository's README is for who builds it. */
const MOST_CHANGES = 2;
const README_PATH = 'docs/extension.md';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The parts of dist/ that no key of package.json points at. */
const ALSO_NEEDED = [
  'dist/server.js',
  'dist/editor.js.br',
  'dist/web-tree-sitter.wasm.br',
  'dist/tree-sitter-c.wasm.br',
];
/** What the licences of bundled packages ask to be told; it goes into the extension's own licence file. */
const NOTICES = 'dist/NOTICES.txt';
const LICENCE = 'LICENSE';

/** Every relative path of package.json that the extension needs: main, icon and what `contributes` points at. */
function pathsNamedIn(manifest) {
  const found = new Set(ALSO_NEEDED);
  const add = (path) => found.add(posix.normalize(path));
  for (const path of [manifest.main, manifest.icon]) if (typeof path === 'string') add(path);
  const visit = (value) => {
    if (typeof value === 'string') {
      if (/^\.\/[\w./-]+\.\w+$/.test(value)) add(value);
    } else if (value !== null && typeof value === 'object')
      for (const inner of Object.values(value)) visit(inner);
  };
  visit(manifest.contributes);
  return [...found];
}

/** A JSON file of the package as short as it can be. */
function shortened(path, text) {
  const value = JSON.parse(text);
  if (path === 'package.json') for (const key of ['scripts', 'devDependencies', 'bin']) delete value[key];
  // The extension has hovers of its own for what the schema describes; the schema is for who validates.
  const described = path.startsWith('schemas/');
  if (!described) delete value.$schema;
  return JSON.stringify(value, (key, inner) =>
    described && key === 'description' && typeof inner === 'string' ? undefined : inner,
  );
}

/** The first entries; who wants all of them finds them where the sources are. */
function fewerChanges(text) {
  const entries = text.split(/^(?=- )/m);
  if (entries.length <= MOST_CHANGES + 1) return text;
  return `${entries.slice(0, MOST_CHANGES + 1).join('')}- … and more, in the CHANGELOG.md of the sources.\n`;
}

/** Copies what goes in to `folder`. */
async function stage(folder) {
  for (const path of await listFiles({ cwd: root, dependencies: false })) {
    // The packer lists it whatever .vscodeignore says, and takes README_PATH in its place.
    if (path === 'README.md') continue;
    const [from, to] = [join(root, path), join(folder, path)];
    mkdirSync(dirname(to), { recursive: true });
    if (path.endsWith('.json')) writeFileSync(to, shortened(path, readFileSync(from, 'utf8')));
    else if (path === LICENCE)
      writeFileSync(
        to,
        [path, NOTICES].map((part) => readFileSync(join(root, part), 'utf8')).join(`\n${'-'.repeat(72)}\n\n`),
      );
    else if (path === 'CHANGELOG.md') writeFileSync(to, fewerChanges(readFileSync(from, 'utf8')));
    else cpSync(from, to);
  }
  cpSync(join(root, '.vscodeignore'), join(folder, '.vscodeignore'));
}

async function main(args) {
  if (args.length !== 0 && !(args.length === 2 && args[0] === '--out')) {
    process.stderr.write('package: usage: node scripts/package.mjs [--out FILE]\n');
    return 2;
  }
  const file = resolve(args[1] ?? join(root, 'livepatch-lineage.vsix'));
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const unbuilt = [...pathsNamedIn(manifest), NOTICES].filter((path) => !existsSync(join(root, path)));
  if (unbuilt.length > 0) {
    process.stderr.write(`package: missing: ${unbuilt.join(', ')}; run npm run build\n`);
    return 1;
  }
  mkdirSync(dirname(file), { recursive: true });
  rmSync(file, { force: true });
  const folder = mkdtempSync(join(tmpdir(), 'livepatch-package-'));
  try {
    await stage(folder);
    await createVSIX({
      cwd: folder,
      packagePath: file,
      dependencies: false,
      allowMissingRepository: true,
      rewriteRelativeLinks: false,
      readmePath: README_PATH,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const entries = readArchive(readFileSync(file));
  writeFileSync(file, writeArchive(entries));
  const names = entries.map((entry) => entry.name);
  const kilobytes = statSync(file).size / 1024;
  const problems = [];
  if (kilobytes > LIMIT_KB) problems.push(`larger than ${LIMIT_KB} KB`);
  if (names.length > LIMIT_FILES) problems.push(`more than ${LIMIT_FILES} files: ${names.join(' ')}`);
  const packed = new Set(names);
  const left = pathsNamedIn(manifest).filter((path) => !packed.has(`extension/${path}`));
  if (left.length > 0) problems.push(`not packed, though needed (see .vscodeignore): ${left.join(', ')}`);
  process.stdout.write(
    `${relative(process.cwd(), file) || file}: ${kilobytes.toFixed(1)} KB, ${names.length} files\n`,
  );
  for (const problem of problems) process.stderr.write(`package: ${problem}\n`);
  return problems.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`package: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
