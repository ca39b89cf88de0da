import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fix, TEMPLATE } from '../suse/tree';

/** As large as a real lineage: 16 versions, 3 fixes in the first and 50 in the last. */
export const VERSIONS = 16;
const FIXES = 50;

/** Most fixes are short; one in ten is long. Lines of C. */
function linesOf(n: number): number {
  return n % 10 === 9 ? 5_000 : n % 3 === 0 ? 2_000 : 480;
}

/** One fix: its replacement and what was copied beside it. `edition` is what a later version mends. */
function body(n: number, edition: number): string {
  const parts: string[] = [];
  for (let step = 0; step < Math.round(linesOf(n) / 24); step++) {
    const name = step === 0 ? `klpp_subsys${n}_handle` : `klpr_subsys${n}_step${step}`;
    parts.push(`${step === 0 ? '' : 'static '}int ${name}(int argument)
{
	unsigned int flags = ${edition}u;
	int error = -EINVAL;
	int i;

	/* Checked before the lock is taken: see the report. */
	if (argument < ${step})
		return error;
	for (i = 0; i < argument; i++) {
		switch (argument >> (i & 7)) {
		case 0:
			error = 0;
			break;
		case 1:
			flags |= argument << ${step % 16};
			break;
		default:
			error = flags ? -EBUSY : -EAGAIN;
			break;
		}
	}
	return error;
}
`);
  }
  return parts.join('\n');
}

/** The tree of one version, from 1. Of two that follow each other some fixes differ, and the later one has more. */
export function suseTree(version: number): Record<string, string> {
  const files: Record<string, string> = {
    'livepatch_main.c': TEMPLATE,
    'rpm/kernel-livepatch.spec': `Name: kernel-livepatch\nVersion: ${version}\nRelease: 1\n`,
  };
  const fixes = 3 + Math.round(((FIXES - 3) * (version - 1)) / (VERSIONS - 1));
  for (let n = 0; n < fixes; n++) {
    // Each version mends one older fix beside adding some.
    const edition = n < 3 && version > n + 1 ? version - ((version - n) % 3) : 0;
    const object = n % 2 === 0 ? 'vmlinux' : `subsys${n}`;
    const rows = `${object} subsys${n}_handle klpp_subsys${n}_handle IS_ENABLED(CONFIG_SUBSYS${n})\n`;
    Object.assign(files, fix('', `bsc${1_200_000 + n}`, { rows, body: body(n, edition) }));
  }
  return files;
}

/** Writes the versions one over the other; `commit` is called behind each. Answers the characters of all together. */
export function writeSuseHistory(folder: string, commit: (version: number) => void): number {
  let unpacked = 0;
  for (let version = 1; version <= VERSIONS; version++) {
    for (const [name, text] of Object.entries(suseTree(version))) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
      unpacked += text.length;
    }
    commit(version);
  }
  return unpacked;
}
