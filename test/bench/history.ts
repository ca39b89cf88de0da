import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Disk } from '../../server/src/host/files';
import { RevisionFiles, Revisions } from '../../server/src/host/git/revisions';
import { Project } from '../../server/src/host/project';
import { Units } from '../../server/src/host/units';
import { bareParser } from './facts';
import { type Figure, interleaved } from './measure';

const VERSIONS = 16;
/** Fixes of the last version; the first has three. */
const FIXES = 50;

/** As fixes are: most of them short, some long. */
function fixLines(fix: number): number {
  return fix % 10 === 9 ? 2_400 : fix % 3 === 0 ? 900 : 260;
}

/** One fix: functions as they are copied out of a kernel subsystem. `edition` is what a later version mends. */
function fixText(fix: number, edition: number): string {
  const parts = [
    `// SPDX-License-Identifier: GPL-2.0\n#include <linux/errno.h>\n#include <linux/kernel.h>\n#include <linux/slab.h>\n#include <linux/spinlock.h>\n#include "fix${fix}.h"\n\n`,
    `struct fix${fix}_request {\n\tstruct list_head list;\n\tunsigned int flags;\n\tvoid *data;\n\tsize_t length;\n};\n\nstatic DEFINE_SPINLOCK(fix${fix}_lock);\n\n`,
  ];
  const functions = Math.round(fixLines(fix) / 30);
  for (let n = 0; n < functions; n++) {
    const name = n === 0 ? `klpp_subsys${fix}_handle` : `klpr_subsys${fix}_step${n}`;
    parts.push(`/* Checks the request before the lock is taken: see the report. */
${n === 0 ? '' : 'static '}int ${name}(struct fix${fix}_request *request, unsigned int mode)
{
	unsigned long flags;
	int error = -EINVAL;
	size_t i;

	if (!request || request->length > FIX${fix}_LIMIT)
		return error;
	if (mode & ${1 << (n % 8)}u) {
		request->data = kzalloc(request->length + ${edition}, GFP_KERNEL);
		if (!request->data)
			return -ENOMEM;
	}
	spin_lock_irqsave(&fix${fix}_lock, flags);
	for (i = 0; i < request->length; i++) {
		switch (((unsigned char *)request->data)[i] % 4) {
		case 0:
			error = 0;
			break;
		case 1:
			request->flags |= mode << ${n % 16};
			break;
		default:
			error = request->flags ? -EBUSY : -EAGAIN;
			goto out;
		}
	}
out:
	spin_unlock_irqrestore(&fix${fix}_lock, flags);
	return error;
}

`);
  }
  return parts.join('');
}

function headerText(fix: number): string {
  return `#ifndef FIX${fix}_H\n#define FIX${fix}_H\n\n#include <linux/types.h>\n\n#define FIX${fix}_LIMIT (64 * 1024)\n\nstruct fix${fix}_request;\nint klpp_subsys${fix}_handle(struct fix${fix}_request *request, unsigned int mode);\n\n#endif\n`;
}

function mainText(version: number, fixes: number): string {
  const all = Array.from({ length: fixes }, (_, fix) => fix);
  return `// SPDX-License-Identifier: GPL-2.0
#include <linux/livepatch.h>
#include <linux/module.h>
${all.map((fix) => `#include "fix${fix}.h"`).join('\n')}

static struct klp_func funcs[] = {
${all.map((fix) => `\t{ .old_name = "subsys${fix}_handle", .new_func = klpp_subsys${fix}_handle },`).join('\n')}
	{ }
};

static struct klp_object objs[] = {
	{ .funcs = funcs },
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
	.replace = true,
};

static int __init lp_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit lp_exit(void)
{
}

module_init(lp_init);
module_exit(lp_exit);
MODULE_DESCRIPTION("version ${version}");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
`;
}

/** The git program's answer, apart from the settings of whoever runs this. */
export function git(folder: string, args: readonly string[], input = ''): Buffer {
  const { status, stdout, stderr } = spawnSync('git', args, {
    cwd: folder,
    input,
    maxBuffer: 256 * 1024 * 1024,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'A',
      GIT_AUTHOR_EMAIL: 'a@example.org',
      GIT_COMMITTER_NAME: 'A',
      GIT_COMMITTER_EMAIL: 'a@example.org',
    },
  });
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr.toString()}`);
  return stdout;
}

