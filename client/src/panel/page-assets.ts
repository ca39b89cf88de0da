/**
 * The page's script and style sheet as texts. scripts/build.mjs puts the bundled ones in: packed with the program they
 * take half the room that files of their own would.
 */
export const PAGE_ASSETS: { readonly script: string; readonly style: string } = { script: '', style: '' };
