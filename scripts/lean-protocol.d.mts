export interface Mentions {
  readonly members: ReadonlySet<string>;
  readonly values: ReadonlySet<string>;
  readonly converters: ReadonlySet<string>;
  readonly heard: ReadonlySet<string>;
}

/** All that is said of names that begin with a capital: `Name.member`, and names that are used as values otherwise. */
export function mentionsIn(texts: readonly string[]): Mentions;

/** `text` without the members of namespaces that `mentions` does not know. */
export function withoutUnmentioned(text: string, mentions: Mentions): string;

/** A converter's text without what it hands out and nobody calls. */
export function withoutUncalled(text: string, mentions: Mentions): string;

/** The text of the server's connection without the messages that nobody asks it to hear. */
export function withoutUnheard(text: string, mentions: Mentions): string;
