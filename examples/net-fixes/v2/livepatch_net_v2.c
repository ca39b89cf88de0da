// SPDX-License-Identifier: GPL-2.0
/*
 * Version 2: the fixes of version 1, one more, and a debugfs file that counts rejected addresses.
 *
 * The file is made in pre_patch and removed in post_unpatch: right for a livepatch that is disabled, but
 * post_unpatch never runs when another cumulative livepatch replaces this one.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/etherdevice.h>
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/seq_file.h>

static atomic_t rejected = ATOMIC_INIT(0);
static struct dentry *net_status;

static int livepatch_eth_validate_addr(struct net_device *dev)
{
	if (!is_valid_ether_addr(dev->dev_addr)) {
		atomic_inc(&rejected);
		return -EADDRNOTAVAIL;
	}

	return 0;
}

static int livepatch_eth_prepare_mac_addr_change(struct net_device *dev, void *p)
{
	struct sockaddr *addr = p;

	if (!(dev->priv_flags & IFF_LIVE_ADDR_CHANGE) && netif_running(dev))
		return -EBUSY;
	if (!is_valid_ether_addr(addr->sa_data)) {
		atomic_inc(&rejected);
		return -EADDRNOTAVAIL;
	}

	return 0;
}

static int livepatch_eth_header_parse(const struct sk_buff *skb, unsigned char *haddr)
{
	const struct ethhdr *eth = eth_hdr(skb);

	ether_addr_copy(haddr, eth->h_source);
	return ETH_ALEN;
}

static __be16 livepatch_eth_header_parse_protocol(const struct sk_buff *skb)
{
	const struct ethhdr *eth = eth_hdr(skb);

	return eth->h_proto;
}

static void livepatch_eth_commit_mac_addr_change(struct net_device *dev, void *p)
{
	struct sockaddr *addr = p;

	eth_hw_addr_set(dev, addr->sa_data);
}

static int net_status_show(struct seq_file *m, void *v)
{
	seq_printf(m, "rejected addresses: %d\n", atomic_read(&rejected));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(net_status);

static int livepatch_net_pre_patch(struct klp_object *obj)
{
	net_status = debugfs_create_file("net_status", 0444, NULL, NULL, &net_status_fops);
	if (IS_ERR(net_status))
		return PTR_ERR(net_status);

	pr_info("debugfs file net_status made\n");
	return 0;
}

static void livepatch_net_post_unpatch(struct klp_object *obj)
{
	debugfs_remove(net_status);
	pr_info("debugfs file net_status removed\n");
}

static struct klp_func funcs[] = {
	{
		.old_name = "eth_validate_addr",
		.new_func = livepatch_eth_validate_addr,
	},
	{
		.old_name = "eth_prepare_mac_addr_change",
		.new_func = livepatch_eth_prepare_mac_addr_change,
	},
	{
		.old_name = "eth_header_parse",
		.new_func = livepatch_eth_header_parse,
	},
	{
		.old_name = "eth_header_parse_protocol",
		.new_func = livepatch_eth_header_parse_protocol,
	},
	{
		.old_name = "eth_commit_mac_addr_change",
		.new_func = livepatch_eth_commit_mac_addr_change,
	},
	{ }
};

static struct klp_object objs[] = {
	{
		/* name being NULL means vmlinux */
		.funcs = funcs,
		.callbacks = {
			.pre_patch = livepatch_net_pre_patch,
			.post_unpatch = livepatch_net_post_unpatch,
		},
	},
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
	.replace = true,
};

static int __init livepatch_net_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit livepatch_net_exit(void)
{
}

module_init(livepatch_net_init);
module_exit(livepatch_net_exit);
MODULE_DESCRIPTION("Ethernet fixes, version 2");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
