import { arg, pairs, RESULT, type RowKind, rowsOf, text, undo, undoHandle } from './catalogue-builders';
import type { EffectRow } from './catalogue-row';

/** Networking: hooks, protocols, netlink. */

const POINTER: RowKind = {
  noun: '',
  header: '',
  key: 'pointer',
  hazards: 'U',
  fails: 'errno',
  repeated: 'corrupts',
};
const kind = (noun: string, header: string, more: Partial<RowKind> = {}): RowKind => ({
  ...POINTER,
  noun,
  header,
  ...more,
});

const netfilter = rowsOf(kind('netfilter hook', 'linux/netfilter.h'));
const rtnl = rowsOf(
  kind('rtnetlink handler', 'net/rtnetlink.h', { key: 'handle', repeated: 'harmless', fails: 'never' }),
);

export const NET_ROWS: readonly EffectRow[] = [
  netfilter('nf_register_net_hook', [undo('nf_unregister_net_hook', [arg(0), arg(1)])], {
    identity: [arg(0), arg(1)],
    label: arg(1),
    holds: [1],
  }),
  {
    ...netfilter('nf_register_net_hooks', [undo('nf_unregister_net_hooks', [arg(0), arg(1)])], {
      identity: [arg(0), arg(1)],
      label: arg(1),
      holds: [1],
    }),
    family: 'netfilter hooks',
  },
  ...pairs(kind('netfilter sockopt', 'linux/netfilter.h', { repeated: 'errno', repeatedErrno: 16 }), [
    ['nf_register_sockopt', 'nf_unregister_sockopt'],
  ]),
  ...pairs(kind('xtables target', 'linux/netfilter/x_tables.h'), [
    ['xt_register_target', 'xt_unregister_target'],
  ]),
  ...pairs(kind('xtables match', 'linux/netfilter/x_tables.h'), [
    ['xt_register_match', 'xt_unregister_match'],
  ]),
  ...pairs(
    kind('packet handler', 'linux/netdevice.h', { fails: 'never' }),
    [['dev_add_pack', 'dev_remove_pack']],
    { absent: 'harmless' },
  ),
  rowsOf(kind('receive handler', 'linux/netdevice.h', { key: 'name', repeated: 'errno', repeatedErrno: 16 }))(
    'netdev_rx_handler_register',
    [undo('netdev_rx_handler_unregister', [arg(0)])],
    { holds: [1, 2] },
  ),
  ...['netif_napi_add', 'netif_napi_add_weight', 'netif_napi_add_tx'].map((name) =>
    rowsOf(kind('NAPI context', 'linux/netdevice.h', { fails: 'never' }))(
      name,
      [undo('netif_napi_del', [arg(0)])],
      { identity: [arg(1)], holds: [1, 2] },
    ),
  ),
  ...pairs(kind('network namespace operations', 'net/net_namespace.h'), [
    ['register_pernet_subsys', 'unregister_pernet_subsys'],
    ['register_pernet_device', 'unregister_pernet_device'],
  ]),
  rtnl('rtnl_register', [undo('rtnl_unregister', [arg(0), arg(1)], { until: '6.13' })], {
    identity: [arg(0), arg(1)],
    label: arg(1),
    holds: [2, 3],
    until: '6.13',
  }),
  rtnl('rtnl_register_module', [undo('rtnl_unregister', [arg(0), arg(1)], { until: '6.13' })], {
    identity: [arg(1), arg(2)],
    label: arg(2),
    holds: [3, 4],
    fails: 'errno',
    until: '6.13',
  }),
  {
    // Of 6.13, and taken back into stable kernels at least down to 6.1: nothing says that a kernel lacks it.
    ...rtnl('rtnl_register_many', [undo('rtnl_unregister_many', [arg(0)])], {
      fails: 'errno',
    }),
    family: 'rtnetlink handlers',
    key: 'pointer',
  },
  ...pairs(
    kind('generic netlink family', 'net/genetlink.h', {
      hazards: 'UE',
      repeated: 'errno',
      label: text(0, '.name'),
      unique: true,
    }),
    [['genl_register_family', 'genl_unregister_family']],
    { absent: 'errno' },
  ),
  rowsOf(kind('netlink socket', 'linux/netlink.h', { key: 'handle', fails: 'null' }))(
    'netlink_kernel_create',
    [undoHandle('netlink_kernel_release', { acceptsNull: true })],
    { identity: [RESULT], label: arg(1), holds: [2] },
  ),
  rowsOf(kind('IP protocol', 'net/protocol.h', { repeated: 'errno', repeatedErrno: 1 }))(
    'inet_add_protocol',
    [undo('inet_del_protocol', [arg(0), arg(1)], { absent: 'errno' })],
    { identity: [arg(0), arg(1)] },
  ),
  ...pairs(kind('protocol', 'net/sock.h', { label: text(0, '.name') }), [
    ['proto_register', 'proto_unregister'],
  ]),
  rowsOf(kind('socket family', 'linux/net.h', { key: 'handle', repeated: 'errno' }))(
    'sock_register',
    [undo('sock_unregister', [arg(0)])],
    { identity: [{ arg: 0, member: '.family' }] },
  ),
  ...pairs(
    kind('congestion control', 'net/tcp.h', { repeated: 'errno', label: text(0, '.name'), unique: true }),
    [['tcp_register_congestion_control', 'tcp_unregister_congestion_control']],
  ),
  ...pairs(
    kind('queueing discipline', 'net/pkt_sched.h', {
      repeated: 'errno',
      label: text(0, '.id'),
      unique: true,
    }),
    [['register_qdisc', 'unregister_qdisc']],
  ),
  ...pairs(
    kind('traffic classifier', 'net/pkt_cls.h', { repeated: 'errno', label: text(0, '.kind'), unique: true }),
    [['register_tcf_proto_ops', 'unregister_tcf_proto_ops']],
  ),
];
