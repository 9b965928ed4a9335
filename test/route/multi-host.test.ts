// One verdict of many hosts (DESIGN §6, across hosts): a table of networks, who is tried in which order, and what is
// said in the end. Real DNS, real sockets; what one session means is tested elsewhere.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import process from "node:process";
import { text } from "node:stream/consumers";
import { after, describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import { probe } from "../../functions/route/attempts.ts";
import type { ProbeRequest } from "../../functions/route/probe-request.ts";
import { direct, type Egress, type Families } from "../../functions/route/egress.ts";
import { preferredFamily } from "../../functions/route/hosts.ts";
import type { Transcript } from "../../functions/smtp/transcript.ts";
import { reconcile } from "../../functions/verdict/reconcile.ts";
import type { Verdict } from "../../functions/verdict/verdict.ts";
import { MailHosts } from "../../infra/local/mail/mail-host.ts";
import { startSocks5, type TestProxy } from "../support/proxies.ts";
import { requestTo } from "../support/request.ts";
import type { Records, Zone } from "./dns-server.ts";
import { domain, openNetwork, short, type Network, type Places } from "./network.ts";

const mailHosts = new MailHosts();
const unhandled: unknown[] = [];
const keep = (reason: unknown): void => void unhandled.push(reason);
process.on("unhandledRejection", keep);
process.on("warning", keep);
after(async () => {
  await mailHosts.close();
  process.off("unhandledRejection", keep);
  process.off("warning", keep);
  assert.deepEqual(unhandled, []);
});

const hasIpv6 = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === "::1"));
const isIpv4First = preferredFamily(networkInterfaces()) === "4";

type Row = readonly [
  title: string,
  net: Places,
  /** `outcome class stage code host`; where there is no code, the status, ours; `-`: none. */
  gives: string,
  /**
   * Each attempt: `host address outcome stage code`, then what went wrong or why we ourselves went no further, and the
   * retry that it was. `-`: no address.
   */
  tried: string | readonly string[],
  more?: More,
];

interface More {
  /** What DNS says beside the net. */
  readonly zone?: Zone;
  /** one@to.test alone, if nobody else. */
  readonly to?: readonly string[];
  readonly ask?: Partial<ProbeRequest>;
  /** The only host, as `--mx` would name it. */
  readonly byHand?: string;
  /** A SOCKS5 proxy on the way, and where it leads. */
  readonly proxy?: "gone" | "to all" | "not to .2";
  /** `class host stage`. */
  readonly findings?: string;
  /** `local-part outcome stage code`, where there are several. */
  readonly each?: string;
  /** What the verdict's words must say. */
  readonly text?: RegExp;
  readonly needsIpv6?: true;
}

const listed5 = "554 5.7.1 [127.0.0.1] is listed in zen.spamhaus.org";
const listed4 = "450 4.7.1 [127.0.0.1] is listed in zen.spamhaus.org";
const slower = "421 4.7.0 too many connections from your IP";
const greylisted = "450 4.7.1 greylisted, come again";
const overloaded = "451 4.3.0 overloaded";
const busy = "450 4.2.1 mailbox busy";
const unknownUser = "550 5.1.1 no such user";

const hello = "S: 220 mx ESMTP\nC~ ^EHLO\n";
const announced = "S: 250-mx\nS: 250 PIPELINING\n";
const opening = `${hello}${announced}`;
const openingTls = `${hello}S: 250-mx\nS: 250-PIPELINING\nS: 250 STARTTLS\n`;
const group = "C~ ^MAIL\nC~ ^RCPT\nC: QUIT\n";
const farewell = "C: QUIT\nS: 221 bye";

const accepts = rcpt("250 2.1.5 ok");
const silent = "S! hang";
const hangsAtMail = `${opening}${group}S! hang`;
const hangsAtEhlo = `${hello}S! hang`;
const hangsAtRcpt = `${opening}${group}S: 250 ok\nS! hang`;
const saysHello = `${opening}${farewell}`;
const queues = `${taking(["250 ok"])}S: 250 2.0.0 queued\n${farewell}`;
const takesAndResets = `${taking(["250 ok"])}S! rst`;
const goesAhead = `${openingTls}C: STARTTLS\nS: 220 go ahead\n`;
const startsTls = `${goesAhead}S! tls\nC~ ^EHLO\n${announced}${group}S: 250 ok\nS: 250 2.1.5 ok\nS: 221 bye`;
const breaksTls = `${goesAhead}S! wait 100ms\nS! rst`;
const refusesTls = `${openingTls}C: STARTTLS\nS: 454 4.7.0 TLS not available\n${farewell}`;
const closed = null;

function greets(reply: string): string {
  return `S: ${reply}\nS! fin`;
}

function ehlo(reply: string): string {
  return `${hello}S: ${reply}\nS! fin`;
}

function mail(reply: string): string {
  return `${opening}${group}S: ${reply}\nS: 503 5.5.1 need MAIL\nS: 221 bye`;
}

function rcpt(reply: string): string {
  return `${opening}${group}S: 250 ok\nS: ${reply}\nS: 221 bye`;
}

/** Two recipients, at depth `rcpt`. */
function rcpts(first: string, second: string): string {
  const offers = "C~ ^MAIL\nC: RCPT TO:<one@to.test>\nC: RCPT TO:<two@to.test>\nC: QUIT\n";
  return `${opening}${offers}S: 250 ok\nS: ${first}\nS: ${second}\nS: 221 bye`;
}

function rcptOf(local: string, reply: string): string {
  return `${opening}C~ ^MAIL\nC: RCPT TO:<${local}@to.test>\nC: QUIT\nS: 250 ok\nS: ${reply}\nS: 221 bye`;
}

/** A message is asked for, and comes. */
function taking(replies: readonly string[]): string {
  const [asked, answered] = [replies.map(() => "C~ ^RCPT\n").join(""), replies.map((each) => `S: ${each}\n`).join("")];
  return `${opening}C~ ^MAIL\n${asked}C: DATA\nS: 250 ok\n${answered}S: 354 go ahead\nC...\n`;
}

const queuesTwo = queues.replace("C~ ^RCPT", "C: RCPT TO:<two@to.test>");
const oneTooMany = rcpts("250 2.1.5 ok", "452 4.5.3 too many recipients");

const both = ["one@to.test", "two@to.test"];
const quick = { timeoutMs: 400 };
/** As long for one session as for all hosts. */
const tight = { timeoutMs: 2_000, budgetMs: 2_000 };
const whole = { depth: "message" } as const;
const encrypted = { tls: "require" } as const;
const opportunistic = { tls: "opportunistic" } as const;
const onlyPublic = { allowPrivate: false };
const everything = { allHosts: true, depth: "ehlo" } as const;
const needsIpv6 = true;
const halfTold: Zone = { "a.test": { A: ["127.0.0.2"], AAAA: "SERVFAIL" } };
const dnsFailures = ["SERVFAIL", "REFUSED", "malformed", "garbage", "silent"] as const;
const ten = Array.from("abcdefghij", (name, index) => `${name} .${index + 2}`);

function over(families: Families): Partial<ProbeRequest> {
  return { egress: { ...direct, families } };
}

function fifty(name: string): readonly string[] {
  return Array.from({ length: 50 }, (_, index) => `${name} .${index + 2}`);
}

function closedAt(...places: readonly string[]): Places {
  return Object.fromEntries(places.map((each) => [each, closed]));
}

function failedAt(...places: readonly string[]): readonly string[] {
  return places.map((each) => `${each} unanswered connect - by failed`);
}

