// All rules, in the order in which they are tried: look-ups that failed, what providers document, lists, wording, the
// status alone.
// The rows stand in their families' own files.
import { america } from "./america.ts";
import { apple } from "./apple.ts";
import { asia } from "./asia.ts";
import { europe } from "./europe.ts";
import { classicServers } from "./exim-sendmail-qmail.ts";
import { filters } from "./filters.ts";
import { gateways } from "./gateways.ts";
import { google } from "./google.ts";
import { clientLanguages, languages } from "./languages.ts";
import { listings, lookups } from "./listings.ts";
import { microsoft } from "./microsoft.ts";
import { otherServers } from "./other-servers.ts";
import { postfixServers } from "./postfix.ts";
import type { RuleGroup } from "./rule.ts";
import { russia } from "./russia.ts";
import { statuses } from "./statuses.ts";
import { mailboxes, relay, senders, sendersAtMail } from "./wording-envelope.ts";
import { format, policy, spam, system } from "./wording-message.ts";
import {
  authentication,
  clients,
  domain,
  failures,
  greylist,
  helo,
  ip,
  rate,
  reverseDns,
  tls,
} from "./wording-session.ts";
import { yahoo } from "./yahoo.ts";

export const ruleGroups: readonly RuleGroup[] = [
  ...lookups,
  ...google,
  ...microsoft,
  ...apple,
  ...yahoo,
  ...america,
  ...europe,
  ...russia,
  ...asia,
  ...gateways,
  ...postfixServers,
  ...filters,
  ...classicServers,
  ...otherServers,
  ...listings,
  ...clientLanguages,
  // Cause before verdict: why somebody was limited or refused goes before that he was.
  failures,
  reverseDns,
  helo,
  authentication,
  greylist,
  ip,
  domain,
  tls,
  spam,
  rate,
  clients,
  senders,
  sendersAtMail,
  mailboxes,
  relay,
  format,
  policy,
  system,
  ...languages,
  ...statuses,
];
