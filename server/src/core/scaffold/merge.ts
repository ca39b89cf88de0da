import type { ObjectFacts } from '../execution/fact-types';
import type { LineageVersion } from '../lineage/lineage';
import type { Place } from '../place';
import type { CarriedState } from './states';
import type { TextEdit } from './subject';
import { aboveComment, lineStart, type TableElement, type TableList, TableText } from './table-text';

/** Names that the added file gives to what the good version's tables now point at; all are C identifiers. */
export interface AddedNames {
  readonly header: string;
  readonly cleanup: string;
  readonly wrapper: string;
  readonly states: string;
  readonly noFuncs: string;
}

/** What must change in the good version's tables. */
export interface Change {
  /** A callback of vmlinux must call the cleanup. */
  readonly cleanup: boolean;
  readonly states: readonly CarriedState[];
  /** Comment for changed lines, without the comment's delimiters; safe for C. Empty for none. */
  readonly mark: string;
  readonly names: AddedNames;
  /** What stands in front of the tables, at this offset, in place of the include; it defines the wrapper. */
  readonly lead?: (above: number, wrapped: string | null, needsStates: boolean) => string;
}

export interface TextChange extends TextEdit {
  readonly file: string;
}

export interface Merge {
  readonly changes: readonly TextChange[];
  /** The vmlinux object was added: the added file must hold an empty array of functions. */
  readonly needsNoFuncs: boolean;
  /** The state table was added: the added file must hold it. */
  readonly needsStates: boolean;
  /** The good version's own post_patch of vmlinux, which runs after the cleanup. */
  readonly wrapped: string | null;
  readonly notes: readonly string[];
}

export interface MergeProblem {
  readonly message: string;
  readonly place: Place | null;
}

/** A variable with its initialiser in the text. */
interface Table {
  readonly file: string;
  readonly source: TableText;
  readonly list: TableList;
  /** Where the definition's lines begin. */
  readonly above: number;
}

/**
 * The changes to the good version's text that make it call the cleanup and carry the states: elements of klp_patch,
 * klp_object and klp_state tables only, each changed line marked, and in front of the first of them the include (and
 * the wrapper, where the good version has a post_patch of its own).
 */
export function mergeTables(
  good: LineageVersion,
  text: (file: string) => string,
  change: Change,
): Merge | MergeProblem {
  const merger = new Merger(good, text, change);
  try {
    return merger.run();
  } catch (problem) {
    if (problem instanceof Unchangeable) return { message: problem.message, place: problem.place };
    throw problem;
  }
}

/** The tables are written in a way that cannot be changed safely. Never leaves this file. */
class Unchangeable extends Error {
  constructor(
    message: string,
    readonly place: Place | null,
  ) {
    super(message);
  }
}

class Merger {
  readonly #changes: TextChange[] = [];
  readonly #sources = new Map<string, TableText>();
  /** Per file, the first table that is changed there: the include goes above it. */
  readonly #above = new Map<string, number>();
  readonly #notes: string[] = [];
  #wrapped: string | null = null;
  #needsNoFuncs = false;
  #needsStates = false;

  constructor(
    readonly good: LineageVersion,
    readonly text: (file: string) => string,
    readonly change: Change,
  ) {}

  run(): Merge {
    const facts = this.good.facts?.patch;
    if (!facts) throw new Unchangeable(`${this.good.name} has no struct klp_patch`, null);
    const patch = this.#table(facts.variable, facts.place);
    const added = this.change.states.filter((state) => state.own === null);
    const raised = this.change.states.filter((state) => state.raised);
    if (this.change.cleanup) this.#objects(patch, facts.objects ?? [], facts.place);
    if (added.length > 0 || raised.length > 0) this.#states(patch, added, raised, facts.states.length);
    this.#lead();
    return {
      changes: this.#changes,
      needsNoFuncs: this.#needsNoFuncs,
      needsStates: this.#needsStates,
      wrapped: this.#wrapped,
      notes: this.#notes,
    };
  }

