// Where the configuration's fields about sends do not fit each other, or the ways out; and what an open one comes to. It
// sends nothing.
import { isHelo } from "../smtp/address.ts";
import type { Config } from "./config.ts";

type Sends = NonNullable<Config["sends"]>;

/** @returns every fault with its path and what may stand there */
export function sendFaults({ sends, egresses }: Pick<Config, "sends" | "egresses">): readonly string[] {
  if (sends === null) return [];
  const names = egresses.map(({ name }) => name);
  const given = sends.egresses ?? [];
  return [
    ...given
      .filter((each) => !names.includes(each))
      .map((each) => `sends.egresses: ${JSON.stringify(each)} is none of ${names.join(", ")}`),
    ...repeated(given, "sends.egresses", "egress"),
    ...repeated(
      sends.dkim.map(({ domain }) => domain),
      "sends.dkim",
      "domain",
    ),
    ...timeFaults(sends),
    ...rateFaults(sends),
  ];
}

/** By which ways out sends leave, the preferred one first; none where no sends are taken. */
export function sendEgresses({ sends, egresses }: Pick<Config, "sends" | "egresses">): readonly string[] {
  return sends === null ? [] : (sends.egresses ?? egresses.map(({ name }) => name));
}

/** What comes before the body, at the least: an attempt that had no time for it would begin none. */
const beforeBodyS = 4;

function timeFaults({ attemptSeconds, answerSeconds }: Sends): readonly string[] {
  const least = answerSeconds + beforeBodyS;
  if (attemptSeconds >= least) return [];
  return [
    `sends.attemptSeconds: ${least} or more, since an answer is awaited ${answerSeconds} s; or less answerSeconds`,
  ];
}

/** As providers are called, or the domains of those that nobody has named; another name would never be asked for. */
function rateFaults({ rates }: Sends): readonly string[] {
  const isDomain = (each: string): boolean => each.includes(".") && isHelo(each) && each === each.toLowerCase();
  const wrong = Object.keys(rates).filter(
    (each) => !/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/.test(each) && !isDomain(each),
  );
  return wrong.map(
    (each) => `sends.rates: ${JSON.stringify(each)} is no provider's such as gmail, and no domain in lower case`,
  );
}

function repeated(values: readonly string[], path: string, field: string): readonly string[] {
  return values.flatMap((each, index) => {
    const first = values.indexOf(each);
    return first === index ? [] : [`${path}[${index}]: the same ${field} as ${path}[${first}]`];
  });
}
