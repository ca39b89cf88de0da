import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERSIONS, writeSuseHistory } from '../support/suse-history';
import { git, historyFigures } from './history';
import type { Figure } from './measure';

/** A branch in SUSE's layout, a tag for each version; answers how much all versions unpack to. */
function write(folder: string): number {
  git(folder, ['init', '--quiet', '--initial-branch=main']);
  const unpacked = writeSuseHistory(folder, (version) => {
    git(folder, ['add', '--all']);
    git(folder, ['commit', '--quiet', '-m', `u${version}`]);
    git(folder, ['tag', `u${version}`]);
  });
  git(folder, ['gc', '--quiet']);
  const versions = Array.from(
    { length: VERSIONS },
    (_, i) =>
      `  - { version: v${i + 1}, module: livepatch_${i + 1}_1, git: { revision: u${i + 1} }, status: released }\n`,
  );
  const head = 'lineage: l\nkernel: "6.1"\ndefaults: { dialect: suse, sources: . }\nversions:\n';
  writeFileSync(join(folder, 'livepatch.yaml'), head + versions.join(''));
  return unpacked;
}

/** The figures of a git history, for SUSE's layout. */
export async function suseFigures(rounds = 9): Promise<Figure[]> {
  return historyFigures('SUSE history', write, rounds);
}
