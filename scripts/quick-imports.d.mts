/** `text`, which esbuild has minified, with an import helper that shares. Throws where something else stands in its place. */
export function withSharedImports(text: string): string;

/** A library's text with an `export *` that copies. */
export function withCopiedExports(text: string): string;

/** `text`, minified, without statements that an export is undefined so far. */
export function withoutNamesAhead(text: string): string;
