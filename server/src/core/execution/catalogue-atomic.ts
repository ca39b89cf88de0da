/**
 * Undos that never sleep. All others take a mutex or wait: for readers, for code that runs, for the last user; those
 * that only may (vfree, iput) are among the others.
 */
export const NEVER_SLEEPS: ReadonlySet<string> = new Set(
  `__free_page __free_pages free_page free_pages put_page free_percpu mempool_destroy kmem_cache_free
kfree kfree_sensitive kfree_rcu kvfree_rcu klp_shadow_free klp_shadow_free_all atomic_dec refcount_dec
cancel_work cancel_delayed_work task_work_cancel hrtimer_cancel hrtimer_try_to_cancel
del_timer del_timer_sync timer_delete timer_delete_sync timer_shutdown timer_shutdown_sync
ida_free idr_remove xa_erase raw_notifier_chain_unregister user_return_notifier_unregister
crypto_free_aead crypto_free_ahash crypto_free_shash crypto_free_skcipher unregister_binfmt unregister_qdisc
dev_put fput kobject_put kref_put mmdrop module_put put_device put_net put_task_struct sock_put fsnotify_put_group
setup_clear_cpu_cap wrmsr wrmsrl wrmsrq wrmsr_on_cpu wrmsrl_on_cpu wrmsr_safe wrmsrl_safe`.split(/\s+/),
);