/** A history of one tree of sources, tagged u1, u2, …; answers how many bytes all versions unpack to. */
export function writeHistory(folder: string): number {
  git(folder, ['init', '--quiet', '--initial-branch=main']);
  mkdirSync(join(folder, 'src'));
  let unpacked = 0;
  const edition = new Map<number, number>();
  for (let version = 1; version <= VERSIONS; version++) {
    const fixes = 3 + Math.round(((FIXES - 3) * (version - 1)) / (VERSIONS - 1));
    // Each version mends one older fix beside adding some.
    if (version > 1) edition.set(version % 3, version);
    for (let fix = 0; fix < fixes; fix++) {
      const text = fixText(fix, edition.get(fix) ?? 0);
      writeFileSync(join(folder, 'src', `fix${fix}.c`), text);
      writeFileSync(join(folder, 'src', `fix${fix}.h`), headerText(fix));
      unpacked += text.length;
    }
    writeFileSync(join(folder, 'src', 'main.c'), mainText(version, fixes));
    git(folder, ['add', '--all']);
    git(folder, ['commit', '--quiet', '-m', `u${version}`]);
    git(folder, ['tag', `u${version}`]);
  }
  git(folder, ['gc', '--quiet']);
  const versions = Array.from(
    { length: VERSIONS },
    (_, i) =>
      `  - { version: v${i + 1}, module: lp_v${i + 1}, git: { revision: u${i + 1}, path: src }, sources: "*.c", status: released }\n`,
  );
  writeFileSync(join(folder, 'livepatch.yaml'), `lineage: l\nkernel: "6.1"\nversions:\n${versions.join('')}`);
  return unpacked;
}

/** A lineage in a git history, read from nothing, as `check` does it. */
export function openHistory(folder: string): { project: Project; revisions: Revisions; units: Units } {
  const revisions = new Revisions(true);
  const files = new RevisionFiles(new Disk(), revisions);
  const units = new Units(files);
  return { project: new Project(join(folder, 'livepatch.yaml'), folder, files, units), revisions, units };
}

/** Every file of every version, each text once. */
function distinctBlobs(folder: string): string[] {
  const lines = Array.from({ length: VERSIONS }, (_, i) =>
    git(folder, ['ls-tree', '-r', `u${i + 1}`])
      .toString('utf8')
      .split('\n'),
  ).flat();
  return [...new Set(lines.flatMap((line) => /^\d+ blob ([0-9a-f]+)/.exec(line)?.[1] ?? []))];
}

/** What reading the lineage costs at least: fetching each distinct text once and parsing it with the bare grammar. */
export async function historyFigures(
  label = 'git history',
  write: (folder: string) => number = writeHistory,
  rounds = 9,
): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'lineage-history-'));
  try {
    const unpacked = write(folder);
    const oids = distinctBlobs(folder);
    const parser = await bareParser();
    let bytes = 0;
    const bare = (): void => {
      const out = git(folder, ['cat-file', '--batch', '--buffer'], `${oids.join('\n')}\n`);
      bytes = 0;
      for (let at = 0; at < out.length; ) {
        const end = out.indexOf(10, at);
        const size = Number(out.toString('latin1', at, end).split(' ')[2]);
        parser.parse(out.toString('utf8', end + 1, end + 1 + size))?.delete();
        bytes += size;
        at = end + size + 2;
      }
    };
    let read = { blobs: 0, units: 0, findings: 0 };
    const kept: ReturnType<typeof openHistory>[] = [];
    const cold = (): void => {
      kept.pop()?.units.dispose();
      const opened = openHistory(folder);
      const findings = opened.project.analyse().findings().length;
      kept.push(opened);
      read = { blobs: opened.revisions.blobs, units: opened.units.counters.opened, findings };
    };
    const again = (): void => void kept[0]?.project.analyse().findings();
    const resolvedAgain = (): void => {
      kept[0]?.project.filesChanged();
      again();
    };
    const works = [bare, cold, again, resolvedAgain];
    const [bareTime = 1, coldTime = 0, againTime = 0, resolvedTime = 0] = interleaved(rounds, works);
    (globalThis as { gc?: () => void }).gc?.();
    const heap = process.memoryUsage();
    const detail = `${VERSIONS} versions, ${(unpacked / 1e6).toFixed(1)} MB unpacked, ${oids.length} texts of ${(bytes / 1e6).toFixed(1)} MB; ${read.blobs} read, ${read.units} units, ${read.findings} findings`;
    return [
      {
        name: `${label}, cold check / (bare parse + git)`,
        value: coldTime / bareTime,
        limit: 1.5,
        unit: 'times',
        detail: `${coldTime.toFixed(0)} ms against ${bareTime.toFixed(0)} ms; ${detail}`,
      },
      {
        name: `${label}, check again in the same process`,
        value: againTime / bareTime,
        limit: 0.1,
        unit: 'times',
        detail: `${againTime.toFixed(2)} ms`,
      },
      {
        name: `${label}, check after a change elsewhere on disk`,
        value: resolvedTime / bareTime,
        limit: 0.1,
        unit: 'times',
        detail: `${resolvedTime.toFixed(1)} ms: git resolves the revisions anew`,
      },
      {
        name: `${label}, texts read / distinct texts`,
        value: read.blobs / oids.length,
        limit: 1,
        unit: 'times',
        detail: `${read.blobs} of ${oids.length}`,
      },
      {
        name: `${label}, memory`,
        value: (heap.heapUsed + heap.external) / 1e6,
        limit: 200,
        unit: 'MB',
        detail: `heap and external; resident ${(heap.rss / 1e6).toFixed(0)} MB with the parser, after all rounds`,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
