import { diffFolders } from './diff-folders';
import { folders } from './folders';
import { gitTags } from './git-tags';
import type { Recogniser } from './scene';
import { suseTree } from './suse-tree';

/** The first that recognises something is taken: the more particular ways come first. */
export const RECOGNISERS: readonly Recogniser[] = [suseTree, gitTags, folders, diffFolders];
