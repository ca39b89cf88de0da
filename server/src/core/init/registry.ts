import { diffFolders } from './diff-folders';
import { folders } from './folders';
import { gitTags } from './git-tags';
import type { Recogniser } from './scene';

/** The first that recognises something is taken: the more particular ways come first. */
export const RECOGNISERS: readonly Recogniser[] = [gitTags, folders, diffFolders];
