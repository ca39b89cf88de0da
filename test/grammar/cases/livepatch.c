// SYNTAX TEST "source.c" "the livepatch API within C"
static int pre(struct klp_object *obj)
//                    ^^^^^^^^^^ support.type.livepatch.c
{
    struct klp_state *prev = klp_get_prev_state(ID);
//         ^^^^^^^^^ support.type.livepatch.c
//                           ^^^^^^^^^^^^^^^^^^ support.function.livepatch.c
    klp_shadow_get_or_alloc(obj, 1, 8, GFP_KERNEL, ctor, NULL);
//  ^^^^^^^^^^^^^^^^^^^^^^^ support.function.livepatch.c
    if (obj->callbacks.pre_patch == NULL)
//                     ^^^^^^^^^ - support.variable.member
    /* klp_enable_patch in a comment */
//     ^^^^^^^^^^^^^^^^ comment.block.c - support.function
    pr_info("klp_enable_patch\n");
//           ^^^^^^^^^^^^^^^^ string.quoted.double.c - support.function
    my_klp_enable_patch(1);
//  ^^^^^^^^^^^^^^^^^^^ - support.function
}
static struct klp_patch patch = {
//            ^^^^^^^^^ support.type.livepatch.c
    .replace = true,
//   ^^^^^^^ support.variable.member.replace.livepatch.c
    .pre_patch = pre, . post_unpatch = post,
//   ^^^^^^^^^ support.variable.member.callback.livepatch.c
//                      ^^^^^^^^^^^^ support.variable.member.callback.livepatch.c
    .old_name = "x",
//   ^^^^^^^^ support.variable.member.livepatch.c
};
KPATCH_PRE_PATCH_CALLBACK(pre);
// <~------------------------ support.function.macro.livepatch.c
KLP_POST_UNPATCH_CALLBACK(post);
// <~------------------------ support.function.macro.livepatch.c
MODULE_INFO(livepatch, "Y");
// <~---------- support.function.macro.livepatch.c
//          ^^^^^^^^^ constant.language.livepatch.c
MODULE_INFO(intree, "Y");
// <~---------- - support.function.macro.livepatch.c
static int pre_patch(patch_object *obj)
//                   ^^^^^^^^^^^^ support.type.livepatch.c
{
    kpatch_shadow_alloc(obj, "id", 8, GFP_KERNEL);
//  ^^^^^^^^^^^^^^^^^^^ support.function.livepatch.c
    kpatch_shadow_free(obj, "id");
//  ^^^^^^^^^^^^^^^^^^ support.function.livepatch.c
}
KPATCH_LOAD_HOOK(load);
// <~--------------- support.function.macro.livepatch.c
KPATCH_IGNORE_SECTION(".data");
// <~-------------------- support.function.macro.livepatch.c
KPATCH_FORCE_UNSAFE(f);
// <~------------------ support.function.macro.livepatch.c
KLP_SYSCALL_DEFINE3(open, int, a, int, b, int, c)
// <~------------------ support.function.macro.livepatch.c
@@KLP_PATCHES_OBJS@@
// <~------------------- support.function.macro.livepatch.c