// prettier-ignore
const whatEnds: readonly Row[] = [
  ["a 5yz to MAIL with a cause ends the search: the host that would time out is not asked",
   { "a .2": mail(listed5), "b .3": silent },
   "rejected ip-reputation mail 554 a", "a .2 rejected mail 554", { findings: "ip-reputation a mail" }],
  ["a 5yz to MAIL without a cause ends the search",
   { "a .2": mail("550 no"), "b .3": accepts },
   "rejected unspecified mail 550 a", "a .2 rejected mail 550"],
  ["a 5yz to RCPT ends the search",
   { "a .2": rcpt(unknownUser), "b .3": accepts },
   "rejected mailbox-unknown rcpt 550 a", "a .2 rejected rcpt 550"],
  ["a 5yz to RCPT ends the search though the connection is reset behind it",
   { "a .2": `${opening}${group}S: 250 ok\nS: ${listed5}\nS! rst`, "b .3": accepts },
   "rejected ip-reputation rcpt 554 a", "a .2 rejected rcpt 554", { findings: "ip-reputation a rcpt" }],
  ["a 5yz to RCPT that was cut short ends the search",
   { "a .2": `${opening}${group}S: 250 ok\nS: 554-5.7.1 [127.0.0.1] is listed\nS! fin`, "b .3": accepts },
   "rejected ip-reputation rcpt 554 a", "a .2 rejected rcpt 554", { findings: "ip-reputation a rcpt" }],
  ["a 5yz to DATA ends the search",
   { "a .2": `${opening}C~ ^MAIL\nC~ ^RCPT\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 554 5.7.1 spam\nS! fin`, "b .3": queues },
   "rejected content-spam data 554 a", "a .2 rejected data 554", { ask: whole }],
  ["a 5yz to the message ends the search",
   { "a .2": `${taking(["250 ok"])}S: 554 5.7.1 spam\n${farewell}`, "b .3": queues },
   "rejected content-spam message 554 a", "a .2 rejected message 554", { ask: whole }],
  ["greylisting at RCPT ends the search",
   { "a .2": rcpt(greylisted), "b .3": accepts },
   "deferred greylist rcpt 450 a", "a .2 deferred rcpt 450"],
  ["a 421 in the greeting that asks us to slow down ends the search",
   { "a .2": greets(slower), "b .3": accepts },
   "deferred rate-limit greeting 421 a", "a .2 deferred greeting 421"],
  ["a 4yz to EHLO because of our address ends the search",
   { "a .2": ehlo(listed4), "b .3": accepts },
   "deferred ip-reputation ehlo 450 a", "a .2 deferred ehlo 450", { findings: "ip-reputation a ehlo" }],
  ["a host behind a dead one ends the search as the first would",
   { "a .2": closed, "b .3": rcpt(greylisted), "c .4": accepts },
   "deferred greylist rcpt 450 b", "a .2 unanswered connect - by failed, b .3 deferred rcpt 450"],
  ["a host behind one that does not exist ends the search as the first would",
   { "a": closed, "b .3": rcpt(unknownUser), "c .4": accepts },
   "rejected mailbox-unknown rcpt 550 b", "a - unanswered dns - (no-address), b .3 rejected rcpt 550"],
  ["a message that was taken and never answered ends the search: it may have been delivered",
   { "a .2": takesAndResets, "b .3": queues },
   "unknown network message - a", "a .2 unknown message - by reset", { ask: whole }],
];

// prettier-ignore
const whatGoesOn: readonly Row[] = [
  ["a greeting that refuses without a cause goes on to a host that accepts, and is no finding",
   { "a .2": greets("554 no"), "b .3": accepts },
   "accepted - rcpt 250 b", "a .2 rejected greeting 554, b .3 accepted rcpt 250"],
  ["a greeting that refuses our address stays a finding where the next host accepts",
   { "a .2": greets(listed5), "b .3": accepts },
   "accepted - rcpt 250 b", "a .2 rejected greeting 554, b .3 accepted rcpt 250", { findings: "ip-reputation a greeting" }],
  ["a greeting that refuses our address is not replaced by the next host's time-out",
   { "a .2": greets(listed5), "b .3": silent },
   "rejected ip-reputation greeting 554 a", "a .2 rejected greeting 554, b .3 unanswered greeting - by deadline",
   { ask: quick, findings: "ip-reputation a greeting" }],
  ["a greeting that refuses is not replaced by a deeper failure",
   { "a .2": greets("554 no"), "b .3": hangsAtRcpt, "c .4": closed },
   "rejected unspecified greeting 554 a",
   "a .2 rejected greeting 554, b .3 unanswered rcpt - by deadline, c .4 unanswered connect - by failed", { ask: quick }],
  ["a time-out before a greeting that refuses is not the verdict",
   { "a .2": hangsAtMail, "b .3": greets(listed5) },
   "rejected ip-reputation greeting 554 b", "a .2 unanswered mail - by deadline, b .3 rejected greeting 554",
   { ask: quick, findings: "ip-reputation b greeting" }],
  ["EHLO refused with a cause goes on to a host that accepts, and stays a finding",
   { "a .2": ehlo(listed5), "b .3": accepts },
   "accepted - rcpt 250 b", "a .2 rejected ehlo 554, b .3 accepted rcpt 250", { findings: "ip-reputation a ehlo" }],
  ["both hosts refuse our address in their greetings: the first is the primary, both are findings",
   { "a .2": greets(listed5), "b .3": greets(listed5) },
   "rejected ip-reputation greeting 554 a", "a .2 rejected greeting 554, b .3 rejected greeting 554",
   { findings: "ip-reputation a greeting, ip-reputation b greeting" }],
  ["a greeting that refuses our address is not replaced by the next host's no to the recipient",
   { "a .2": greets(listed5), "b .3": rcpt(unknownUser) },
   "rejected ip-reputation greeting 554 a", "a .2 rejected greeting 554, b .3 rejected rcpt 550",
   { findings: "ip-reputation a greeting" }],
  ["a system error at MAIL goes on to a host that accepts",
   { "a .2": mail(overloaded), "b .3": accepts },
   "accepted - rcpt 250 b", "a .2 deferred mail 451, b .3 accepted rcpt 250"],
  ["a 4yz greeting without a cause goes on to a host that accepts",
   { "a .2": greets("421 closing"), "b .3": accepts },
   "accepted - rcpt 250 b", "a .2 deferred greeting 421, b .3 accepted rcpt 250"],
  ["a 421 in the middle goes on to a host that accepts",
   { "a .2": `${opening}${group}S: 421 4.3.2 shutting down\nS! fin`, "b .3": accepts },
   "accepted - rcpt 250 b", "a .2 deferred mail 421, b .3 accepted rcpt 250"],
  ["a busy mailbox at RCPT goes on to a host that accepts",
   { "a .2": rcpt(busy), "b .3": accepts },
   "accepted - rcpt 250 b", "a .2 deferred rcpt 450, b .3 accepted rcpt 250"],
  ["all say 4yz of the same scope: the first is the primary",
   { "a .2": mail("451 4.3.0 first"), "b .3": mail("451 4.3.0 second"), "c .4": greets("421 4.3.2 third") },
   "deferred system-error mail 451 a", "a .2 deferred mail 451, b .3 deferred mail 451, c .4 deferred greeting 421",
   { text: /first/ }],
  ["all say 4yz: the widest scope is the primary",
   { "a .2": rcpt(busy), "b .3": greets("421 4.3.2 overloaded"), "c .4": rcpt(busy) },
   "deferred system-error greeting 421 b", "a .2 deferred rcpt 450, b .3 deferred greeting 421, c .4 deferred rcpt 450"],
  ["a 4yz is not replaced by the next hosts' failures",
   { "a .2": rcpt(busy), "b .3": closed, "c .4": silent },
   "deferred system-error rcpt 450 a",
   "a .2 deferred rcpt 450, b .3 unanswered connect - by failed, c .4 unanswered greeting - by deadline", { ask: quick }],
  ["a 4yz, then a 5yz in another's greeting: the 5yz is the primary",
   { "a .2": mail(overloaded), "b .3": greets("554 no") },
   "rejected unspecified greeting 554 b", "a .2 deferred mail 451, b .3 rejected greeting 554"],
  ["a 5yz of one recipient outweighs a 4yz of everybody",
   { "a .2": mail(overloaded), "b .3": rcpt(unknownUser) },
   "rejected mailbox-unknown rcpt 550 b", "a .2 deferred mail 451, b .3 rejected rcpt 550"],
  ["of two 5yz the one in the greeting has the wider scope",
   { "a .2": greets("554 no"), "b .3": rcpt(unknownUser) },
   "rejected unspecified greeting 554 a", "a .2 rejected greeting 554, b .3 rejected rcpt 550"],
  ["a 5yz, then a 4yz that asks us to stay away: the 5yz is the primary, and nobody else is asked",
   { "a .2": greets("554 no"), "b .3": greets(slower), "c .4": accepts },
   "rejected unspecified greeting 554 a", "a .2 rejected greeting 554, b .3 deferred greeting 421"],
];

