import { TokenList } from './expand';
import { readExternals } from './externals';
import { FileScope } from './file-scope';
import { lex } from './lexer';
import { Lowering } from './lowering';
import { tokenAt } from './macro-table';
import { names } from './names';
import type { CType, StructType } from './types';

interface Line {
  readonly text: string;
  read: boolean;
}

/** Lines of declarations by the names they declare. */
interface Lines {
  readonly names: Map<string, Line>;
  readonly tags: Map<string, Line>;
}

function lastWord(text: string): string {
  const end = text.trimEnd();
  return end.slice(Math.max(end.lastIndexOf(' '), end.lastIndexOf('*')) + 1);
}

/** Enters what a line declares: a type or an enumeration with its body, or declarations without any. */
function enter(text: string, { names: ordinary, tags }: Lines): void {
  const line: Line = { text, read: false };
  const open = text.indexOf('{');
  const close = text.lastIndexOf('}');
  const head = text.slice(0, Math.max(open, 0));
  const body = text.slice(open + 1, Math.max(close, 0));
  if (head.startsWith('enum')) for (const one of body.split(',')) ordinary.set(one.trim(), line);
  if (head !== '') tags.set(lastWord(head), line);
  for (const statement of text.slice(close + 1).split(';')) {
    const pointer = statement.indexOf('(*');
    if (pointer >= 0) ordinary.set(statement.slice(pointer + 2, statement.indexOf(')', pointer)), line);
    else for (const one of statement.split(',')) ordinary.set(lastWord(one.replace('()', '')), line);
  }
}

/**
 * What declarations in C mean, each line of which is read when somebody asks for a name that it declares: a start needs
 * a few of them. A line stands for itself, a body may go on in lines that are indented.
 */
export class HeaderScope extends FileScope {
  readonly #lines: Lines = { names: new Map(), tags: new Map() };
  readonly #like: ReadonlyMap<string, string>;

  /** `like`: functions, each with another one that stands in the declarations and is typed alike. */
  constructor(declarations: string, like: ReadonlyMap<string, string>) {
    super(null);
    this.#like = like;
    for (const text of declarations.replaceAll(/\n(?=[ }])/g, ' ').split('\n'))
      if (text !== '') enter(text, this.#lines);
  }

  override typedef(name: number): CType | undefined {
    return this.typedefs.get(name) ?? (this.#reads(name) ? this.typedefs.get(name) : undefined);
  }

  override readonly struct = (tag: string): StructType | undefined =>
    this.structs.get(tag) ?? (this.#read(this.#lines.tags.get(tag)) ? this.structs.get(tag) : undefined);

  override enumerator(name: number): number | bigint | undefined {
    return this.enumerators.get(name) ?? (this.#reads(name) ? this.enumerators.get(name) : undefined);
  }

  override global(asked: number): CType | undefined {
    const like = this.#like.get(names.text(asked));
    const name = like === undefined ? asked : names.id(like);
    return this.globals.get(name) ?? (this.#reads(name) ? this.globals.get(name) : undefined);
  }

  #reads(name: number): boolean {
    return this.#read(this.#lines.names.get(names.text(name)));
  }

  #read(line: Line | undefined): boolean {
    if (line === undefined || line.read) return false;
    // Before the reading: a declaration that uses its own name does not know it yet.
    line.read = true;
    const tokens = lex(line.text);
    const list = new TokenList();
    for (let i = 0; i < tokens.count; i++) {
      const { kind, id, start, end } = tokenAt(tokens, i);
      list.push(kind, id, start, end);
    }
    readExternals(new Lowering(list, this, 0, '', undefined), false, (external) => {
      this.globals.set(external.id, external.declarator.type);
      return false;
    });
    return true;
  }
}
