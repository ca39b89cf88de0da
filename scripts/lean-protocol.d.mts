export interface Mentions {
  readonly members: ReadonlySet<string>;
  readonly values: ReadonlySet<string>;
}

/** All that is said of names that begin with a capital: `Name.member`, and names that are used as values otherwise. */
export function mentionsIn(texts: readonly string[]): Mentions;

/** `text` without the members of namespaces that `mentions` does not know. */
export function withoutUnmentioned(text: string, mentions: Mentions): string;
