/**
 * What hover and completion say about the keys and words of a manifest, as Markdown. Paths are joined by dots; `*`
 * stands for an item of a list or an entry of a map whose names are free.
 */
export const KEY_DOCUMENTATION: Readonly<Record<string, string>> = {
  schema: 'The edition of this format; `1` is the only one. May be left out.',
  lineage: 'The name of the lineage: one cumulative livepatch in all its versions, for one kernel.',
  kernel:
    'The kernel the livepatches are for: its release as text (`"6.1"`; without quotes YAML takes 6.10 for 6.1), or a map with `release`, `has`, `lacks`, `arch`, `config` and `tree`.',
  'kernel.release':
    'The release as `uname -r` prints it, in quotes. Which livepatch features exist is derived from it.',
  'kernel.has':
    'Livepatch capabilities that the vendor ported back, so that the release alone would deny them. For example `[replace, states]`.',
  'kernel.lacks':
    'Livepatch capabilities that this kernel does not have although its release would have them.',
  'kernel.arch': 'The architecture, as `uname -m` prints it: `x86_64`, `s390x`, `ppc64le`, `aarch64`.',
  'kernel.config': "The path of the kernel's `.config`. It decides `#ifdef CONFIG_…` in the sources.",
  'kernel.tree': "The path of the kernel's source tree.",
  defaults:
    'Settings for all versions. A version that has the key itself overrides it; `defines` and `params` are joined name by name. The names, `restores` and `cleans-up-after` belong to single versions.',
  versions:
    'The versions of the lineage, **oldest first**. Only older ones can be restored or cleaned up after.',
  'versions.*': 'One version: one built livepatch module.',
  'versions.*.version':
    'The name of the version in steps, findings and on the command line. It must differ from every other version, module and target.',
  'versions.*.module': 'The name of the module as `lsmod` shows it: letters, digits and `_`, at most 55.',
  'versions.*.sources':
    'The C files, or for diff dialects the patches: one path or glob or a list of them, relative to the manifest. Without it the version is a name whose callbacks and effects are unknown.',
  'versions.*.status':
    'How far the version has come: `draft` (default), `released`, `faulty` or `withdrawn`. Only a draft can still be changed, so findings that only another could answer move to the first draft that can.',
  'versions.*.note': 'Free text about the version; shown with it.',
  'versions.*.keeps':
    'Effects that stay on purpose after the version is gone. They are shown as kept and are not counted as leftovers; a later version must list them too.',
  'versions.*.keeps.*': 'One effect that stays: `effect`, `key` and the `reason`.',
  'versions.*.keeps.*.effect': 'The call whose effect stays, such as `static_branch_enable`.',
  'versions.*.keeps.*.key': 'What the call was made for: a symbol, a name or a number.',
  'versions.*.keeps.*.reason': 'Why it stays, for those who read it later.',
  'versions.*.git': 'Read `sources` from a revision of the git repository instead of the work tree.',
  'versions.*.git.revision': 'A commit, tag or branch. A commit made of digits alone needs quotes.',
  'versions.*.git.path':
    'The folder, relative to the manifest, in which the sources of that revision are looked for.',
  'versions.*.restores':
    'The older version whose behaviour this one brings back. Together with `cleans-up-after` it is what a roll-back by replacement consists of: the old code plus the clean-up that no callback of the replaced livepatch does.',
  'versions.*.cleans-up-after':
    'The older versions whose leftovers this one removes, in its post_patch callbacks. It must also work where they were never loaded.',
  'versions.*.dialect':
    'How the sources are written: `auto` (default), `module`, `kpatch`, `klp-build` or `suse`.',
  'versions.*.replace':
    'For sources that are diffs: whether the build sets `.replace`, so that the livepatch replaces all others. In a hand-written module the C source says it.',
  'versions.*.built': 'The built module (`.ko`), relative to the manifest.',
  'versions.*.defines': 'Macros that count as defined while the sources are read, such as `{ CONFIG_X: y }`.',
  'versions.*.include': "Folders in which the sources' own headers are looked for, relative to the manifest.",
  'versions.*.params': 'Module parameters with which the version is loaded: `{ name: value }`.',
  targets:
    'Modules that may be absent and that come and go while a livepatch is loaded. A name, or a map with `module` and `sources`; it may also be the livepatch of somebody else.',
  'targets.*': 'A module that may come and go.',
  'targets.*.module': 'The name of the module as `lsmod` shows it.',
  'targets.*.sources':
    "The module's C files. With them its functions are known, and what its init and exit print.",
  effects:
    'Functions of your own kernel tree that change something lasting, with the function that takes it back. They are used beside the built-in catalogue.',
  'effects.*': 'One pair of functions: `do` and `undo`.',
  'effects.*.do': 'The function that has the effect.',
  'effects.*.undo': 'The function that takes it back.',
  'effects.*.key':
    'What the undo needs to find the effect again: a `name`, a `pointer`, a `handle` or a `value`.',
  'effects.*.argument': 'Which argument holds that key, counted from 1.',
  'effects.*.fails':
    'What the function returns when it fails: `null`, `errno`, `errptr`, or it `never` fails.',
  scenarios: 'Runs whose outcome must stay as it is.',
  'scenarios.*': 'One run: `name`, `steps` and the verdict to `expect`.',
  'scenarios.*.name': 'What the scenario is called in findings.',
  'scenarios.*.steps':
    'What happens, one step per entry: `load NAME [param=value …]`, `disable NAME`, `enable NAME`, `unload NAME`, `stall`, `hold`, `resume`, `force NAME`, `set NAME param=value`, `fail NAME FUNCTION[#CALL][=ERRNO]`. NAME is a version, a module or a target.',
  'scenarios.*.steps.*': 'One step, such as `load v1`.',
  'scenarios.*.expect': 'The verdict that the run must have: `clean`, `leaves`, `unsafe` or `refused`.',
  rules: 'The severity of findings by rule: `error`, `warning`, `information`, `hint` or `off`.',
};

