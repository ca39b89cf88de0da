// Tells the story of the example in the terminal: what is wrong, every transition, the way out, and a picture.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const out = join(root, 'out', 'demo');
const cli = join(root, 'dist', 'cli.js');

execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { stdio: 'inherit' });
rmSync(out, { recursive: true, force: true });
mkdirSync(dirname(out), { recursive: true });
cpSync(join(root, 'examples', 'net-fixes'), out, { recursive: true });

/** Runs one command in the copy; `expected` are the exit codes that are part of the story. */
function tell(title, args, expected = [0]) {
  console.log(`\n=== ${title}\n$ klp-lineage ${args.join(' ')}`);
  const { status } = spawnSync(process.execPath, [cli, ...args], { cwd: out, stdio: 'inherit' });
  if (!expected.includes(status)) {
    console.error(`klp-lineage ${args[0]} ended with ${status}`);
    process.exit(1);
  }
}

tell('What is wrong with this lineage', ['check'], [0, 1]);
tell('Every transition', ['matrix']);
tell('Why v1 cannot replace v2', ['explain', 'v2', 'v1']);
tell('The way out: v3 = v1 + cleanup after v2', [
  'scaffold',
  '--restore',
  'v1',
  '--after',
  'v2',
  '--as',
  'v3',
]);
tell('Every transition, now with v3', ['matrix']);
tell('What is left to say', ['check'], [0, 1]);
tell('A picture', ['graph', '-o', 'stack.svg']);
console.log(`\nThe copy with v3 and stack.svg is in ${out}`);
