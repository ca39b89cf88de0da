/** What the page remembers while it is hidden and over a reload; the extension's serializer reads the same. */

export interface PageState {
  /** The manifest's URI. */
  readonly manifest: string | null;
  readonly from: string | null;
  readonly to: string | null;
  /** The moment of the run, from 0; null: wherever the fault is. */
  readonly cursor: number | null;
  readonly text: boolean;
}

/** The state in `value`, field by field; what is missing or of the wrong type is null. */
export function readPageState(value: unknown): PageState {
  const fields: Record<string, unknown> = typeof value === 'object' && value !== null ? { ...value } : {};
  const text = (key: string): string | null => {
    const field = fields[key];
    return typeof field === 'string' ? field : null;
  };
  const cursor = fields['cursor'];
  return {
    manifest: text('manifest'),
    from: text('from'),
    to: text('to'),
    cursor: typeof cursor === 'number' && Number.isSafeInteger(cursor) && cursor >= 0 ? cursor : null,
    text: fields['text'] === true,
  };
}
