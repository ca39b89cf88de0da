/** A small matcher for regular expressions that goes about it as engines with backtracking do, and counts its steps. */

type Node =
  | { readonly k: 'set'; readonly has: (c: string) => boolean; readonly some: string }
  | { readonly k: 'assert'; readonly holds: (text: string, at: number) => boolean }
  | { readonly k: 'look'; readonly behind: boolean; readonly not: boolean; readonly body: Node }
  | { readonly k: 'back'; readonly group: number }
  | { readonly k: 'group'; readonly index: number | null; readonly body: Node }
  | { readonly k: 'sequence'; readonly list: readonly Node[] }
  | { readonly k: 'either'; readonly list: readonly Node[] }
  | {
      readonly k: 'repeat';
      readonly min: number;
      readonly max: number;
      readonly lazy: boolean;
      readonly body: Node;
    };

/** The characters that stand for all others in attacks. */
const ALPHABET = 'a_A0 \t\n"\'\\/*()[]{}<>=;:,.#-+|&!%@$^~`?x\u0000\u00e9';

class Parser {
  #at = 0;
  #groups = 0;

  constructor(
    private readonly source: string,
    private readonly flags: string,
  ) {}

  parse(): Node {
    return this.#either();
  }

  #peek(text: string): boolean {
    return this.source.startsWith(text, this.#at);
  }

  #take(text: string): boolean {
    if (!this.#peek(text)) return false;
    this.#at += text.length;
    return true;
  }