/** By the path of the key, then by value. */
export const VALUE_DOCUMENTATION: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'versions.*.status': {
    draft: 'Not given to anybody yet: it can still be changed.',
    released: 'Installed somewhere: it cannot be changed any more, only succeeded.',
    faulty:
      'Released and found wrong. Nothing proposes going back to it, and later versions must cope with it.',
    withdrawn: 'Released and taken back without being faulty.',
  },
  'versions.*.dialect': {
    auto: 'Found out from the sources.',
    module: 'A module written by hand: `struct klp_patch` and `klp_enable_patch()` in C.',
    kpatch:
      'Diffs for kpatch-build, with `KPATCH_…_CALLBACK` macros. Replaces all others unless built otherwise.',
    'klp-build': "Diffs for the kernel's own klp-build (6.19 and later), with `KLP_…_CALLBACK` macros.",
    suse: 'The layout of SUSE kernel-livepatch: one folder per fix.',
  },
  'versions.*.replace': {
    true: 'The build makes a livepatch that replaces all others.',
    false: 'The build makes a livepatch that is stacked on the others.',
  },
  'effects.*.key': {
    name: 'A name: another module can undo it by spelling the name.',
    pointer: 'A pointer that the caller passed: only who knows the address can undo it.',
    handle: 'What the call returned: only who kept it can undo it.',
    value: 'A value that was there before and has to be put back.',
  },
  'effects.*.fails': {
    null: 'NULL means failure.',
    errno: 'A negative errno means failure.',
    errptr: 'An error pointer (`IS_ERR`) means failure.',
    never: 'It cannot fail.',
  },
  'scenarios.*.expect': {
    clean: 'Nothing of what the run did is left.',
    leaves: 'Something is left that disabling and unloading everything would not remove.',
    unsafe:
      'A pointer into freed module memory, a double registration or free, a kernel warning or a deadlock.',
    refused: 'The kernel refuses one of the loads.',
  },
  'rules.*': {
    error: 'An error: `check` fails by default.',
    warning: 'A warning.',
    information: 'Information.',
    hint: 'A hint, shown without a mark in the list of problems.',
    off: 'The rule says nothing.',
  },
};

export const STEP_DOCUMENTATION: Readonly<Record<string, string>> = {
  load: '`load NAME [param=value …]`: a livepatch is loaded as by insmod; a target module comes.',
  disable: '`disable NAME`: 0 is written to `enabled` of that livepatch.',
  enable: '`enable NAME`: 1 is written to `enabled`, which reverses a disabling that is under way.',
  unload: '`unload NAME`: the module is removed as by rmmod; a target module goes.',
  stall:
    '`stall`: from now on one sleeping task is never accepted as safe, so that every transition stays pending. A reversal completes.',
  hold: '`hold`: as `stall`, but a reversal stays pending too.',
  resume: '`resume`: ends `stall` and `hold`; what is pending completes.',
  force: '`force NAME`: completes the pending transition of that livepatch by force.',
  set: '`set NAME param=value`: changes a module parameter at run time.',
  fail: "`fail NAME FUNCTION[#CALL][=ERRNO]`: the next call of that kernel function from NAME fails; with `#2` the second one from now, up to `#9`. Calls of the livepatch core for NAME count, such as `klp_alloc_func_nop` or `register_ftrace_function`. `fail TARGET init` lets a target's init fail.",
};
