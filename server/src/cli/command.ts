/** The options of one call, as parseArgs gives them. */
export type Options = Readonly<Record<string, string | boolean | undefined>>;

export interface Command {
  readonly usage: string;
  readonly summary: string;
  readonly options: Readonly<
    Record<string, { readonly type: 'string' | 'boolean'; readonly short?: string }>
  >;
  /** Positional arguments it takes at most. */
  readonly positionals: number;
  /** Answers the exit code. */
  run(positionals: readonly string[], options: Options): Promise<number> | number;
}
