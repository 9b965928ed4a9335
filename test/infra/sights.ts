// Things seen in the local stack, for tests of what is shown of them.
import type { SeenPage, SeenVerdict } from "../../infra/local/view/seen.ts";

export function seenVerdict(more: Partial<SeenVerdict> = {}): SeenVerdict {
  return {
    kind: "verdict",
    at: "2026-11-24T17:05:10.000Z",
    id: "scheduled/icloud/aws/2026-11-24T17:05:00.000Z/1a2b3c4d",
    provider: "icloud",
    egress: "aws",
    recipient: "probe@icloud.example",
    outcome: "rejected",
    stage: "rcpt",
    code: 550,
    status: "5.7.1",
    class: "ip-reputation",
    text: "550-5.7.1 192.0.2.25 is in Spamhaus PBL: refused.\n550 5.7.1 To have it taken out: https://spamhaus.example/",
    blocked: true,
    ...more,
  };
}

export const accepted = {
  outcome: "accepted",
  code: 250,
  status: "2.1.5",
  class: null,
  text: "250 2.1.5 recipient ok",
  blocked: false,
} as const;

export function seenPage(more: Partial<SeenPage> = {}): SeenPage {
  return {
    kind: "page",
    at: "2026-11-24T17:20:00.000Z",
    title: "iCloud blocks 192.0.2.25: 550 5.7.1 192.0.2.25 is in Spamhaus PBL",
    words: null,
    action: "have it taken out",
    text: "all of it",
    ...more,
  };
}
