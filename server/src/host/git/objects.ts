import { MAX_FILE_BYTES, type ReadFailure } from '../files';
import { GitFailure, type GitProgram, MISSING_OBJECTS } from './program';

/** One entry of a folder in a revision. */
export interface TreeEntry {
  readonly kind: 'folder' | 'file' | 'link' | 'submodule';
  readonly oid: string;
}

export type Tree = ReadonlyMap<string, TreeEntry>;

interface Answer {
  readonly oid: string;
  readonly type: string;
  readonly size: number;
  readonly content: Buffer;
}

/** Bytes that are asked of git in one question. */
const MAX_QUESTION = 32 * 1024 * 1024;
/** Characters of texts that are kept. */
const KEPT_TEXT = 32_000_000;

/**
 * The objects of one repository, read in batches through `git cat-file`, which is told what to read on its standard
 * input: no name can be taken for an option, and nothing is checked out, filtered or converted.
 */
export class GitObjects {
  /** Objects read so far, for tests that count them. */
  blobs = 0;
  readonly top: string;
  readonly #git: GitProgram;
  readonly #trees = new Map<string, Tree>();
  readonly #texts = new Map<string, string | ReadFailure>();
  #kept = 0;

  /** `top` is the folder that holds `.git`, all links resolved. */
  constructor(git: GitProgram, top: string) {
    this.#git = git;
    this.top = top;
  }

  /** The commit and the tree of each revision; null for what is not there. */
  resolve(
    revisions: readonly string[],
  ): ReadonlyMap<string, { readonly commit: string | null; readonly tree: string | null }> | GitFailure {
    const names = revisions.flatMap((revision) => [`${revision}^{commit}`, `${revision}^{tree}`]);
    const answers = this.#ask('--batch', names);
    if (answers instanceof GitFailure) return answers;
    return new Map(
      revisions.map((revision, i) => {
        const tree = answers[2 * i + 1];
        if (tree) this.#keepTree(tree);
        return [revision, { commit: answers[2 * i]?.oid ?? null, tree: tree?.oid ?? null }];
      }),
    );
  }

