import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A repository made with the real git program, apart from the settings of whoever runs the test. */
export class GitRepository {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async with<T>(use: (repository: GitRepository) => T | Promise<T>): Promise<T> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lineage-git-')));
    try {
      const repository = new GitRepository(join(folder, 'work'));
      mkdirSync(repository.folder);
      repository.git('init', '--quiet', '--initial-branch=main');
      return await use(repository);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  git(...args: readonly string[]): string {
    return execFileSync('git', args, {
      cwd: this.folder,
      timeout: 20_000,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        HOME: dirname(this.folder),
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_AUTHOR_NAME: 'A',
        GIT_AUTHOR_EMAIL: 'a@example.org',
        GIT_COMMITTER_NAME: 'A',
        GIT_COMMITTER_EMAIL: 'a@example.org',
        GIT_AUTHOR_DATE: '2026-01-01T00:00:00Z',
        GIT_COMMITTER_DATE: '2026-01-01T00:00:00Z',
      },
    }).trim();
  }

  write(files: Readonly<Record<string, string | Buffer>>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, name)), { recursive: true });
      writeFileSync(join(this.folder, name), text);
    }
  }

  /** Commits everything that is in the work tree now, and tags it. */
  commit(tag: string): void {
    this.git('add', '--all');
    this.git('commit', '--quiet', '--allow-empty', '-m', tag);
    this.git('tag', tag);
  }

  path(name: string): string {
    return join(this.folder, name);
  }
}
