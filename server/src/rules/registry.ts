import { badObjectName } from './bad-object-name';
import { danglingModulePointer } from './dangling-module-pointer';
import { incompatibleState } from './incompatible-state';
import { lostObject } from './lost-object';
import { manifestInvalid } from './manifest-invalid';
import { missingReplace } from './missing-replace';
import { notALivepatch } from './not-a-livepatch';
import { notInThisKernel } from './not-in-this-kernel';
import { orphanedSideEffect } from './orphaned-side-effect';
import { prevStateOutsideTransition } from './prev-state-outside-transition';
import { revertedFunction } from './reverted-function';
import type { Rule } from './rule';
import { shadowFreeInExit } from './shadow-free-in-exit';
import { unsafeDowngrade } from './unsafe-downgrade';
import { unusedSuppression } from './unused-suppression';
import { wrongCallbackSignature } from './wrong-callback-signature';

/** Every rule, in the order in which they run: the manifest, what the C says, what runs show. */
export const RULES: readonly Rule[] = [
  manifestInvalid,
  notALivepatch,
  wrongCallbackSignature,
  badObjectName,
  notInThisKernel,
  missingReplace,
  shadowFreeInExit,
  danglingModulePointer,
  orphanedSideEffect,
  unsafeDowngrade,
  incompatibleState,
  lostObject,
  revertedFunction,
  prevStateOutsideTransition,
  unusedSuppression,
];