  #objects(patch: Table, objects: readonly ObjectFacts[], place: Place): void {
    const objs = this.#pointedAt(patch, '.objs', place);
    const real = objs.list.elements.slice(0, objects.length);
    if (real.length !== objects.length || objects.length === 0 || !real.every((element) => element.list)) {
      throw new Unchangeable(
        'its table of objects is not written out element by element',
        this.#placeOf(objs),
      );
    }
    const vmlinux = objects.findIndex((object) => object.name === null);
    if (vmlinux < 0) this.#addVmlinux(objs, objects, real);
    else {
      const element = real[vmlinux] as TableElement;
      this.#hook(objs, element, objects[vmlinux] as ObjectFacts);
      const earlier = objects
        .slice(0, vmlinux)
        .find((object) => object.callbacks.some((item) => item.callback === 'post_patch'));
      if (earlier) {
        this.#notes.push(
          `post_patch of ${earlier.name ?? 'vmlinux'} stands before that of vmlinux in ${this.good.name}'s table and runs before the cleanup.`,
        );
      }
    }
  }

  /** Adds an object for vmlinux without functions: its callback always runs, whatever modules are loaded. */
  #addVmlinux(objs: Table, objects: readonly ObjectFacts[], real: readonly TableElement[]): void {
    if (real.some((element) => element.designator !== '')) {
      throw new Unchangeable(
        'its table of objects is indexed, so no object can be put in front',
        this.#placeOf(objs),
      );
    }
    const { cleanup, noFuncs } = this.change.names;
    const indent = this.#indentOf(objs, real[0]);
    const lines = [
      `{${this.#mark()}`,
      `\t.funcs = ${noFuncs},${this.#mark()}`,
      `\t.callbacks.post_patch = ${cleanup},${this.#mark()}`,
      '},',
    ];
    const text = lines.map((line) => `\n${indent}${line}`).join('');
    const at = objs.list.start + 1;
    this.#put(objs, at, at, objs.source.moreOnLine(at) ? `${text}\n${indent}` : text);
    this.#needsNoFuncs = true;
    this.#notes.push(
      `${this.good.name} patches no function of vmlinux (${objects.map((object) => object.name ?? '').join(', ')} only): an object without functions carries the cleanup.`,
    );
  }

  /** Makes the vmlinux object's post_patch run the cleanup. */
  #hook(objs: Table, element: TableElement, object: ObjectFacts): void {
    const list = objs.source.at(element.value.start);
    if (!list || list.conditional)
      throw new Unchangeable('the object of vmlinux is written with #if or a macro', this.#placeOf(objs));
    const own = object.callbacks.find((item) => item.callback === 'post_patch')?.function ?? null;
    const nested = list.elements.find((item) => item.designator === '.callbacks');
    const flat = list.elements.filter((item) => item.designator.startsWith('.callbacks.'));
    const inner = nested?.list ? objs.source.at(nested.value.start) : null;
    if (nested && (!inner || inner.conditional || inner.elements.some((item) => item.designator === ''))) {
      throw new Unchangeable(
        'the callbacks of vmlinux are not written as `.callbacks = { .name = function }`',
        this.#placeOf(objs),
      );
    }
    if (object.callbacks.length > 0 && !nested && flat.length === 0) {
      throw new Unchangeable('the callbacks of vmlinux are not set in its table', this.#placeOf(objs));
    }
    const written =
      inner?.elements.find((item) => item.designator === '.post_patch') ??
      flat.find((item) => item.designator === '.callbacks.post_patch');
    if (own !== null) {
      if (!written)
        throw new Unchangeable('post_patch of vmlinux is not set in its table', this.#placeOf(objs));
      const name = objs.source.text.slice(written.value.start, written.value.end).replace(/^&\s*/, '');
      if (name !== own)
        throw new Unchangeable('post_patch of vmlinux is not set to a plain function', this.#placeOf(objs));
      this.#wrapped = own;
      this.#put(objs, written.value.start, written.value.end, this.change.names.wrapper);
      const end = objs.source.pastComma(written.end) ?? written.end;
      this.#put(objs, end, end, this.#mark());
      return;
    }
    if (written) {
      // `.post_patch = NULL` says that there is none.
      this.#put(objs, written.value.start, written.value.end, this.change.names.cleanup);
      const end = objs.source.pastComma(written.end) ?? written.end;
      this.#put(objs, end, end, this.#mark());
    } else if (inner && inner.elements.length > 0)
      this.#append(objs, inner, `.post_patch = ${this.change.names.cleanup}`);
    else if (inner && nested) {
      this.#put(objs, nested.value.start, nested.value.end, `{ .post_patch = ${this.change.names.cleanup} }`);
      const end = objs.source.pastComma(nested.end) ?? nested.end;
      this.#put(objs, end, end, this.#mark());
    } else this.#append(objs, list, `.callbacks.post_patch = ${this.change.names.cleanup}`);
  }

  #states(
    patch: Table,
    added: readonly CarriedState[],
    raised: readonly CarriedState[],
    count: number,
  ): void {
    if (count === 0) {
      if (patch.list.elements.some((item) => item.designator === '.states')) {
        throw new Unchangeable('its table of states could not be read', this.#placeOf(patch));
      }
      this.#append(patch, patch.list, `.states = ${this.change.names.states}`);
      this.#needsStates = true;
      return;
    }
    const table = this.#pointedAt(patch, '.states', this.#placeOf(patch));
    const real = table.list.elements.slice(0, count);
    if (real.length !== count || !real.every((item) => item.list)) {
      throw new Unchangeable(
        'its table of states is not written out element by element',
        this.#placeOf(table),
      );
    }
    const facts = this.good.facts?.patch?.states ?? [];
    for (const state of raised) {
      const index = facts.findIndex((item) => item.id === state.id);
      const list = index < 0 ? null : table.source.at((real[index] as TableElement).value.start);
      if (!list || list.conditional)
        throw new Unchangeable('an entry of its table of states could not be read', this.#placeOf(table));
      const version =
        list.elements.find((item) => item.designator === '.version') ??
        (list.elements[0]?.designator === '' ? list.elements[1] : undefined);
      if (version) {
        this.#put(table, version.value.start, version.value.end, String(state.version));
        const end = table.source.pastComma(version.end) ?? version.end;
        this.#put(table, end, end, this.#mark());
      } else this.#append(table, list, `.version = ${state.version}`);
    }
    if (added.length === 0) return;
    const declaration = table.source.text.slice(table.above, table.list.start);
    if (!/\[\s*\]\s*(?:\w+\s*)?=\s*$/.test(declaration) || real.some((item) => item.designator !== '')) {
      throw new Unchangeable('its table of states has a fixed length or is indexed', this.#placeOf(table));
    }
    const last = real[count - 1] as TableElement;
    const comma = table.source.pastComma(last.end);
    const at = comma ?? last.end;
    const indent = this.#indentOf(table, real[0]);
    const lines = added
      .map((state) => `\n${indent}{ .id = ${String(state.id)}, .version = ${state.version} },${this.#mark()}`)
      .join('');
    this.#put(
      table,
      at,
      at,
      `${comma === null ? ',' : ''}${lines}${table.source.moreOnLine(at) ? `\n${indent}` : ''}`,
    );
  }

  /** Appends a designated element to a list, on a line of its own where the list has lines. */
  #append(table: Table, list: TableList, element: string): void {
    const { source } = table;
    const last = list.elements[list.elements.length - 1];
    const close = list.end - 1;
    const line = `${element},${this.#mark()}`;
    if (last && source.pastComma(last.end) === null) this.#put(table, last.end, last.end, ',');
    if (source.firstOnLine(close)) {
      const indent =
        last && source.firstOnLine(last.start) ? source.indentAt(last.start) : `${source.indentAt(close)}\t`;
      const at = lineStart(source.text, close);
      this.#put(table, at, at, `${indent}${line}\n`);
    } else
      this.#put(
        table,
        close,
        close,
        `${/\s$/.test(source.text.slice(0, close).slice(-1)) ? '' : ' '}${line} `,
      );
  }

  /** The include and the wrapper in front of the first changed table of each file. */
  #lead(): void {
    if (!this.change.cleanup && !this.#needsStates) return;
    const { header, wrapper, cleanup } = this.change.names;
    const wrapperFile = this.#changes.find((item) => item.text === wrapper)?.file;
    for (const [file, above] of this.#above) {
      let text = this.change.lead?.(above, this.#wrapped, this.#needsStates);
      text ??= `#include "${header}"${this.#mark()}\n\n`;
      if (!this.change.lead && this.#wrapped !== null && file === wrapperFile) {
        text += `/* ${this.change.mark}, then what stood in the table */\n`;
        text += `static void ${wrapper}(struct klp_object *obj)\n{\n\t${cleanup}(obj);\n\t${this.#wrapped}(obj);\n}\n\n`;
      }
      this.#changes.push({ file, start: above, end: above, text: this.#inStyle(file, text) });
    }
  }

  #put(table: Table, start: number, end: number, text: string): void {
    this.#changes.push({ file: table.file, start, end, text: this.#inStyle(table.file, text) });
    const above = this.#above.get(table.file);
    if (above === undefined || table.above < above) this.#above.set(table.file, table.above);
  }

  #inStyle(file: string, text: string): string {
    return /\r\n/.test(this.#source(file).text) ? text.replaceAll('\n', '\r\n') : text;
  }

  /** The table that an element of the patch points at by name. */
  #pointedAt(patch: Table, member: string, place: Place): Table {
    const element = patch.list.elements.find((item) => item.designator === member);
    if (!element)
      throw new Unchangeable(`its klp_patch does not set \`${member}\` in its initialiser`, place);
    const name = patch.source.text.slice(element.value.start, element.value.end);
    if (!/^[A-Za-z_]\w*$/.test(name))
      throw new Unchangeable(`\`${member}\` of its klp_patch is no plain array`, place);
    return this.#table(name, place);
  }

  #table(variable: string, near: Place): Table {
    const units = this.good.program?.units ?? [];
    const sameFile = units.filter((unit) => unit.files.includes(near.file));
    for (const unit of [...sameFile, ...units]) {
      const item = unit.variables.get(variable);
      if (!item || item.extern || !item.hasInitialiser) continue;
      const source = this.#source(item.place.file);
      const list = source.ofVariable(item.place);
      if (!list || list.conditional) break;
      return {
        file: item.place.file,
        source,
        list,
        above: aboveComment(source.text, lineStart(source.text, item.place.start)),
      };
    }
    throw new Unchangeable(
      `the initialiser of ${variable} is not written out (macro, #if or assignment)`,
      near,
    );
  }

  #source(file: string): TableText {
    let source = this.#sources.get(file);
    if (!source) this.#sources.set(file, (source = new TableText(this.text(file))));
    return source;
  }

  #indentOf(table: Table, element: TableElement | undefined): string {
    return element && table.source.firstOnLine(element.start) ? table.source.indentAt(element.start) : '\t';
  }

  #placeOf(table: Table): Place {
    return { file: table.file, start: table.list.start, end: table.list.end };
  }

  #mark(): string {
    return this.change.mark === '' ? '' : ` /* ${this.change.mark} */`;
  }
}

/** Applies changes to a text; they must not overlap. Insertions at one place keep their order. */
export function applyChanges(text: string, changes: readonly TextEdit[]): string {
  let out = '';
  let at = 0;
  for (const change of [...changes].sort((a, b) => a.start - b.start || a.end - b.end)) {
    out += text.slice(at, change.start) + change.text;
    at = change.end;
  }
  return out + text.slice(at);
}
