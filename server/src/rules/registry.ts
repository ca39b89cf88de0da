import { alwaysRefused } from './always-refused';
import { badObjectName } from './bad-object-name';
import { callbackInInitMemory } from './callback-in-init-memory';
import { callbackNeverRuns } from './callback-never-runs';
import { cleanupImpossible } from './cleanup-impossible';
import { cleanupInPrePatch } from './cleanup-in-pre-patch';
import { codeOutsideConsistencyModel } from './code-outside-consistency-model';
import { danglingModulePointer } from './dangling-module-pointer';
import { deadlockInCallback } from './deadlock-in-callback';
import { duplicateCallback } from './duplicate-callback';
import { forgottenOriginalValue } from './forgotten-original-value';
import { ignoredFailure } from './ignored-failure';
import { incompatibleState } from './incompatible-state';
import { initLeaksOnError } from './init-leaks-on-error';
import { lostObject } from './lost-object';
import { manifestInvalid } from './manifest-invalid';
import { missingReplace } from './missing-replace';
import { moduleObjectMidReplace } from './module-object-mid-replace';
import { movedSympos } from './moved-sympos';
import { notALivepatch } from './not-a-livepatch';
import { notInThisKernel } from './not-in-this-kernel';
import { orphanedSideEffect } from './orphaned-side-effect';
import { postPatchNotIdempotent } from './post-patch-not-idempotent';
import { prePatchBlocksModule } from './pre-patch-blocks-module';
import { prePatchLeaksOnError } from './pre-patch-leaks-on-error';
import { prevStateOutsideTransition } from './prev-state-outside-transition';
import { refcountAcrossReplace } from './refcount-across-replace';
import { repeatedSideEffect } from './repeated-side-effect';
import { revertedFunction } from './reverted-function';
import type { Rule } from './rule';
import { scenarioFailed } from './scenario-failed';
import { shadowAllocTwice } from './shadow-alloc-twice';
import { shadowConstructorSleeps } from './shadow-constructor-sleeps';
import { shadowFreeInExit } from './shadow-free-in-exit';
import { shadowFreePathDropped } from './shadow-free-path-dropped';
import { shadowLayoutChanged } from './shadow-layout-changed';
import { sideEffectInInitExit } from './side-effect-in-init-exit';
import { stateDataInModule } from './state-data-in-module';
import { stateNotSupported } from './state-not-supported';
import { targetNotInitialised } from './target-not-initialised';
import { undoInWrongCallback } from './undo-in-wrong-callback';
import { undoOnlyInOwnUnpatch } from './undo-only-in-own-unpatch';
import { unguardedCleanup } from './unguarded-cleanup';
import { unpairedAcquire } from './unpaired-acquire';
import { unpublishedPointer } from './unpublished-pointer';
import { unsafeDowngrade } from './unsafe-downgrade';
import { unusedSuppression } from './unused-suppression';
import { wrongCallbackSignature } from './wrong-callback-signature';

/** Every rule, in the order in which they run: the manifest, what the C says, what runs show. */
export const RULES: readonly Rule[] = [
  manifestInvalid,
  notALivepatch,
  wrongCallbackSignature,
  duplicateCallback,
  stateNotSupported,
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
  unpairedAcquire,
  undoInWrongCallback,
  postPatchNotIdempotent,
  prePatchLeaksOnError,
  initLeaksOnError,
  cleanupImpossible,
  cleanupInPrePatch,
  forgottenOriginalValue,
  moduleObjectMidReplace,
  movedSympos,
  refcountAcrossReplace,
  repeatedSideEffect,
  scenarioFailed,
  undoOnlyInOwnUnpatch,
  unguardedCleanup,
  unpublishedPointer,
  deadlockInCallback,
  shadowConstructorSleeps,
  ignoredFailure,
  callbackInInitMemory,
  prePatchBlocksModule,
  alwaysRefused,
  callbackNeverRuns,
  sideEffectInInitExit,
  shadowAllocTwice,
  codeOutsideConsistencyModel,
  shadowLayoutChanged,
  shadowFreePathDropped,
  stateDataInModule,
  targetNotInitialised,
  unusedSuppression,
];
