import { DidChangeConfigurationNotification, type InitializeParams } from 'vscode-languageserver/node';
import { RULE_SEVERITIES, type RuleSeverity } from '../core/manifest/names';
import type { Session } from './session';

/** The settings under `livepatch.` that the server acts on; package.json documents them. */
export interface Settings {
  readonly inlayHints: boolean;
  readonly codeLens: boolean;
  /** Severity of findings by rule; what the manifest says of a rule goes before it. */
  readonly rules: ReadonlyMap<string, RuleSeverity>;
}

export const DEFAULTS: Settings = { inlayHints: true, codeLens: true, rules: new Map() };

/** Reads the value of `livepatch`, which may be anything; what is not understood is as if it were not there. */
export function readSettings(value: unknown): Settings {
  const rules = new Map<string, RuleSeverity>();
  for (const [code, severity] of Object.entries(record(record(value).rules))) {
    const known = RULE_SEVERITIES.find((it) => it === severity);
    if (known !== undefined) rules.set(code, known);
  }
  const on = (name: string): boolean => record(record(value)[name]).enable !== false;
  return { inlayHints: on('inlayHints'), codeLens: on('codeLens'), rules };
}

/**
 * Keeps the session's settings as the editor has them: asked for where it answers workspace/configuration, else taken
 * from what it sends with didChangeConfiguration and at the start (initializationOptions).
 */
export class Configuration {
  readonly #session: Session;
  readonly #changed: () => void;
  #asks = false;
  #registers = false;

  constructor(session: Session, changed: () => void) {
    this.#session = session;
    this.#changed = changed;
  }

  initialize({ capabilities, initializationOptions }: InitializeParams): void {
    this.#asks = capabilities.workspace?.configuration === true;
    this.#registers = capabilities.workspace?.didChangeConfiguration?.dynamicRegistration === true;
    const given: unknown = initializationOptions;
    this.#session.settings = readSettings(record(given).livepatch ?? given);
    this.#session.connection.onDidChangeConfiguration(({ settings }) => {
      if (this.#session.phase !== 'running') return;
      if (this.#asks) void this.ask();
      else this.#use(record(settings).livepatch);
    });
  }

  /** Once the editor is ready to be asked. */
  async start(): Promise<void> {
    const { connection } = this.#session;
    if (this.#registers) {
      const options = { section: 'livepatch' };
      await connection.client.register(DidChangeConfigurationNotification.type, options);
    }
    if (this.#asks) await this.ask();
  }

  async ask(): Promise<void> {
    await this.#session.guard('configuration', undefined, async () => {
      this.#use(await this.#session.connection.workspace.getConfiguration('livepatch'));
    });
  }

  #use(value: unknown): void {
    this.#session.settings = readSettings(value);
    this.#changed();
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