  #either(): Node {
    const list = [this.#sequence()];
    while (this.#take('|')) list.push(this.#sequence());
    return list.length === 1 ? (list[0] as Node) : { k: 'either', list };
  }

  #sequence(): Node {
    const list: Node[] = [];
    while (this.#at < this.source.length && !this.#peek('|') && !this.#peek(')')) list.push(this.#term());
    return { k: 'sequence', list };
  }

  #term(): Node {
    const body = this.#atom();
    const match = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})(\??)/.exec(this.source.slice(this.#at));
    if (!match) return body;
    this.#at += match[0].length;
    const [, sign, low, comma, high, lazy] = match;
    const min = sign === undefined ? Number(low) : sign === '+' ? 1 : 0;
    const max =
      sign === '?'
        ? 1
        : sign !== undefined
          ? Infinity
          : comma === ''
            ? min
            : high === ''
              ? Infinity
              : Number(high);
    return { k: 'repeat', min, max, lazy: lazy === '?', body };
  }

  #atom(): Node {
    for (const [head, behind, not] of [
      ['(?=', false, false],
      ['(?!', false, true],
      ['(?<=', true, false],
      ['(?<!', true, true],
    ] as const)
      if (this.#take(head)) {
        const body = this.#either();
        this.#take(')');
        return { k: 'look', behind, not, body };
      }
    if (this.#take('(?:')) {
      const body = this.#either();
      this.#take(')');
      return { k: 'group', index: null, body };
    }
    if (this.#take('(')) {
      const name = /^\?<\w+>/.exec(this.source.slice(this.#at))?.[0] ?? '';
      this.#at += name.length;
      const index = ++this.#groups;
      const body = this.#either();
      this.#take(')');
      return { k: 'group', index, body };
    }
    const multi = this.flags.includes('m');
    if (this.#take('^'))
      return { k: 'assert', holds: (text, at) => at === 0 || (multi && text[at - 1] === '\n') };
    if (this.#take('$'))
      return { k: 'assert', holds: (text, at) => at === text.length || (multi && text[at] === '\n') };
    const word = (text: string, at: number): boolean => /\w/.test(text[at] ?? '');
    if (this.#take('\\b')) return { k: 'assert', holds: (text, at) => word(text, at - 1) !== word(text, at) };
    if (this.#take('\\B')) return { k: 'assert', holds: (text, at) => word(text, at - 1) === word(text, at) };
    const back = /^\\([1-9])/.exec(this.source.slice(this.#at));
    if (back) {
      this.#at += 2;
      return { k: 'back', group: Number(back[1]) };
    }
    return this.#set();
  }

  /** One character: what it takes is asked of the engine itself. */
  #set(): Node {
    const rest = this.source.slice(this.#at);
    const text =
      /^\[(?:\\.|[^\]\\])*\]|^\\u\{[^}]+\}|^\\[pP]\{[^}]+\}|^\\u[0-9a-fA-F]{4}|^\\x[0-9a-fA-F]{2}|^\\c.|^\\[^]|^[^]/u.exec(
        rest,
      )?.[0] ?? '';
    this.#at += text.length;
    const one = new RegExp(`^(?:${text})$`, this.flags.replace(/[gym]/g, ''));
    const known = new Map<string, boolean>();
    const has = (c: string): boolean => {
      let answer = known.get(c);
      if (answer === undefined) known.set(c, (answer = one.test(c)));
      return answer;
    };
    const literal = text.length === 1 ? text : text.replace(/^\\/, '');
    const some = [...ALPHABET].find(has) ?? (has(literal) ? literal : '\u0001');
    return { k: 'set', has, some };
  }
}

class Spent extends Error {}

/** Steps that a search for `node` takes in `text`, at most `limit`. */
function steps(node: Node, text: string, limit: number, sticky: boolean): number {
  let count = 0;
  const groups: (string | undefined)[] = [];
  const match = (it: Node, at: number, next: (at: number) => boolean): boolean => {
    if (++count > limit) throw new Spent();
    switch (it.k) {
      case 'set':
        return at < text.length && it.has(text[at] as string) && next(at + 1);
      case 'assert':
        return it.holds(text, at) && next(at);
      case 'look': {
        const found = it.behind
          ? Array.from({ length: Math.min(at, 8) + 1 }, (_, n) => at - n).some((from) =>
              match(it.body, from, (end) => end === at),
            )
          : match(it.body, at, () => true);
        return found !== it.not && next(at);
      }
      case 'back': {
        const said = groups[it.group] ?? '';
        return text.startsWith(said, at) && next(at + said.length);
      }
      case 'group':
        return match(it.body, at, (end) => {
          if (it.index !== null) groups[it.index] = text.slice(at, end);
          return next(end);
        });
      case 'sequence': {
        const from = (i: number, here: number): boolean => {
          const one = it.list[i];
          return one === undefined ? next(here) : match(one, here, (end) => from(i + 1, end));
        };
        return from(0, at);
      }
      case 'either':
        return it.list.some((one) => match(one, at, next));
      default:
        return repeat(it, at, next);
    }
  };
  const repeat = (it: Extract<Node, { k: 'repeat' }>, at: number, next: (at: number) => boolean): boolean => {
    const { body, min, max, lazy } = it;
    // One character again and again, without recursion: the common case, and the long one.
    if (body.k === 'set') {
      let end = at;
      while (end - at < max && end < text.length && body.has(text[end] as string)) {
        if (++count > limit) throw new Spent();
        end++;
      }
      for (let n = lazy ? min : end - at; lazy ? n <= end - at : n >= min; n += lazy ? 1 : -1) {
        if (++count > limit) throw new Spent();
        if (next(at + n)) return true;
      }
      return false;
    }
    const more = (n: number, here: number): boolean =>
      n < max && match(body, here, (end) => (end > here || n < min) && again(n + 1, end));
    const again = (n: number, here: number): boolean => {
      if (n < min) return more(n, here);
      return lazy ? next(here) || more(n, here) : more(n, here) || next(here);
    };
    return again(0, at);
  };
  try {
    for (let at = 0; at <= text.length; at++) {
      if (match(node, at, () => true) || sticky) break;
    }
  } catch (error) {
    if (!(error instanceof Spent)) throw error;
    return limit;
  }
  return count;
}

/** The shortest text that is taken, as far as one character stands for a set. */
function example(node: Node): string {
  switch (node.k) {
    case 'set':
      return node.some;
    case 'group':
      return example(node.body);
    case 'sequence':
      return node.list.map(example).join('');
    case 'either':
      return example(node.list[0] as Node);
    case 'repeat':
      return example(node.body).repeat(Math.min(node.min, 3));
    default:
      return '';
  }
}

interface Attack {
  readonly before: string;
  readonly pump: string;
}

/** For each repetition what leads to it and what it takes again and again; two that touch share their characters. */
function attacks(node: Node): Attack[] {
  const found: Attack[] = [];
  const sets: Extract<Node, { k: 'set' }>[] = [];
  const visit = (it: Node, before: string): void => {
    switch (it.k) {
      case 'set':
        sets.push(it);
        return;
      case 'group':
      case 'look':
        return visit(it.body, before);
      case 'sequence': {
        let lead = before;
        for (const one of it.list) {
          visit(one, lead);
          lead += example(one);
        }
        return;
      }
      case 'either':
        for (const one of it.list) visit(one, before);
        return;
      case 'repeat':
        if (it.max > 20) {
          const pumps = new Set([example(it.body)]);
          if (it.body.k === 'set') for (const c of ALPHABET) if (it.body.has(c)) pumps.add(c);
          for (const pump of pumps) if (pump !== '') found.push({ before, pump });
        }
        return visit(it.body, before);
      default:
    }
  };
  visit(node, '');
  // Whole examples again and again, for what begins anew at each of them.
  found.push({ before: '', pump: example(node) });
  const letters = [...ALPHABET].filter((c) => sets.some((it) => it.has(c)));
  for (const c of letters.slice(0, 12)) found.push({ before: '', pump: c });
  return found.filter(({ pump }) => pump !== '');
}

/** How the steps of the worst attack grow when it is twice as long: 2 is linear, 4 quadratic, more is worse. */
export function growth(source: string, flags: string): { readonly factor: number; readonly attack: string } {
  const node = new Parser(source, flags).parse();
  let worst = { factor: 0, attack: '' };
  const known = new Set<string>();
  for (const { before, pump } of attacks(node)) {
    const key = `${before}\u0000${pump}`;
    if (known.has(key)) continue;
    known.add(key);
    for (const after of ['\u0001', '\n\u0001']) {
      const count = (n: number): number =>
        steps(node, before + pump.repeat(n) + after, 400_000, flags.includes('y'));
      const [one, two] = [count(40), count(80)];
      // A budget that both spend says nothing but the worst.
      const factor = one >= 400_000 ? 100 : two / Math.max(one, 60);
      if (factor > worst.factor) worst = { factor, attack: JSON.stringify(before + pump) };
    }
  }
  return worst;
}
