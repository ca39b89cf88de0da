/** Index of the argument that names a member, for the kernel's iteration macros; null for any other macro. */
export function memberArgument(macro: string, count: number): number | null {
  const known = MEMBER.get(macro);
  if (known !== undefined) return known;
  // list_for_each_entry_…: the member is the last argument, or the fourth where a condition follows.
  if (/^(?:h?list|llist|klist|plist|sk|rht|hash)_?(?:nulls_)?for_each_(?:entry|possible)/.test(macro))
    return count - 1;
  return null;
}

const MEMBER = new Map<string, number>([
  ['list_for_each_entry', 2],
  ['list_for_each_entry_reverse', 2],
  ['list_for_each_entry_continue', 2],
  ['list_for_each_entry_continue_reverse', 2],
  ['list_for_each_entry_continue_rcu', 2],
  ['list_for_each_entry_from', 2],
  ['list_for_each_entry_from_rcu', 2],
  ['list_for_each_entry_from_reverse', 2],
  ['list_for_each_entry_rcu', 2],
  ['list_for_each_entry_lockless', 2],
  ['list_for_each_entry_srcu', 2],
  ['list_for_each_entry_safe', 3],
  ['list_for_each_entry_safe_continue', 3],
  ['list_for_each_entry_safe_from', 3],
  ['list_for_each_entry_safe_reverse', 3],
  ['hlist_for_each_entry', 2],
  ['hlist_for_each_entry_rcu', 2],
  ['hlist_for_each_entry_safe', 3],
  ['hlist_for_each_entry_continue', 1],
  ['hlist_for_each_entry_from', 1],
  ['llist_for_each_entry', 2],
  ['llist_for_each_entry_safe', 3],
  ['plist_for_each_entry', 2],
  ['plist_for_each_entry_safe', 3],
  ['hash_for_each', 3],
  ['hash_for_each_rcu', 3],
  ['hash_for_each_safe', 4],
  ['hash_for_each_possible', 2],
  ['hash_for_each_possible_rcu', 2],
  ['hash_for_each_possible_safe', 3],
  ['rbtree_postorder_for_each_entry_safe', 3],
]);