  /** The tags, oldest first; at most `count`, the newest of them. */
  tags(count: number): readonly string[] | GitFailure {
    const order = ['--sort=-version:refname', '--sort=-creatordate'];
    const out = this.#git.run(this.top, [
      'for-each-ref',
      ...order,
      `--count=${count}`,
      '--format=%(refname:strip=2)',
      'refs/tags',
    ]);
    if (out instanceof GitFailure) return out;
    return out
      .toString('utf8')
      .split('\n')
      .filter((tag) => tag !== '')
      .reverse();
  }

  /** The commits of the checked-out branch, by first parent, that changed a file; oldest first. */
  commitsOf(path: string, count: number): readonly string[] | GitFailure {
    const which = ['--first-parent', `--max-count=${count}`, '--end-of-options', 'HEAD'];
    const out = this.#git.run(this.top, ['--literal-pathspecs', 'rev-list', ...which, '--', path]);
    if (out instanceof GitFailure) return out;
    return out.toString('utf8').split('\n').filter(Boolean).reverse();
  }

  /** Reads folders, those that are known already for nothing. */
  load(oids: Iterable<string>): GitFailure | null {
    const wanted = [...new Set(oids)].filter((oid) => !this.#trees.has(oid));
    if (wanted.length === 0) return null;
    const answers = this.#ask('--batch', wanted);
    if (answers instanceof GitFailure) return answers;
    for (const i of wanted.keys()) {
      const answer = answers[i];
      if (answer?.type !== 'tree') return new GitFailure(MISSING_OBJECTS);
      this.#keepTree(answer);
    }
    return null;
  }

  #keepTree({ oid, content }: Answer): void {
    if (!this.#trees.has(oid)) this.#trees.set(oid, readTree(content, oid.length / 2));
  }

  /** A folder; it is read now if it was not loaded before. */
  tree(oid: string): Tree | GitFailure {
    const trouble = this.load([oid]);
    return trouble ?? (this.#trees.get(oid) as Tree);
  }

  /** Reads these files together, so that asking for each costs nothing. */
  prefetch(oids: Iterable<string>): void {
    const wanted = [...new Set(oids)].filter((oid) => !this.#texts.has(oid));
    if (wanted.length === 0) return;
    // Most are small enough to be read at once; where git's answer is too long, their sizes are asked for first.
    const all = wanted.length > 1 ? this.#ask('--batch', wanted) : null;
    if (all && !(all instanceof GitFailure)) return this.#keep(wanted, all);
    const sizes = this.#ask('--batch-check', wanted);
    let part: string[] = [];
    let bytes = 0;
    for (const [i, oid] of wanted.entries()) {
      const found = sizes instanceof GitFailure ? sizes : sizes[i];
      const refused = refusal(found ?? null);
      if (refused !== null) this.#texts.set(oid, refused);
      else {
        const { size } = found as Answer;
        if (bytes + size > MAX_QUESTION) {
          this.#read(part);
          part = [];
          bytes = 0;
        }
        part.push(oid);
        bytes += size;
      }
    }
    this.#read(part);
  }

  /** The text of a file, or why there is none. */
  text(oid: string): string | ReadFailure {
    this.prefetch([oid]);
    const text = this.#texts.get(oid) ?? { reason: MISSING_OBJECTS };
    // The last to be asked for is the last to be forgotten.
    this.#texts.delete(oid);
    this.#texts.set(oid, text);
    return text;
  }

  /** What was missing may have been fetched in the meantime. */
  forgetFailures(): void {
    for (const [oid, text] of this.#texts) if (typeof text !== 'string') this.#texts.delete(oid);
  }

  #read(oids: readonly string[]): void {
    if (oids.length > 0) this.#keep(oids, this.#ask('--batch', oids));
  }

  #keep(oids: readonly string[], answers: readonly (Answer | null)[] | GitFailure): void {
    for (const [i, oid] of oids.entries()) {
      const answer = answers instanceof GitFailure ? answers : answers[i];
      const refused = refusal(answer ?? null);
      if (refused === null) this.blobs++;
      const text = refused ?? (answer as Answer).content.toString('utf8');
      this.#texts.set(oid, text);
      if (typeof text === 'string') this.#kept += text.length;
    }
    for (const [oid, text] of this.#texts) {
      if (this.#kept <= KEPT_TEXT || oids.includes(oid)) break;
      if (typeof text === 'string') this.#kept -= text.length;
      this.#texts.delete(oid);
    }
  }

  /** Answers in the order of the names; null for an object that is not there. */
  #ask(mode: '--batch' | '--batch-check', names: readonly string[]): (Answer | null)[] | GitFailure {
    const out = this.#git.run(this.top, ['cat-file', mode, '--buffer'], `${names.join('\n')}\n`);
    return out instanceof GitFailure ? out : readAnswers(out, mode === '--batch', names.length);
  }
}

function refusal(answer: Answer | GitFailure | null): ReadFailure | null {
  if (answer === null) return { reason: MISSING_OBJECTS };
  if (answer instanceof GitFailure) return { reason: answer.message };
  if (answer.type !== 'blob') return { reason: 'it is not a regular file' };
  return answer.size > MAX_FILE_BYTES ? { reason: `it is larger than ${MAX_FILE_BYTES >> 20} MiB` } : null;
}

/** One line for each object, in a full answer with the object's bytes behind it. */
function readAnswers(out: Buffer, full: boolean, count: number): (Answer | null)[] {
  const answers: (Answer | null)[] = [];
  let at = 0;
  while (answers.length < count) {
    const end = out.indexOf(10, at);
    if (end < 0) break;
    const head = /^([0-9a-f]{40,64}) (\w+) (\d+)$/.exec(out.toString('utf8', at, end));
    at = end + 1;
    if (!head) {
      answers.push(null);
      continue;
    }
    const size = Number(head[3]);
    const content = full ? out.subarray(at, at + size) : out.subarray(0, 0);
    if (full) at += size + 1;
    answers.push({ oid: head[1] as string, type: head[2] as string, size, content });
  }
  while (answers.length < count) answers.push(null);
  return answers;
}

/** A tree object: `mode SP name NUL hash`, again and again. */
function readTree(content: Buffer, hash: number): Tree {
  const entries = new Map<string, TreeEntry>();
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(32, at);
    const nul = content.indexOf(0, space);
    if (space < 0 || nul < 0) break;
    const mode = content.toString('latin1', at, space);
    const name = content.toString('utf8', space + 1, nul);
    at = nul + 1 + hash;
    const kind = KINDS[mode.slice(0, -4)] ?? 'file';
    // No such name can stand in a work tree; what a damaged object says is not followed.
    if (name === '' || name === '.' || name === '..' || name === '.git' || name.includes('/')) continue;
    entries.set(name, { kind, oid: content.toString('hex', nul + 1, at) });
  }
  return entries;
}

/** By the mode without its permission bits. */
const KINDS: Readonly<Record<string, TreeEntry['kind']>> = {
  '4': 'folder',
  '12': 'link',
  '16': 'submodule',
  '10': 'file',
};
