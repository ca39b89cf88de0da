import type { CommandId } from '../command-ids';

/** What a command gets when a button of the panel runs it: the versions that the button is about, by their part. */
export function actionWish(command: CommandId, manifest: string, given: readonly string[]): unknown {
  const [first, ...rest] = given;
  switch (command) {
    case 'livepatch.showStack':
    case 'livepatch.compareVersions':
    case 'livepatch.exportSvg':
    case 'livepatch.exportPng':
      return manifest;
    case 'livepatch.generateCleanupPatch':
      return { manifest, restore: first, after: rest };
    default:
      return { manifest, from: first, to: rest[0] };
  }
}
