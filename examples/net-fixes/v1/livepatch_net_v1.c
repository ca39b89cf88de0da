// SPDX-License-Identifier: GPL-2.0
/*
 * Version 1: four small fixes in the Ethernet code. No callbacks, nothing to clean up.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/etherdevice.h>
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/netdevice.h>

static int livepatch_eth_validate_addr(struct net_device *dev)
{
	if (!is_valid_ether_addr(dev->dev_addr))
		return -EADDRNOTAVAIL;

	return 0;
}

static int livepatch_eth_prepare_mac_addr_change(struct net_device *dev, void *p)
{
	struct sockaddr *addr = p;

	if (!(dev->priv_flags & IFF_LIVE_ADDR_CHANGE) && netif_running(dev))
		return -EBUSY;
	if (!is_valid_ether_addr(addr->sa_data))
		return -EADDRNOTAVAIL;

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
	{ }
};

static struct klp_object objs[] = {
	{
		/* name being NULL means vmlinux */
		.funcs = funcs,
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
MODULE_DESCRIPTION("Ethernet fixes, version 1");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
