import type { ApiContext, ApiModel } from './api';
import type { Value } from './values';

/**
 * Functions that print. The front end has applied pr_fmt to the first argument already. pr_debug prints nothing;
 * the _once and _ratelimited forms print, since a run is not long enough to be limited.
 */
const MODELS = new Map<string, ApiModel>();

export function printModelOf(name: string): ApiModel | undefined {
  return MODELS.get(name);
}

function printing(formatAt: number, continued: boolean): ApiModel {
  return (context) => {
    const text = context.format(argument(context, formatAt), context.call.args.slice(formatAt + 1));
    context.print(text, continued);
    return text.length;
  };
}

function argument(context: ApiContext, index: number): Value {
  return context.call.args[index] ?? 0;
}

const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warn', 'warning', 'notice', 'info'];
for (const level of LEVELS) {
  for (const form of ['', '_once', '_ratelimited']) MODELS.set(`pr_${level}${form}`, printing(0, false));
}
MODELS.set('pr_cont', printing(0, true));
for (const name of ['printk', '_printk', 'printk_once', 'printk_ratelimited', 'printk_deferred'])
  MODELS.set(name, printing(0, false));
MODELS.set('trace_printk', () => 0);
for (const form of ['', '_once', '_ratelimited']) {
  for (const level of ['debug', 'devel']) MODELS.set(`pr_${level}${form}`, () => 0);
}
MODELS.set('no_printk', () => 0);

/** dev_info(dev, …) and netdev_info(dev, …): the device's name comes first, which nothing here knows. */
for (const family of ['dev', 'netdev', 'pci']) {
  for (const level of ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info']) {
    for (const form of ['', '_once', '_ratelimited']) {
      MODELS.set(`${family}_${level}${form}`, (context) => {
        const text = context.format(argument(context, 1), context.call.args.slice(2));
        context.print(`${context.placeholder}: ${text}`, false);
        return 0;
      });
    }
  }
  MODELS.set(`${family}_dbg`, () => 0);
}
