// What a person who watches the local stack knows by now: of each provider over each egress the last verdicts and since
// when it blocks us, and the last pages. Put together of what was seen, one after another; pure. It knows no screen.
import { pairsOf, type Config } from "../../../functions/config/config.ts";
import type { PairState } from "../../../functions/state/pairs.ts";
import type { Seen, SeenFault, SeenPage, SeenVerdict } from "./seen.ts";

export interface Scene {
  /** Each provider over each egress, in the configuration's order. */
  readonly pairs: readonly ScenePair[];
  /** The newest first. */
  readonly pages: readonly SeenPage[];
  /** The last; null: none yet. */
  readonly fault: SeenFault | null;
}

export interface ScenePair {
  readonly provider: string;
  readonly egress: string;
  readonly last: SeenVerdict | null;
  /** A mark for each of the last verdicts, the newest last. */
  readonly trend: string;
  /** RFC 3339; null: no block stands, as far as is known. */
  readonly blockedSince: string | null;
}

const trendLimit = 12;
const pagesLimit = 50;

export function emptyScene(config: Config): Scene {
  const pairs = new Map(
    pairsOf(config).map(({ target: { provider }, egress }) => [
      `${provider} ${egress.name}`,
      { provider, egress: egress.name, last: null, trend: "", blockedSince: null },
    ]),
  );
  return { pairs: [...pairs.values()], pages: [], fault: null };
}

/** The scene with the blocks that stood before it, of which an earlier run wrote down. */
export function withBlocks(scene: Scene, states: readonly PairState[]): Scene {
  const sinceOf = ({ provider, egress }: ScenePair): string | null =>
    states.find((each) => each.provider === provider && each.egress === egress)?.block?.since ?? null;
  const pairs = scene.pairs.map((pair) => (pair.last === null ? { ...pair, blockedSince: sinceOf(pair) } : pair));
  return { ...scene, pairs };
}

/** The scene with what was seen after it. */
export function addSeen(scene: Scene, seen: Seen): Scene {
  switch (seen.kind) {
    case "verdict":
      return { ...scene, pairs: scene.pairs.map((pair) => (isAbout(pair, seen) ? afterVerdict(pair, seen) : pair)) };
    case "page":
      return { ...scene, pages: [seen, ...scene.pages].slice(0, pagesLimit) };
    case "fault":
      return { ...scene, fault: seen };
    case "alarm":
    case "send":
      return scene;
  }
}

/** A refusal of our IP is told from all else: it is what this is about. */
export function markOf({ outcome, blocked }: Pick<SeenVerdict, "outcome" | "blocked">): string {
  if (blocked === true) return "✗";
  return { accepted: "·", rejected: "x", deferred: "~", unanswered: "?", unknown: "?" }[outcome];
}

function isAbout({ provider, egress }: ScenePair, seen: SeenVerdict): boolean {
  return provider === seen.provider && egress === seen.egress;
}

function afterVerdict(pair: ScenePair, last: SeenVerdict): ScenePair {
  // What says nothing of a block leaves what was said before (DESIGN §11).
  const since = last.blocked === null ? pair.blockedSince : last.blocked ? (pair.blockedSince ?? last.at) : null;
  return { ...pair, last, trend: `${pair.trend}${markOf(last)}`.slice(-trendLimit), blockedSince: since };
}
