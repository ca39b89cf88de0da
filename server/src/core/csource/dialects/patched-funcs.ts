import type { Span } from '../../place';

/** One row of a patched_funcs.csv: `OBJECT OLD_FUNCTION[,SYMPOS] NEW_FUNCTION [CONDITION]`. */
export interface PatchedFunc {
  /** As written; `vmlinux` is the kernel itself. */
  readonly object: Located;
  readonly old: Located;
  /** As written behind the comma; null where there is none. */
  readonly sympos: string | null;
  readonly replacement: Located;
  /** The condition of an `#if` around the entry; null where it is always there. */
  readonly condition: Located | null;
  /** The whole row, without white space around it. */
  readonly place: Span;
}

interface Located extends Span {
  readonly text: string;
}

export interface PatchedFuncs {
  readonly rows: readonly PatchedFunc[];
  readonly problems: readonly { readonly message: string; readonly place: Span }[];
}

/** A live patch of a whole kernel has some hundreds. */
const MAX_ROWS = 10_000;

const SHAPE = 'a row is OBJECT OLD_FUNCTION[,SYMPOS] NEW_FUNCTION [CONDITION]';

/**
 * Reads the table of one fix. Rows end with a line break, fields are parted by blanks or tabs, and what follows the
 * third field is the condition. Empty lines and lines that begin with `#` are passed over; a row that cannot be read
 * is left out and said.
 */
export function readPatchedFuncs(text: string): PatchedFuncs {
  const rows: PatchedFunc[] = [];
  const problems: { message: string; place: Span }[] = [];
  for (const line of text.matchAll(/[^\r\n]+/g)) {
    const at = line.index;
    const fields = [...line[0].matchAll(/\S+/g)].map((field) => located(field[0], at + field.index));
    const [object, old, replacement, ...rest] = fields;
    if (object === undefined || object.text.startsWith('#')) continue;
    const place = { start: object.start, end: (fields[fields.length - 1] ?? object).end };
    if (rows.length + problems.length >= MAX_ROWS) {
      problems.push({ message: `More than ${MAX_ROWS} rows: the rest is not read.`, place });
      break;
    }
    const message = (): string | null => {
      if (old === undefined || replacement === undefined)
        return `this row names no ${old === undefined ? 'function' : 'replacement'}: ${SHAPE}`;
      if (!/^[\w-]+$/.test(object.text)) return `${object.text} is no name of an object: ${SHAPE}`;
      if (!/^[A-Za-z_][\w.$]*(?:,\d+)?$/.test(old.text))
        return `${old.text} is no function with or without a position: ${SHAPE}`;
      // A system call's replacement is named by a macro.
      if (!/^[A-Za-z_]\w*(?:\(\w+(?:,\w+)*\))?$/.test(replacement.text))
        return `${replacement.text} is no name of a function: ${SHAPE}`;
      return null;
    };
    const wrong = message();
    if (wrong !== null || old === undefined || replacement === undefined) {
      problems.push({ message: wrong ?? SHAPE, place });
      continue;
    }
    const [name = '', sympos] = old.text.split(',');
    const condition = rest[0] ? located(text.slice(rest[0].start, place.end), rest[0].start) : null;
    rows.push({
      object,
      old: located(name, old.start),
      sympos: sympos ?? null,
      replacement,
      condition,
      place,
    });
  }
  return { rows, problems };
}

function located(text: string, start: number): Located {
  return { text, start, end: start + text.length };
}
