/** The name under which the one copy is imported. */
export const HELPERS: string;

/** The helpers of these texts by name; of two with one name, the first. */
export function helpersIn(texts: readonly string[]): Map<string, string>;

/** `text` with those helpers taken from the one copy; a helper that is another one there stays. */
export function withSharedHelpers(text: string, helpers: ReadonlyMap<string, string>): string;

/** The text of the one copy. */
export function helperModule(helpers: ReadonlyMap<string, string>): string;
