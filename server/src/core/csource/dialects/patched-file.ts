import type { FilePatch, Hunk } from './unified-diff';

/** A line of a file as the diffs leave it, with the line of the diff that wrote it. */
export interface KnownLine {
  readonly text: string;
  /** Which diff, and where in it the text stands. */
  readonly diff: number;
  readonly start: number;
  readonly end: number;
  /** False for what was there before all diffs. */
  readonly added: boolean;
  /** Lines were taken away directly in front of it, or behind it. */
  cutBefore: boolean;
  cutBehind: boolean;
}

/** Lines of the file that stand together. */
export interface Stretch {
  /** Line number of the first one, from 1. */
  at: number;
  readonly lines: KnownLine[];
  /** The head of a function that stands above the stretch, as the hunk's header has it. */
  heading: string;
  /** The header of the hunk that it begins with. */
  readonly hunk: { readonly diff: number; readonly start: number; readonly end: number };
}

/** Places that a hunk is compared with when it does not apply where it says. */
const MAX_PLACES = 64;
/** Lines that are looked at in all searches for such places. */
const MAX_LOOKS = 20_000_000;

/** One file of the kernel tree as far as diffs show it, the diffs applied one after the other. */
export class PatchedFile {
  readonly stretches: Stretch[] = [];
  /** Beginnings of lines that were taken away at file scope: what they declare existed before. */
  readonly removed: string[] = [];
  #composed = false;
  #looks = MAX_LOOKS;

  constructor(
    readonly path: string,
    /** Where it is first named: a line of a diff. */
    readonly place: { readonly diff: number; readonly start: number; readonly end: number },
  ) {}

  /** Applies the hunks of one diff; answers those whose surroundings are not what the earlier diffs left. */
  apply(patch: FilePatch, diff: number, text: string): Hunk[] {
    // The first diff says where its hunks stand; a later one may have been made from another text.
    this.#composed = this.stretches.length > 0;
    return patch.hunks.filter((hunk) => !this.#applyHunk(hunk, diff, text));
  }

  #applyHunk(hunk: Hunk, diff: number, text: string): boolean {
    const old = hunk.lines
      .filter((line) => line.kind !== 'added')
      .map((line) => text.slice(line.start, line.end));
    const at = this.#placeFor(old, hunk.newStart);
    const from = at ?? hunk.newStart;
    const known = new Map<number, KnownLine>();
    const lines: KnownLine[] = [];
    if (old.length > 0) {
      for (const { at: first, lines: present } of this.#overlapping(from, old.length)) {
        const low = Math.max(0, from - first);
        for (let i = low; i < present.length && first + i < from + old.length; i++)
          known.set(first + i, present[i] as KnownLine);
      }
    }
    let number = from;
    let cut = false;
    for (const { kind, start, end } of hunk.lines) {
      if (kind === 'removed') {
        const old = known.get(number++);
        cut = true;
        const before = lines[lines.length - 1];
        if (before) before.cutBehind = true;
        // What an earlier diff added was not there before.
        if (old?.added !== true && /^[A-Za-z_]/.test(text.slice(start, start + 1)))
          this.removed.push(text.slice(start, Math.min(end, start + 300)));
        continue;
      }
      const there = kind === 'context' && at !== null ? known.get(number) : undefined;
      if (kind === 'context') number++;
      const line = there ?? {
        text: text.slice(start, end),
        diff,
        start,
        end,
        added: kind === 'added',
        cutBefore: false,
        cutBehind: false,
      };
      if (cut) line.cutBefore = true;
      cut = false;
      lines.push(line);
    }
    this.#replace(from, old.length, {
      at: from,
      lines,
      heading: hunk.heading,
      hunk: { diff, start: hunk.place.start, end: hunk.place.end },
    });
    return at !== null;
  }

  /** The line at which these lines stand: where the hunk says, else where what is known agrees. Null for nowhere. */
  #placeFor(old: readonly string[], said: number): number | null {
    if (old.length === 0 || !this.#composed) return said;
    const there = this.#agreement(old, said);
    if (there > 0) return said;
    const anchor = old.reduce((best, line, i) => (line.length > (old[best] ?? '').length ? i : best), 0);
    let best: number | null = null;
    // Where nothing speaks against the place that it says, only one at which every line is known is better.
    let most = there === 0 ? old.length : Math.min(3, old.length);
    let tried = 0;
    for (const { at, lines } of this.stretches) {
      this.#looks -= lines.length;
      for (let i = 0; i < lines.length && tried < MAX_PLACES && this.#looks > 0; i++) {
        if (lines[i]?.text !== old[anchor]) continue;
        tried++;
        const candidate = at + i - anchor;
        const agreed = candidate < 1 ? -1 : this.#agreement(old, candidate);
        if (
          agreed < most ||
          (agreed === most && Math.abs(candidate - said) >= Math.abs((best ?? 1e9) - said))
        )
          continue;
        most = agreed;
        best = candidate;
      }
    }
    return best ?? (there === 0 ? said : null);
  }

  /** How many of the lines are known and equal; -1 where one differs. */
  #agreement(old: readonly string[], from: number): number {
    let agreed = 0;
    for (const { at, lines } of this.#overlapping(from, old.length)) {
      const low = Math.max(0, from - at);
      for (let i = low; i < lines.length && at + i < from + old.length; i++) {
        if (lines[i]?.text !== old[at + i - from]) return -1;
        agreed++;
      }
    }
    return agreed;
  }

  #overlapping(from: number, count: number): readonly Stretch[] {
    const last = this.stretches[this.stretches.length - 1];
    if (!last || last.at + last.lines.length <= from) return [];
    return this.stretches.filter(({ at, lines }) => at < from + count && at + lines.length > from);
  }

  /** Puts a stretch in the place of `count` lines; what lies behind moves, what touches is joined. */
  #replace(from: number, count: number, made: Stretch): void {
    const list = this.stretches;
    const shift = made.lines.length - count;
    const before: Stretch[] = [];
    const behind: Stretch[] = [];
    while (list.length > 0) {
      const one = list.pop() as Stretch;
      const end = one.at + one.lines.length;
      if (end <= from) {
        list.push(one);
        break;
      }
      if (one.at >= from + count) {
        one.at += shift;
        behind.push(one);
        continue;
      }
      if (end > from + count)
        behind.push({
          ...made,
          at: from + made.lines.length,
          lines: one.lines.slice(from + count - one.at),
        });
      if (one.at < from) before.push({ ...one, lines: one.lines.slice(0, from - one.at) });
    }
    for (const one of [...before.reverse(), made, ...behind.reverse()]) this.#join(one);
  }

  #join(next: Stretch): void {
    const last = this.stretches[this.stretches.length - 1];
    if (next.lines.length === 0) return;
    if (last && last.at + last.lines.length === next.at) for (const line of next.lines) last.lines.push(line);
    else this.stretches.push(next);
  }
}
