// What becomes of a configuration's names: queues, alarms and series are called after them. It says where two of these
// would be called the same, or one would be called more than AWS takes. It does not know what a name stands for.
import type { Config, Pair } from "./config.ts";

/** Amazon SQS's own limit of a queue's name, in characters. */
const queueNameLimit = 80;

/** @param pairs the configuration's own */
export function nameFaults(config: Config, pairs: readonly Pair[]): readonly string[] {
  return [
    ...config.egresses.flatMap((egress, index) => egressFaults(egress, `egresses[${index}].name`, config.name)),
    ...config.targets.flatMap(({ provider }, index) => providerFaults(provider, `targets[${index}].provider`)),
    ...sharedNames(pairs),
  ];
}

/** A worker's queues are `<name>-probe-<egress>` and the same with `-dead`, beside the functions' own `<name>-probe`. */
function egressFaults({ name, runner }: Config["egresses"][number], path: string, prefix: string): readonly string[] {
  if (runner !== "worker") return [];
  const rest = queueNameLimit - `${prefix}-probe--dead`.length;
  return [
    ...(name.length > rest ? [`${path}: ${rest} characters or fewer, since its queues are named after it`] : []),
    ...(/(?:^|-)dead$/.test(name) ? [`${path}: another end than "dead", which queues of dead letters have`] : []),
    ...(["functions", "schedule"].includes(name)
      ? [`${path}: another name than "${name}", which is not a worker's`]
      : []),
  ];
}

/** The alarm of several providers at once is called blocked-widely. */
function providerFaults(provider: string, path: string): readonly string[] {
  return /^widely(?:-|$)/.test(provider) ? [`${path}: another beginning than "widely", which an alarm's name has`] : [];
}

/** `a-b` over `c` and `a` over `b-c` are both `a-b-c` in the name of an alarm. */
function sharedNames(pairs: readonly Pair[]): readonly string[] {
  const groups = Map.groupBy(pairs, ({ target, egress }) => `${target.provider}-${egress.name}`);
  return [...groups].flatMap(([name, [first, ...others]]) => {
    const other = others.find(({ target }) => target.provider !== first?.target.provider);
    if (first === undefined || other === undefined) return [];
    const [one, two] = [first, other].map(({ target, egress }) => `${target.provider} over ${egress.name}`);
    return [`targets: ${one} and ${two} would both be ${name} in alarms' names; give one another name`];
  });
}