// prettier-ignore
const failures: readonly Row[] = [
  ["nobody listens anywhere: the first is the primary",
   { "a .2": closed, "b .3": closed },
   "unanswered network connect - a", "a .2 unanswered connect - by failed, b .3 unanswered connect - by failed",
   { text: /ECONNREFUSED|refused/ }],
  ["of failures the deepest stage is the primary",
   { "a .2": closed, "b .3": silent, "c .4": hangsAtMail, "d .5": hangsAtEhlo },
   "unanswered network mail - c",
   "a .2 unanswered connect - by failed, b .3 unanswered greeting - by deadline, " +
   "c .4 unanswered mail - by deadline, d .5 unanswered ehlo - by deadline", { ask: quick }],
  ["of failures at one stage the first is the primary",
   { "a .2": hangsAtEhlo, "b .3": `${hello}S! fin` },
   "unanswered network ehlo - a", "a .2 unanswered ehlo - by deadline, b .3 unanswered ehlo - by fin", { ask: quick }],
  ["a refused connection goes on to a host that accepts",
   { "a .2": closed, "b .3": accepts },
   "accepted - rcpt 250 b", "a .2 unanswered connect - by failed, b .3 accepted rcpt 250"],
  ["a reset in the greeting's place goes on to a host that accepts",
   { "a .2": "S! rst", "b .3": accepts },
   "accepted - rcpt 250 b", "a .2 unanswered greeting - by reset, b .3 accepted rcpt 250"],
  ["a reset behind the yes to MAIL goes on to a host that accepts",
   { "a .2": `${opening}${group}S: 250 ok\nS! rst`, "b .3": accepts },
   "accepted - rcpt 250 b", "a .2 unanswered rcpt - by reset, b .3 accepted rcpt 250"],
  ["a host that speaks no SMTP goes on to a host that accepts",
   { "a .2": "S: SSH-2.0-OpenSSH_9.9\nS! hang", "b .3": accepts },
   "accepted - rcpt 250 b", "a .2 unanswered greeting - (garbage), b .3 accepted rcpt 250"],
  ["a host that speaks no SMTP says more than a dead one",
   { "a .2": closed, "b .3": "S: SSH-2.0-OpenSSH_9.9\nS! hang" },
   "unanswered protocol greeting - b", "a .2 unanswered connect - by failed, b .3 unanswered greeting - (garbage)"],
  ["a message that was taken and never answered outweighs an earlier refusal",
   { "a .2": greets(listed5), "b .3": takesAndResets, "c .4": queues },
   "unknown network message - b", "a .2 rejected greeting 554, b .3 unknown message - by reset",
   { ask: whole, findings: "ip-reputation a greeting" }],
  ["a host that greets may take all the time there is: the next one is told, and not asked",
   { "a .2": hangsAtEhlo, "b .3": accepts },
   "unanswered network ehlo - a", "a .2 unanswered ehlo - by deadline, b - unanswered connect - (out-of-time)",
   { ask: { budgetMs: 300 } }],
  ["a host that takes the connection and says nothing leaves the next one half of the time, and its refusal is read",
   { "a .2": silent, "b .3": greets(listed5) },
   "rejected ip-reputation greeting 554 b", "a .2 unanswered greeting - by timeout, b .3 rejected greeting 554",
   { ask: tight, findings: "ip-reputation b greeting" }],
  ["so does one that begins to greet",
   { "a .2": "S| 220-mx", "b .3": greets(listed5) },
   "rejected ip-reputation greeting 554 b", "a .2 unanswered greeting - by timeout, b .3 rejected greeting 554",
   { ask: tight, findings: "ip-reputation b greeting" }],
  ["and its own other address",
   { "a .2": silent, "a .3": greets(listed5) },
   "rejected ip-reputation greeting 554 a", "a .2 unanswered greeting - by timeout, a .3 rejected greeting 554",
   { ask: tight, findings: "ip-reputation a greeting" }],
  ["the last one has all that is left",
   { "a .2": closed, "b .3": silent },
   "unanswered network greeting - b", "a .2 unanswered connect - by failed, b .3 unanswered greeting - by deadline",
   { ask: { timeoutMs: 600, budgetMs: 600 } }],
  ["nobody is dialled with no time left",
   { "a .2": accepts },
   "unanswered network connect - .2", ".2 - unanswered connect - (out-of-time)",
   { byHand: "127.0.0.2", ask: { budgetMs: 50 }, text: /^not asked: the 0\.05 s for all hosts together were over/ }],
];

// prettier-ignore
const addresses: readonly Row[] = [
  ["a host's dead address is followed by its other one, and no other host is asked",
   { "a .2": closed, "a .3": accepts, "b .4": accepts },
   "accepted - rcpt 250 a", "a .2 unanswered connect - by failed, a .3 accepted rcpt 250"],
  ["a host's silent address is followed by its other one",
   { "a .2": silent, "a .3": accepts, "b .4": accepts },
   "accepted - rcpt 250 a", "a .2 unanswered greeting - by deadline, a .3 accepted rcpt 250", { ask: quick }],
  ["a 5yz at one address is followed by the next host, not by the host's other address",
   { "a .2": greets("554 no"), "a .3": accepts, "b .4": accepts },
   "accepted - rcpt 250 b", "a .2 rejected greeting 554, b .4 accepted rcpt 250"],
  ["a 4yz at one address is followed by the next host, not by the host's other address",
   { "a .2": mail(overloaded), "a .3": accepts, "b .4": accepts },
   "accepted - rcpt 250 b", "a .2 deferred mail 451, b .4 accepted rcpt 250"],
  ["of a host's fifty dead addresses four are tried",
   { ...closedAt(...fifty("a")), "b .77": accepts },
   "accepted - rcpt 250 b", [...failedAt(...fifty("a").slice(0, 4)), "a - unanswered connect - (left-out)", "b .77 accepted rcpt 250"]],
  ["of a host's five addresses the fifth is told to be left out, and is not the primary",
   closedAt("a .2", "a .3", "a .4", "a .5", "a .6"),
   "unanswered network connect - a",
   [...failedAt("a .2", "a .3", "a .4", "a .5"), "a - unanswered connect - (left-out)"], { text: /^no connection: / }],
  ["of eleven dead hosts ten are tried",
   closedAt(...ten, "k .12"), "unanswered network connect - a",
   [...failedAt(...ten), "to - unanswered connect - (left-out)"]],
  ["of eleven hosts the tenth accepts: nobody needs the eleventh",
   { ...closedAt(...ten.slice(0, 9)), "j .11": accepts, "k .12": accepts },
   "accepted - rcpt 250 j", [...failedAt(...ten.slice(0, 9)), "j .11 accepted rcpt 250"]],
  ["of eleven hosts that DNS does not tell the first is the primary, and not the eleventh, which nobody looked at",
   {},
   "unanswered network dns - a",
   [...ten.map((each) => `${each.split(" ")[0]} - unanswered dns - (dns-failed)`), "to - unanswered connect - (left-out)"],
   { zone: Object.fromEntries([[domain, { MX: [...ten, "k"].map((each, index) => `${index} ${each.split(" ")[0]}.test`) }],
     ...ten.map((each) => [`${each.split(" ")[0]}.test`, "SERVFAIL"])]) }],
  ["eleven hosts without an address take no mail, though the eleventh is not looked at",
   closedAt(...ten.map((each) => each.split(" ")[0] ?? ""), "k"),
   "rejected relay-denied dns 5.4.4 a",
   [...ten.map((each) => `${each.split(" ")[0]} - rejected dns 5.4.4 (no-address)`), "to - unanswered connect - (left-out)"]],
  ["a host that is listed twice is asked once",
   { "a .2": closed, "b .3": accepts },
   "accepted - rcpt 250 b", "a .2 unanswered connect - by failed, b .3 accepted rcpt 250",
   { zone: { [domain]: { MX: ["10 a.test", "20 A.TEST", "30 b.test"] } } }],
  ["an address that a host tells twice is dialled once",
   { "a .2": closed, "b .3": accepts },
   "accepted - rcpt 250 b", "a .2 unanswered connect - by failed, b .3 accepted rcpt 250",
   { zone: { "a.test": { A: ["127.0.0.2", "127.0.0.2"] } } }],
  ["an address under two hosts' names is asked under each: what TLS and its policies ask for goes by the name",
   { "a .2": `S! rst\n--\n${accepts}` },
   "accepted - rcpt 250 b", "a .2 unanswered greeting - by reset, b .2 accepted rcpt 250",
   { zone: { [domain]: { MX: ["10 a.test", "20 b.test"] }, "b.test": { A: ["127.0.0.2"] } } }],
  ["over IPv4 alone an IPv6 address is not dialled",
   { "a .2": closed, "a ::1": accepts },
   "unanswered network connect - a", "a .2 unanswered connect - by failed", { ask: over("4"), needsIpv6 }],
  ["over IPv6 alone an IPv4 address is not dialled",
   { "a .2": closed, "a ::1": accepts },
   "accepted - rcpt 250 a", "a ::1 accepted rcpt 250", { ask: over("6"), needsIpv6 }],
  ["over both families take turns, whichever this machine prefers",
   { ...closedAt("a .2", "a .3", "a .4", "a .5", "a ::1"), "b .6": accepts },
   "accepted - rcpt 250 b",
   [
     ...failedAt(...(isIpv4First ? ["a .2", "a ::1"] : ["a ::1", "a .2"]), "a .3", "a .4"),
     "a - unanswered connect - (left-out)", "b .6 accepted rcpt 250",
   ],
   { needsIpv6 }],
  ["a host with an IPv6 address alone is passed over on IPv4, and the next one asked",
   { "a ::1": accepts, "b .2": accepts },
   "accepted - rcpt 250 b", "a - unanswered dns - (no-family), b .2 accepted rcpt 250", { ask: over("4"), needsIpv6 }],
  ["a domain whose only host has an IPv6 address alone is not rejected on IPv4: the limit is ours",
   { "a ::1": accepts },
   "unanswered network dns - a", "a - unanswered dns - (no-family)", { ask: over("4"), text: /IPv4/, needsIpv6 }],
  ["a refusal over IPv6 ends the search, and IPv4 is not tried for a better answer",
   { "a ::1": rcpt(unknownUser), "a .2": closed, "b .3": accepts },
   "rejected mailbox-unknown rcpt 550 a",
   isIpv4First ? "a .2 unanswered connect - by failed, a ::1 rejected rcpt 550" : "a ::1 rejected rcpt 550", { needsIpv6 }],
  ["where DNS keeps the AAAA to itself and the A is dead, both are told",
   { "a .2": closed },
   "unanswered network connect - a", "a .2 unanswered connect - by failed, a - unanswered dns - (dns-failed)",
   { zone: halfTold }],
  ["where DNS keeps the AAAA to itself and the A answers, nothing is amiss",
   { "a .2": accepts }, "accepted - rcpt 250 a", "a .2 accepted rcpt 250", { zone: halfTold }],
  ["where DNS keeps the AAAA to itself and the A refuses, the refusal is all there is to tell",
   { "a .2": greets(listed5) },
   "rejected ip-reputation greeting 554 a", "a .2 rejected greeting 554",
   { zone: halfTold, findings: "ip-reputation a greeting" }],
  ...(["A", "AAAA"] as const).map((silentType): Row => [
    `where nobody answers for the ${silentType}, the host is asked all the same, though a look-up may take all the time`,
    { [silentType === "A" ? "a ::1" : "a .2"]: greets(listed5) },
    "rejected ip-reputation greeting 554 a", `a ${silentType === "A" ? "::1" : ".2"} rejected greeting 554`,
    { zone: { "a.test": { A: ["127.0.0.2"], AAAA: ["::1"], [silentType]: "silent" } }, ask: tight,
      findings: "ip-reputation a greeting", ...(silentType === "A" ? { needsIpv6 } : {}) }]),
  ["where nobody answers for the AAAA and the A is dead, both are told",
   { "a .2": closed },
   "unanswered network connect - a", "a .2 unanswered connect - by failed, a - unanswered dns - (dns-failed)",
   { zone: { "a.test": { A: ["127.0.0.2"], AAAA: "silent" } }, ask: tight }],
  ["addresses of one host that nobody tells leave the next one its time, though a look-up may take all of it",
   { "a .2": accepts, "b .3": greets(listed5) },
   "rejected ip-reputation greeting 554 b", "a - unanswered dns - (dns-failed), b .3 rejected greeting 554",
   { zone: { "a.test": "silent" }, ask: tight, findings: "ip-reputation b greeting" }],
];

