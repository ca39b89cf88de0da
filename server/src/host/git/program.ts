import { spawnSync } from 'node:child_process';
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';

/** Why git gave no answer, in words for a person: what, and what to do. */
export class GitFailure {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** Longest time that one question to git may take, in milliseconds. */
const TIMEOUT_MS = 20_000;
/** Most bytes that git may answer to one question. */
export const MAX_ANSWER = 64 * 1024 * 1024;

/**
 * Settings over those of the repository, which may be hostile: nothing it names is run, nothing is fetched, no object
 * is replaced by another.
 */
const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.useReplaceRefs=false',
  'protocol.allow=never',
  'safe.bareRepository=explicit',
].flatMap((setting) => ['-c', setting]);

/**
 * git's own environment, made anew: no GIT_ variable of the caller gets in. GIT_ALLOW_PROTOCOL overrules what the
 * repository allows itself; releases that know no GIT_NO_LAZY_FETCH fetch nothing because of it.
 */
function environment(top: string): NodeJS.ProcessEnv {
  const { PATH, HOME, USERPROFILE, SystemRoot } = process.env;
  return {
    PATH,
    HOME,
    ...(USERPROFILE === undefined ? {} : { USERPROFILE }),
    ...(SystemRoot === undefined ? {} : { SystemRoot }),
    LC_ALL: 'C',
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_CEILING_DIRECTORIES: dirname(top),
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
  };
}

/** The git program, by its absolute path; it runs in one repository and only reads. */
export class GitProgram {
  /** How often git was run, for tests and the benchmark. */
  runs = 0;
  readonly #program = new Map<string, string | null>();
  /** Repositories that the person has declared safe although somebody else owns them. */
  #declaredSafe: string[] | null = null;
  readonly #patience: number;

  /** `patience`: the longest time in milliseconds that one question may take. */
  constructor(patience = TIMEOUT_MS) {
    this.#patience = patience;
  }

  /** Runs git in the work tree `top` (all links resolved); `input` is what it reads. */
  run(top: string, args: readonly string[], input = ''): Buffer | GitFailure {
    const program = this.#find(top);
    if (program === null)
      return new GitFailure('the git program is not on PATH: install git, or name files without `git`');
    const ask = (extra: readonly string[]): Buffer | GitFailure | 'not ours' => {
      this.runs++;
      const { status, stdout, stderr, error } = spawnSync(
        program,
        ['--no-pager', '--no-replace-objects', ...SETTINGS, ...extra, ...args],
        {
          cwd: top,
          env: environment(top),
          input,
          timeout: this.#patience,
          maxBuffer: MAX_ANSWER,
          killSignal: 'SIGKILL',
          windowsHide: true,
        },
      );
      // A git that refuses ends before it has read what it is asked.
      const refused = error && 'code' in error && error.code === 'EPIPE' && status !== null;
      if (error && !refused) return new GitFailure(spawnTrouble(error, this.#patience));
      if (status === 0) return stdout;
      const said = stderr.toString('utf8');
      if (said.includes('dubious ownership') || said.includes('is owned by someone else')) return 'not ours';
      return new GitFailure(trouble(said, top));
    };
    const answer = ask([]);
    if (answer !== 'not ours') return answer;
    this.#declaredSafe ??= this.#readSafe(program);
    const again = ask(this.#declaredSafe.flatMap((folder) => ['-c', `safe.directory=${folder}`]));
    if (again !== 'not ours') return again;
    return new GitFailure(
      `${top} belongs to another user, so git does not read it: if you trust it, run git config --global --add safe.directory ${top}`,
    );
  }

  /** The first git on PATH that is not part of the repository it would read. */
  #find(top: string): string | null {
    let found = this.#program.get(top);
    if (found === undefined) this.#program.set(top, (found = search(top)));
    return found;
  }

  /** The person's own list; read outside of any repository. */
  #readSafe(program: string): string[] {
    const { PATH, HOME, USERPROFILE } = process.env;
    return ['--system', '--global'].flatMap((scope) => {
      const { status, stdout } = spawnSync(program, ['config', scope, '-z', '--get-all', 'safe.directory'], {
        cwd: '/',
        env: { PATH, HOME, USERPROFILE, LC_ALL: 'C', GIT_DIR: '/dev/null' },
        timeout: TIMEOUT_MS,
        maxBuffer: 1024 * 1024,
        killSignal: 'SIGKILL',
      });
      return status === 0
        ? stdout
            .toString('utf8')
            .split('\0')
            .filter((folder) => folder !== '')
        : [];
    });
  }
}

function search(top: string): string | null {
  const names = process.platform === 'win32' ? ['git.exe'] : ['git'];
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (!isAbsolute(folder)) continue;
    for (const name of names) {
      try {
        const path = join(folder, name);
        accessSync(path, constants.X_OK);
        const real = realpathSync(path);
        const spelled = join(realpathSync(folder), name);
        if (statSync(real).isFile() && !isBelow(top, real) && !isBelow(top, spelled)) return path;
      } catch {
        // Not here.
      }
    }
  }
  return null;
}

function isBelow(folder: string, path: string): boolean {
  return path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

function spawnTrouble(error: Error, patience: number): string {
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ETIMEDOUT') return `git took longer than ${patience / 1000} s and was ended`;
  if (code === 'ENOBUFS')
    return `git's answer is larger than ${MAX_ANSWER >> 20} MiB: name fewer or smaller files`;
  return `git could not be run: ${code || error.message}`;
}

/** What git said in its last line. */
function trouble(said: string, top: string): string {
  if (/promisor|lazy fetching|not allowed/.test(said)) return MISSING_OBJECTS;
  if (said.includes('not a git repository')) return `${top} is no git repository that git can read`;
  const last = said.trim().split('\n').pop() ?? '';
  return `git says: ${last.slice(0, 300) || 'nothing'}`;
}

/** In a partial or damaged clone. Nothing is fetched here. */
export const MISSING_OBJECTS =
  'objects missing: this clone does not hold all files of that revision, and nothing is fetched. Clone it without --filter, or let git fetch the revision';
