/** The commands this extension registers. package.json contributes exactly these. */
export const COMMAND_IDS = [
  'livepatch.showStack',
  'livepatch.generateCleanupPatch',
  'livepatch.simulate',
  'livepatch.explainTransition',
  'livepatch.newVersion',
  'livepatch.makeReplaceable',
  'livepatch.runbook',
  'livepatch.rehearse',
  'livepatch.compareVersions',
  'livepatch.exportSvg',
  'livepatch.exportPng',
  'livepatch.createManifest',
] as const;

export type CommandId = (typeof COMMAND_IDS)[number];

export function isCommandId(command: string): command is CommandId {
  return COMMAND_IDS.some((id) => id === command);
}