// prettier-ignore
const names: readonly Row[] = [
  ["a domain that does not exist takes no mail",
   {}, "rejected relay-denied dns 5.1.2 to", "to - rejected dns 5.1.2 (no-mail-here)", { zone: { [domain]: "NXDOMAIN" } }],
  ["a null MX takes no mail, whatever address the domain has",
   { "a .2": accepts },
   "rejected relay-denied dns 5.1.10 to", "to - rejected dns 5.1.10 (no-mail-here)",
   { zone: { [domain]: { MX: ["0 ."], A: ["127.0.0.2"] } } }],
  ["a null MX beside others is told, and the others are asked",
   { "a .2": accepts },
   "accepted - rcpt 250 a", ". - unanswered dns - (no-address), a .2 accepted rcpt 250",
   { zone: { [domain]: { MX: ["0 .", "10 a.test"] } } }],
  ...dnsFailures.map((failure): Row => [
    `MX that DNS does not tell (${failure}) is no rejection`,
    { "a .2": accepts }, "unanswered network dns - to", "to - unanswered dns - (dns-failed)",
    { zone: { [domain]: { MX: failure, A: ["127.0.0.2"] } }, ask: quick }]),
  ...dnsFailures.map((failure): Row => [
    `addresses of one host that DNS does not tell (${failure}) leave the next host to ask`,
    { "a .2": accepts, "b .3": accepts }, "accepted - rcpt 250 b", "a - unanswered dns - (dns-failed), b .3 accepted rcpt 250",
    { zone: { "a.test": { A: failure, AAAA: failure } }, ask: quick }]),
  ["addresses of one host that DNS does not tell, and the other dead: the dead one is the primary",
   { "a .2": accepts, "b .3": closed },
   "unanswered network connect - b", "a - unanswered dns - (dns-failed), b .3 unanswered connect - by failed",
   { zone: { "a.test": "SERVFAIL" } }],
  ["a domain without MX is its own host",
   { "to .2": accepts },
   "accepted - rcpt 250 to", "to .2 accepted rcpt 250", { zone: { [domain]: { A: ["127.0.0.2"] } } }],
  ["a domain without MX that is its own host, and dead",
   {}, "unanswered network connect - to", "to .2 unanswered connect - by failed", { zone: { [domain]: { A: ["127.0.0.2"] } } }],
  ["a domain without MX and without address takes no mail",
   {}, "rejected relay-denied dns 5.1.2 to", "to - rejected dns 5.1.2 (no-mail-here)",
   { zone: { [domain]: { TXT: ["v=spf1 -all"] } } }],
  ["a domain without MX whose address DNS does not tell is no rejection",
   {}, "unanswered network dns - to", "to - unanswered dns - (dns-failed)", { zone: { [domain]: { A: "SERVFAIL" } } }],
  ["a host without an address is told, and the next one asked",
   { "a": closed, "b .3": accepts },
   "accepted - rcpt 250 b", "a - unanswered dns - (no-address), b .3 accepted rcpt 250"],
  ["of a host without an address and a dead one the dead one is the primary, and nothing is rejected",
   { "a": closed, "b .3": closed },
   "unanswered network connect - b", "a - unanswered dns - (no-address), b .3 unanswered connect - by failed"],
  ["a domain whose hosts all have no address takes no mail",
   { "a": closed, "b": closed },
   "rejected relay-denied dns 5.4.4 a", "a - rejected dns 5.4.4 (no-address), b - rejected dns 5.4.4 (no-address)",
   { zone: { "b.test": { TXT: ["here, but nowhere"] } } }],
  ["a host that a request names and that has no address says nothing about the domain",
   { "a .2": accepts },
   "unanswered network dns - gone", "gone - unanswered dns - (no-address)",
   { ask: { hosts: [{ name: "gone.test", port: 25, named: "by-mx" }] }, text: /no host gone\.test/ }],
  ["one host without an address, of another DNS says nothing: no rejection",
   { "a": closed, "b": closed },
   "unanswered network dns - b", "a - unanswered dns - (no-address), b - unanswered dns - (dns-failed)",
   { zone: { "b.test": "SERVFAIL" }, text: /SERVFAIL/ }],
  ["an MX that is an alias is followed, under the name that the MX has",
   { "a .2": accepts },
   "accepted - rcpt 250 a", "a .2 accepted rcpt 250",
   { zone: { "a.test": { CNAME: ["real.test"] }, "real.test": { A: ["127.0.0.2"] } } }],
  ["an MX that is an alias for nothing has no address, and the next one is asked",
   { "a .2": accepts, "b .3": accepts },
   "accepted - rcpt 250 b", "a - unanswered dns - (no-address), b .3 accepted rcpt 250",
   { zone: { "a.test": { CNAME: ["gone.test"] } } }],
  ["an MX that is an alias for itself has no address, and the next one is asked",
   { "a .2": accepts, "b .3": accepts },
   "accepted - rcpt 250 b", "a - unanswered dns - (no-address), b .3 accepted rcpt 250",
   { zone: { "a.test": { CNAME: ["a.test"] } } }],
  ["a domain that is an alias has the hosts of what it stands for",
   { "a .2": accepts },
   "accepted - rcpt 250 a", "a .2 accepted rcpt 250",
   { zone: { [domain]: { CNAME: ["real.test"] }, "real.test": { MX: ["10 a.test"] } } }],
  ["an address where a host's name belongs is told and not dialled, and the next one asked",
   { "x .2": accepts, "b .3": accepts },
   "accepted - rcpt 250 b", ".2 - unanswered dns - (no-address), b .3 accepted rcpt 250",
   { zone: { [domain]: { MX: ["10 127.0.0.2", "20 b.test"] } } }],
  ["a domain with nothing but an address for an MX takes no mail",
   { "x .2": accepts },
   "rejected relay-denied dns 5.4.4 .2", ".2 - rejected dns 5.4.4 (no-address)",
   { zone: { [domain]: { MX: ["10 127.0.0.2"] } }, text: /where a host's name belongs/ }],
  ["an address literal is dialled, and DNS is not asked",
   { "x .2": accepts },
   "accepted - rcpt 250 .2", ".2 .2 accepted rcpt 250", { zone: { [domain]: "SERVFAIL" }, to: ["one@[127.0.0.2]"] }],
  ["an IPv6 address literal is dialled",
   { "x ::1": accepts },
   "accepted - rcpt 250 ::1", "::1 ::1 accepted rcpt 250", { to: ["one@[IPv6:::1]"], needsIpv6 }],
  ...["one@bücher.test", "one@xn--bcher-kva.test", "one@BÜCHER.test"].map((to): Row => [
    `the hosts of ${to} are those of its A-labels`,
    { "a .2": `${opening}C~ ^MAIL\nC: RCPT TO:<one@xn--bcher-kva.test>\nC: QUIT\nS: 250 ok\nS: 250 ok\nS: 221 bye` },
    "accepted - rcpt 250 a", "a .2 accepted rcpt 250", { zone: { "xn--bcher-kva.test": { MX: ["10 a.test"] } }, to: [to] }]),
];

// prettier-ignore
const ourselves: readonly Row[] = [
  ["our own name first: there is nobody to ask, and the domain takes no mail from here",
   { "a .2": accepts, "b .3": accepts },
   "rejected relay-denied dns 5.4.6 a", "a - rejected dns 5.4.6 (own-host)", { ask: { helo: "A.test" }, text: /itself/ }],
  ["our own name second: those before are asked, those behind are not",
   { "a .2": closed, "b .3": accepts, "c .4": accepts },
   "unanswered network connect - a", "a .2 unanswered connect - by failed, b - unanswered dns - (own-host)",
   { ask: { helo: "b.test" } }],
  ["our own name second changes nothing where the first accepts",
   { "a .2": accepts, "b .3": accepts },
   "accepted - rcpt 250 a", "a .2 accepted rcpt 250", { ask: { helo: "b.test" } }],
  ["our own name second does not replace what the first said",
   { "a .2": greets(listed5), "b .3": accepts },
   "rejected ip-reputation greeting 554 a", "a .2 rejected greeting 554, b - unanswered dns - (own-host)",
   { ask: { helo: "b.test" }, findings: "ip-reputation a greeting" }],
  ["our own name among hosts of one preference: the others of it are not asked",
   { "10 a .2": accepts, "10 b .3": accepts, "10 c .4": accepts },
   "rejected relay-denied dns 5.4.6 b", "b - rejected dns 5.4.6 (own-host)", { ask: { helo: "b.test" } }],
  ["our own address among hosts of one preference: the others of it are not asked",
   { "10 a .2": accepts, "10 b .3": accepts, "10 c .4": accepts },
   "rejected relay-denied dns 5.4.6 b", "b - rejected dns 5.4.6 (own-host)",
   { ask: { egress: { ...direct, address: "127.0.0.3" } } }],
  ["the egress's address shows our own host",
   { "a .2": closed, "b .3": accepts, "c .4": accepts },
   "unanswered network connect - a", "a .2 unanswered connect - by failed, b - unanswered dns - (own-host)",
   { ask: { egress: { ...direct, address: "127.0.0.3" } } }],
  ["the address that we leave from shows our own host",
   { "a .2": accepts, "b .3": accepts },
   "rejected relay-denied dns 5.4.6 a", "a - rejected dns 5.4.6 (own-host)",
   { ask: { egress: { ...direct, via: { type: "direct", bind: "127.0.0.2" } } } }],
  ["one of several addresses is enough to show our own host",
   { "a .2": accepts, "a .3": accepts },
   "rejected relay-denied dns 5.4.6 a", "a - rejected dns 5.4.6 (own-host)",
   { ask: { egress: { ...direct, address: "127.0.0.3" } } }],
  ["a domain without MX that has our own name takes no mail from here",
   { "to .2": accepts },
   "rejected relay-denied dns 5.4.6 to", "to - rejected dns 5.4.6 (own-host)",
   { zone: { [domain]: { A: ["127.0.0.2"] } }, ask: { helo: domain } }],
  ["a host without an address before our own leaves nobody: the loop is the reason",
   { "a": closed, "b .3": accepts },
   "rejected relay-denied dns 5.4.6 b", "a - unanswered dns - (no-address), b - rejected dns 5.4.6 (own-host)",
   { ask: { helo: "b.test" }, text: /itself/ }],
  ["a host that DNS does not tell before our own: it may be the one that takes mail",
   { "a": closed, "b .3": accepts },
   "unanswered network dns - a", "a - unanswered dns - (dns-failed), b - unanswered dns - (own-host)",
   { zone: { "a.test": "SERVFAIL" }, ask: { helo: "b.test" } }],
  ["a host named by hand is asked though it is we ourselves",
   { "a .2": accepts },
   "accepted - rcpt 250 .2", ".2 .2 accepted rcpt 250", { byHand: "127.0.0.2", ask: { helo: "a.test" } }],
];

// prettier-ignore
const guarded: readonly Row[] = [
  ...["10.0.0.1", "169.254.169.254", "0.0.0.0", "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::1", "fd00::1"].map(
    (address): Row => [
      `${address} is not dialled`,
      { [`a ${address}`]: closed },
      "unanswered network connect - a", `a ${address} unanswered connect - (guarded)`,
      { ask: onlyPublic, text: /^a\.test leads to .* which is not dialled$/ }]),
  ["of two hosts on loopback neither is dialled, and each address is told",
   { "a .2": accepts, "a .3": accepts, "b .4": accepts },
   "unanswered network connect - a",
   "a .2 unanswered connect - (guarded), a .3 unanswered connect - (guarded), b .4 unanswered connect - (guarded)",
   { ask: onlyPublic }],
  ["an MX named localhost leads to no loopback of ours",
   { "x .1": accepts },
   "unanswered network connect - localhost", "localhost .1 unanswered connect - (guarded)",
   { zone: { [domain]: { MX: ["10 localhost"] }, localhost: { A: ["127.0.0.1"] } }, ask: onlyPublic }],
  ["an address literal of a range that is not dialled is not dialled",
   { "x .2": accepts },
   "unanswered network connect - .2", ".2 .2 unanswered connect - (guarded)",
   { to: ["one@[127.0.0.2]"], ask: onlyPublic }],
  ["a host that a request names is guarded as one of DNS",
   { "a .2": accepts },
   "unanswered network connect - a", "a .2 unanswered connect - (guarded)",
   { ask: { ...onlyPublic, hosts: [{ name: "a.test", port: 25, named: "by-mx" }] } }],
  ["a host named by hand is dialled wherever it leads",
   { "a .2": accepts },
   "accepted - rcpt 250 a", "a .2 accepted rcpt 250", { byHand: "a.test", ask: onlyPublic }],
];

// prettier-ignore
const proxies: readonly Row[] = [
  ["a proxy that is gone ends the search, for nobody would be reached, and is not the host's failure",
   { "a .2": accepts, "b .3": accepts },
   "unanswered network connect - a", "a .2 unanswered connect - (proxy)", { proxy: "gone", text: /socks5 127\.0\.0\.1:/ }],
  ["a proxy that does not get through to one host goes on to the next",
   { "a .2": accepts, "b .3": accepts },
   "accepted - rcpt 250 b", "a .2 unanswered connect - (proxy-refused), b .3 accepted rcpt 250", { proxy: "not to .2" }],
  ["a refusal through a proxy is the host's",
   { "a .2": greets(listed5), "b .3": closed },
   "rejected ip-reputation greeting 554 a", "a .2 rejected greeting 554, b .3 unanswered connect - (proxy-refused)",
   { proxy: "to all", findings: "ip-reputation a greeting" }],
];

// prettier-ignore
const security: readonly Row[] = [
  ["TLS required and not offered goes on to a host that offers it",
   { "a .2": saysHello, "b .3": startsTls },
   "accepted - rcpt 250 b", "a .2 unanswered starttls - (tls-not-offered), b .3 accepted rcpt 250", { ask: encrypted }],
  ["TLS required and offered nowhere fails at starttls, of class tls",
   { "a .2": saysHello, "b .3": saysHello },
   "unanswered tls starttls - a", "a .2 unanswered starttls - (tls-not-offered), b .3 unanswered starttls - (tls-not-offered)",
   { ask: encrypted }],
  ["TLS required and not offered outweighs a host that is dead",
   { "a .2": closed, "b .3": saysHello },
   "unanswered tls starttls - b", "a .2 unanswered connect - by failed, b .3 unanswered starttls - (tls-not-offered)",
   { ask: encrypted }],
  ["TLS required whose handshake breaks goes on to a host whose TLS stands",
   { "a .2": breaksTls, "b .3": startsTls },
   "accepted - rcpt 250 b", "a .2 unanswered tls - (handshake), b .3 accepted rcpt 250", { ask: encrypted }],
  ["TLS required and refused for the time being goes on to a host whose TLS stands",
   { "a .2": refusesTls, "b .3": startsTls },
   "accepted - rcpt 250 b", "a .2 deferred starttls 454, b .3 accepted rcpt 250", { ask: encrypted }],
  ["an opportunistic handshake that breaks is had once more in the clear, at the same address",
   { "a .2": `${breaksTls}\n--\n${openingTls}${group}S: 250 ok\nS: 250 2.1.5 ok\nS: 221 bye`, "b .3": accepts },
   "accepted - rcpt 250 a", "a .2 unanswered tls - (handshake), a .2 accepted rcpt 250 [in-clear]", { ask: opportunistic }],
  ["an opportunistic handshake that breaks twice over goes on to the next host",
   { "a .2": `${breaksTls}\n--\nS! rst`, "b .3": accepts },
   "accepted - rcpt 250 b",
   "a .2 unanswered tls - (handshake), a .2 unanswered greeting - by reset [in-clear], b .3 accepted rcpt 250",
   { ask: opportunistic }],
  ["a domain without a policy is asked opportunistically",
   { "a .2": closed, "b .3": accepts },
   "accepted - rcpt 250 b", "a .2 unanswered connect - by failed, b .3 accepted rcpt 250", { ask: { tls: "mta-sts" } }],
];

// prettier-ignore
const recipients: readonly Row[] = [
  ["whom the first host accepted is not offered to the second, who gets the other",
   { "a .2": rcpts("250 2.1.5 ok", busy), "b .3": rcptOf("two", "250 2.1.5 ok") },
   "accepted - rcpt 250 a", "a .2 deferred rcpt 450, b .3 accepted rcpt 250",
   { to: both, each: "one accepted rcpt 250, two accepted rcpt 250" }],
  ["whom the first host refused for good is not offered to the second",
   { "a .2": rcpts(unknownUser, busy), "b .3": rcptOf("two", "250 2.1.5 ok") },
   "rejected mailbox-unknown rcpt 550 a", "a .2 rejected rcpt 550, b .3 accepted rcpt 250",
   { to: both, each: "one rejected rcpt 550, two accepted rcpt 250" }],
  ["the second host's 5yz to one is nobody else's answer",
   { "a .2": rcpts("250 2.1.5 ok", busy), "b .3": rcptOf("two", unknownUser) },
   "rejected mailbox-unknown rcpt 550 b", "a .2 deferred rcpt 450, b .3 rejected rcpt 550",
   { to: both, each: "one accepted rcpt 250, two rejected rcpt 550" }],
  ["the second host's failure does not take away what the first said to one",
   { "a .2": rcpts("250 2.1.5 ok", busy), "b .3": closed },
   "deferred system-error rcpt 450 a", "a .2 deferred rcpt 450, b .3 unanswered connect - by failed",
   { to: both, each: "one accepted rcpt 250, two deferred rcpt 450" }],
  ["the second host's greeting is the answer of those alone who were offered to it",
   { "a .2": rcpts("250 2.1.5 ok", busy), "b .3": greets(listed5) },
   "rejected ip-reputation greeting 554 b", "a .2 deferred rcpt 450, b .3 rejected greeting 554",
   { to: both, each: "one accepted rcpt 250, two rejected greeting 554", findings: "ip-reputation b greeting" }],
  ["both have their answers: nobody else is asked, and the wider refusal is the primary",
   { "a .2": rcpts(unknownUser, greylisted), "b .3": accepts },
   "deferred greylist rcpt 450 a", "a .2 deferred rcpt 450",
   { to: both, each: "one rejected rcpt 550, two deferred rcpt 450" }],
  ["one left unknown is never offered again, the other is",
   { "a .2": `${taking(["250 ok", busy])}S! rst`, "b .3": queuesTwo },
   "unknown network message - a", "a .2 unknown message - by reset, b .3 accepted message 250",
   { to: both, ask: whole, each: "one unknown message -, two accepted message 250" }],
  ["one recipient too many gets a transaction of its own, at the same address",
   { "a .2": `${oneTooMany}\n--\n${rcptOf("two", "250 2.1.5 ok")}`, "b .3": accepts },
   "accepted - rcpt 250 a", "a .2 deferred rcpt 452, a .2 accepted rcpt 250 [more-recipients]",
   { to: both, each: "one accepted rcpt 250, two accepted rcpt 250" }],
  ["one recipient too many whose own transaction fails is offered to the next host, alone",
   { "a .2": `${oneTooMany}\n--\nS! rst`, "b .3": rcptOf("two", "250 2.1.5 ok") },
   "accepted - rcpt 250 a",
   "a .2 deferred rcpt 452, a .2 unanswered greeting - by reset [more-recipients], b .3 accepted rcpt 250",
   { to: both, each: "one accepted rcpt 250, two accepted rcpt 250" }],
  ["a refusal of MAIL is everybody's answer: nobody is offered again",
   { "a .2": `${opening}C~ ^MAIL\nC~ ^RCPT\nC~ ^RCPT\nC: QUIT\nS: ${listed5}\nS: 503 no\nS: 503 no\nS: 221 bye`, "b .3": accepts },
   "rejected ip-reputation mail 554 a", "a .2 rejected mail 554",
   { to: both, findings: "ip-reputation a mail", each: "one rejected mail 554, two rejected mail 554" }],
];

// prettier-ignore
const everyHost: readonly Row[] = [
  ["of all hosts each address is asked though the first accepted, and the one that blocks is a finding",
   { "a .2": saysHello, "a .3": saysHello, "b .4": greets(listed5), "b .5": saysHello, "c .6": saysHello },
   "accepted - ehlo 250 a",
   "a .2 accepted ehlo 250, a .3 accepted ehlo 250, b .4 rejected greeting 554, b .5 accepted ehlo 250, c .6 accepted ehlo 250",
   { ask: everything, findings: "ip-reputation b greeting" }],
  ["of all hosts those behind one that asks us to slow down, one that is dead and one without address are asked",
   { "a .2": greets(slower), "b .3": closed, "c": closed, "d .4": saysHello },
   "accepted - ehlo 250 d",
   "a .2 deferred greeting 421, b .3 unanswered connect - by failed, c - unanswered dns - (no-address), d .4 accepted ehlo 250",
   { ask: everything }],
  ["of all hosts the next is asked though the first refused RCPT for good",
   { "a .2": rcpt(unknownUser), "b .3": accepts },
   "accepted - rcpt 250 b", "a .2 rejected rcpt 550, b .3 accepted rcpt 250", { ask: { allHosts: true } }],
  ["of all hosts those before our own are asked, and those behind it are not",
   { "a .2": saysHello, "b .3": saysHello, "c .4": saysHello },
   "accepted - ehlo 250 a", "a .2 accepted ehlo 250, b - unanswered dns - (own-host)",
   { ask: { ...everything, helo: "b.test" } }],
  ["of all hosts one that has fifty addresses is asked at twenty, and the rest is told",
   { ...closedAt(...fifty("a")), "b .77": saysHello },
   "accepted - ehlo 250 b",
   [...failedAt(...fifty("a").slice(0, 20)), "a - unanswered connect - (left-out)", "b .77 accepted ehlo 250"], { ask: everything }],
  ["of all hosts an eleventh is asked",
   { ...closedAt(...ten), "k .12": saysHello },
   "accepted - ehlo 250 k", [...failedAt(...ten), "k .12 accepted ehlo 250"], { ask: everything }],
];

const tables: Readonly<Record<string, readonly Row[]>> = {
  "what ends the search": whatEnds,
  "what goes on to the next host": whatGoesOn,
  "failures of the transport": failures,
  "addresses of one host": addresses,
  "what DNS says": names,
  ourselves,
  "those who are not dialled": guarded,
  "through a proxy": proxies,
  "TLS across hosts": security,
  "several recipients": recipients,
  "all hosts": everyHost,
};

for (const [name, rows] of Object.entries(tables)) {
  describe(name, { concurrency: 4 }, () => {
    for (const row of rows) {
      const [title, , , , more = {}] = row;
      const skip = more.needsIpv6 === true && !hasIpv6 ? "this machine has no ::1" : false;
      it(title, { skip }, () => check(row));
    }
  });
}

async function check([, net, gives, tried, more = {}]: Row): Promise<void> {
  await using network = await openNetwork(mailHosts, net, more.zone);
  await using proxy = more.proxy === undefined ? null : await openProxy(more.proxy);
  const verdict = await probe(requestAt(network, more, proxy));
  const shown = JSON.stringify(verdict, null, 1);
  assert.deepEqual(verdict.attempts.map(attemptLine), listOf(tried), shown);
  assert.equal(verdictLine(verdict), gives, shown);
  const findings = verdict.findings.map(({ class: kind, host, stage }) => `${kind} ${short(host)} ${stage}`);
  assert.deepEqual(findings, listOf(more.findings ?? ""), shown);
  if (more.each !== undefined) assert.deepEqual(verdict.recipients.map(recipientLine), listOf(more.each), shown);
  if (more.text !== undefined) assert.match(verdict.primary.text, more.text);
  assert.deepEqual(await network.surprises(dialledIn(verdict)), []);
}

function listOf(lines: string | readonly string[]): readonly string[] {
  return typeof lines === "string" ? lines.split(", ").filter((each) => each !== "") : lines;
}

async function openProxy(leads: NonNullable<More["proxy"]>): Promise<TestProxy> {
  const proxy = await startSocks5({ allow: (host) => leads === "to all" || host !== "127.0.0.2" });
  if (leads === "gone") await proxy.close();
  return proxy;
}

function requestAt(
  { resolver, port }: Network,
  { to = ["one@to.test"], ask = {}, byHand }: Pick<More, "to" | "ask" | "byHand"> = {},
  proxy: TestProxy | null = null,
): ProbeRequest {
  const hosts = byHand === undefined ? null : [{ name: byHand, port }];
  const found = { resolver, port, allowPrivate: true, budgetMs: 60_000 };
  return requestTo(to, hosts, { ...found, ...(proxy === null ? {} : { egress: through(proxy) }), ...ask });
}

function through({ host, port }: TestProxy): Egress {
  return { ...direct, name: "proxy", via: { type: "socks5", host, port, credentials: null, passesNames: false } };
}

function verdictLine({ outcome, class: kind, primary }: Verdict): string {
  return [outcome, kind ?? "-", primary.stage, primary.code ?? primary.status ?? "-", short(primary.host)].join(" ");
}

function attemptLine(attempt: Transcript): string {
  const { host, address, stop, ending, retry } = attempt;
  const { outcome, answer } = reconcile(attempt).primary;
  const words = [short(host), short(address ?? "-"), outcome, answer.stage, answer.code ?? answer.status ?? "-"];
  const isFailure = answer.code === null;
  const why = stop !== null ? [`(${stop.reason})`] : isFailure ? [`by ${ending.by}`] : [];
  return [...words, ...why, ...(retry === null ? [] : [`[${retry}]`])].join(" ");
}

function recipientLine({ address, outcome, stage, code }: Verdict["recipients"][number]): string {
  return `${address.split("@")[0]} ${outcome} ${stage} ${code ?? "-"}`;
}

/** Those to whom a connection was begun, whatever came of it. */
function dialledIn({ attempts }: Verdict): ReadonlySet<string> {
  const reached = attempts.filter(({ timings }) => timings.connectedMs !== null);
  return new Set(reached.map(({ address }) => address).filter((each) => each !== null));
}

describe("hosts of one preference", () => {
  it("share the load by chance, and come before those of a higher number", async () => {
    await using network = await openNetwork(mailHosts, closedAt("10 a .2", "10 b .3", "10 c .4", "5 d .5"));
    const seconds = new Set<string>();
    for (let run = 0; run < 100 && seconds.size < 3; run++) {
      const { attempts } = await probe(requestAt(network));
      const order = attempts.map(({ host }) => short(host));
      assert.equal(order[0], "d");
      assert.deepEqual(order.toSorted(), ["a", "b", "c", "d"]);
      seconds.add(order[1] ?? "");
    }
    assert.deepEqual([...seconds].toSorted(), ["a", "b", "c"]);
  });
});

describe("our own host among those of one preference", () => {
  it("is waited for, where its look-up is the slow one", async () => {
    const own = "127.0.0.9";
    // Its first question is lost, and asked again before patience ends.
    const zone: Zone = { "own.test": lostOnce("A", own) };
    const net = {
      "10 a .2": accepts,
      "10 b .3": accepts,
      "10 c .4": accepts,
      "10 d .5": accepts,
      [`10 own ${own}`]: closed,
    };
    await using network = await openNetwork(mailHosts, net, zone);
    const ask = { egress: { ...direct, address: own }, timeoutMs: 1_500 };
    const verdict = await probe(requestAt(network, { ask }));
    assert.equal(verdictLine(verdict), "rejected relay-denied dns 5.4.6 own");
    assert.deepEqual(await network.surprises(dialledIn(verdict)), []);
  });
});

describe("the time for all hosts together", () => {
  /** Ten hosts that never get anywhere: how each attempt ends that was made, and whether the time suffices for all. */
  const dead: readonly (readonly [says: string | null, ends: RegExp, reachesAll: boolean])[] = [
    [closed, /^unanswered connect - by failed$/, true],
    [silent, /^unanswered greeting - by (?:deadline|timeout)$/, false],
    [hangsAtEhlo, /^unanswered ehlo - by deadline$/, false],
    [hangsAtMail, /^unanswered mail - by deadline$/, false],
  ];
  for (const [says, ends, reachesAll] of dead) {
    it(`ends ten hosts, each ${ends.source.slice(1, -1)}, and says who was asked and who was not`, async () => {
      const net = Object.fromEntries(ten.map((each) => [each, says]));
      await using network = await openNetwork(mailHosts, net);
      const began = performance.now();
      const verdict = await probe(requestAt(network, { ask: { timeoutMs: 400, budgetMs: 1_500 } }));
      assertEndsBy(began, 1_500);
      const lines = verdict.attempts.map(attemptLine);
      const left = lines.findIndex((each) => each.endsWith("(out-of-time)"));
      assert.equal(left === -1, reachesAll, lines.join("\n"));
      const asked = ten.slice(0, left === -1 ? ten.length : left);
      assert.ok(asked.length > 1, lines.join("\n"));
      for (const [index, place] of ten.entries()) {
        const [name = ""] = place.split(" ");
        const isAsked = index < asked.length;
        const start = isAsked ? `${place} ` : `${name} - `;
        assert.ok(lines[index]?.startsWith(start), lines.join("\n"));
        // The last one may have had too little left to come as far as the others.
        if (isAsked && index < asked.length - 1) assert.match(lines[index]?.slice(start.length) ?? "", ends);
        if (!isAsked) assert.match(verdict.attempts[index]?.stop?.text ?? "", /^not asked: the 1\.5 s/);
      }
      assert.deepEqual([verdict.outcome, verdict.attempts.length], ["unanswered", 10]);
      assert.match(verdictLine(verdict), new RegExp(` ${ends.source.split(" ")[1]} - a$`));
    });
  }

  it("gives ten addresses that take no connection a share each, so that all are asked", async () => {
    await using full = await openFullHost();
    const zone = { [domain]: { MX: ten.map((each, index) => `${index} ${each.split(" ")[0]}.test`) } };
    const places = closedAt(...ten);
    await using network = await openNetwork(mailHosts, places, zone);
    const began = performance.now();
    const ask = { port: full.port, budgetMs: 2_000 };
    const verdict = await probe(requestAt(network, { ask }));
    assertEndsBy(began, ask.budgetMs);
    const ends = verdict.attempts.map(attemptLine);
    // The last one's share is all that is left.
    assert.deepEqual(
      ends.map((each) => each.replace(/deadline$/, "timeout")),
      ten.map((each) => `${each} unanswered connect - by timeout`),
    );
    assert.equal(verdictLine(verdict), "unanswered network connect - a");
  });

  it("ends look-ups too: of the MX, and of ten hosts whose addresses nobody tells", async () => {
    const silence = Object.fromEntries(ten.map((each) => [`${each.split(" ")[0]}.test`, "silent" as const]));
    for (const zone of [{ [domain]: "silent" as const }, silence]) {
      await using network = await openNetwork(mailHosts, closedAt(...ten), zone);
      const began = performance.now();
      const ask = { timeoutMs: 30_000, budgetMs: 500 };
      const verdict = await probe(requestAt(network, { ask }));
      assertEndsBy(began, ask.budgetMs);
      assert.deepEqual([verdict.outcome, verdict.primary.stage], ["unanswered", "dns"]);
      assert.equal(verdict.attempts.length, domain in zone ? 1 : 10);
      assert.match(attemptLine(verdict.attempts[0] as Transcript), /unanswered dns - \(dns-failed\)$/);
    }
  });

  it("gives each look-up a third, so that hosts that are found late can be asked", async () => {
    const zone: Zone = { [domain]: lostOnce("MX", "10 a.test", "20 b.test"), "a.test": "silent" };
    await using network = await openNetwork(mailHosts, { "b .3": greets(listed5) }, zone);
    const verdict = await probe(requestAt(network, { ask: { timeoutMs: 30_000, budgetMs: 3_000 } }));
    const lines = ["a - unanswered dns - (dns-failed)", "b .3 rejected greeting 554"];
    assert.deepEqual(verdict.attempts.map(attemptLine), lines);
    assert.match(verdict.attempts[0]?.stop?.text ?? "", /^DNS: no answer within 1000 ms for A/);
  });

  it("is not needed to the end where a caller gives up in a look-up", async () => {
    await using network = await openNetwork(mailHosts, {}, { [domain]: "silent" });
    const began = performance.now();
    const verdict = await probe(requestAt(network, { ask: { timeoutMs: 60_000, signal: AbortSignal.timeout(100) } }));
    assertEndsBy(began, 100);
    assert.deepEqual(verdict.attempts.map(attemptLine), ["to - unanswered dns - (dns-failed)"]);
    assert.match(verdict.primary.text, /^DNS: given up/);
  });

  for (const allowPrivate of [true, false]) {
    it(`and a hundred attempts end thousands of addresses, ${allowPrivate ? "dialled" : "guarded"}`, async () => {
      const names = Array.from({ length: 60 }, (_, index) => `h${index}.test`);
      const addresses = Array.from({ length: 600 }, (_, index) => `127.9.${index >> 8}.${index & 255}`);
      const zone: Zone = {
        [domain]: { MX: names.map((name, index) => `${index} ${name}`) },
        ...Object.fromEntries(names.map((name) => [name, { A: addresses }])),
      };
      await using network = await openNetwork(mailHosts, {}, zone);
      const verdict = await probe(requestAt(network, { ask: { ...everything, allowPrivate } }));
      const lines = Map.groupBy(verdict.attempts, ({ stop }) => stop?.reason ?? "dialled");
      assert.equal(lines.get(allowPrivate ? "dialled" : "guarded")?.length, 96);
      assert.deepEqual(
        lines.get("left-out")?.map(({ stop }) => stop?.text),
        [
          ...["h0", "h1", "h2", "h3"].map((name) => `not asked: 580 more addresses of ${name}.test; 20 of a host are the most that we ask`), // prettier-ignore
          "not asked: 584 more addresses of h4.test; 100 attempts are the most that we ask",
          "not asked: 55 more hosts of to.test; 100 attempts are the most that we ask",
        ],
      );
    });
  }

  it("does not take the answer away that a refusal was before it was over", async () => {
    await using network = await openNetwork(mailHosts, {
      "a .2": greets(listed5),
      "b .3": hangsAtEhlo,
      "c .4": accepts,
    });
    const verdict = await probe(requestAt(network, { ask: { budgetMs: 500 } }));
    assert.equal(verdictLine(verdict), "rejected ip-reputation greeting 554 a");
    assert.equal(verdict.attempts.map(attemptLine).at(-1), "c - unanswered connect - (out-of-time)");
  });

  it("an abort in the middle ends the session, and nobody else is asked", async () => {
    await using network = await openNetwork(mailHosts, { "a .2": closed, "b .3": hangsAtRcpt, "c .4": accepts });
    const abort = new AbortController();
    const progress: ProbeRequest["progress"] = (event) => {
      if (event.kind === "exchange" && event.exchange.stage === "mail") abort.abort();
    };
    const verdict = await probe(requestAt(network, { ask: { signal: abort.signal, progress } }));
    assert.deepEqual(verdict.attempts.map(attemptLine), [
      "a .2 unanswered connect - by failed",
      "b .3 unanswered rcpt - by abort",
    ]);
    assert.equal(verdictLine(verdict), "unanswered network rcpt - b");
    assert.deepEqual(await network.surprises(dialledIn(verdict)), []);
  });
});

/** The first question is not answered. */
function lostOnce(type: "A" | "MX", ...records: readonly string[]): Records {
  let asked = 0;
  const entry = {};
  Object.defineProperty(entry, type, { get: () => (asked++ === 0 ? "silent" : records) });
  return entry;
}

/** Far from what a busy machine takes, and from the limits that would hold without a budget. */
function assertEndsBy(began: number, budgetMs: number): void {
  const elapsedMs = performance.now() - began;
  assert.ok(elapsedMs < budgetMs + 5_000, `${elapsedMs} ms for a budget of ${budgetMs} ms`);
}

interface FullHost extends AsyncDisposable {
  readonly port: number;
}

/** A port at every address of the machine that takes no connection: its queue is full, and nobody empties it. */
async function openFullHost(): Promise<FullHost> {
  const asleep = new Int32Array(new SharedArrayBuffer(4));
  const code = `
    const { parentPort, workerData } = require("node:worker_threads");
    const server = require("node:net").createServer().listen({ port: 0, host: "0.0.0.0", backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(workerData, 0, 0);
    });`;
  const worker = new Worker(code, { eval: true, workerData: asleep });
  const [port] = (await once(worker, "message")) as [number];
  const fillers = Array.from({ length: 4 }, () => connect({ port, host: "127.0.0.1" }).on("error", () => {}));
  await Promise.all(fillers.slice(0, 2).map((each) => once(each, "connect")));
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const each of fillers) each.destroy();
      Atomics.notify(asleep, 0);
      await worker.terminate();
    },
  };
}

describe("nothing goes on behind the verdict", () => {
  const here = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);

  it("no look-up for a host that nobody needs any more is waited for", async () => {
    const zone = { "b.test": "silent" } as const;
    await using network = await openNetwork(mailHosts, { "a .2": accepts, "b .3": closed }, zone);
    const began = performance.now();
    const verdict = await probe(requestAt(network, { ask: { timeoutMs: 60_000 } }));
    assertEndsBy(began, 0);
    assert.equal(verdictLine(verdict), "accepted - rcpt 250 a");
  });

  it("lets the process end at once, though look-ups for hosts that nobody needs any more have no answer yet", async () => {
    const zone = { "b.test": "silent", "c.test": "silent" } as const;
    await using network = await openNetwork(mailHosts, { "a .2": accepts, "b .3": closed, "c .4": closed }, zone);
    const { resolver, port } = network;
    const code = `
      import { probe } from ${here("../../functions/route/attempts.ts")};
      import { requestTo } from ${here("../support/request.ts")};
      const more = { resolver: "${resolver}", port: ${port}, allowPrivate: true, timeoutMs: 60_000 };
      const verdict = await probe(requestTo(["one@to.test"], null, more));
      console.log(verdict.outcome);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "pipe"] });
    const told = Promise.all([text(child.stdout), text(child.stderr)]);
    const stuck = setTimeout(() => child.kill("SIGKILL"), 30_000);
    const [status] = (await once(child, "exit")) as [number | null];
    clearTimeout(stuck);
    const [out, fault] = await told;
    assert.deepEqual([status, fault], [0, ""]);
    assert.equal(out, "accepted\n");
  });
});
