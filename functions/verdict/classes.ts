// The twenty classes: whom each is about, what it means and who must act. One reply has one class.
// It does not know by which words a class is recognised, nor who is to be woken.

export type Class =
  | "ip-reputation"
  | "domain-reputation"
  | "authentication"
  | "reverse-dns"
  | "helo"
  | "tls"
  | "rate-limit"
  | "greylist"
  | "sender-rejected"
  | "content-spam"
  | "message-format"
  | "mailbox-unknown"
  | "mailbox-full"
  | "mailbox-disabled"
  | "relay-denied"
  | "policy"
  | "system-error"
  | "protocol"
  | "network"
  | "unspecified";

export type About = "ip" | "domain" | "session" | "sender" | "message" | "recipient" | "receiver";

export interface ClassFacts {
  readonly about: About;
  /** A sentence for the one who reads it at night. */
  readonly means: string;
  /** Who can mend it. */
  readonly actor: string;
  /** The next action, where neither a blocklist nor the provider has its own. */
  readonly remedy: string;
}

// prettier-ignore
export const classes: Readonly<Record<Class, ClassFacts>> = {
  "ip-reputation": {
    about: "ip", actor: "you, who run the sending IP",
    means: "The connecting IP address, or its network, is refused because of who it is: a blocklist, a reputation or a range.",
    remedy: "Find and stop what this IP sent, then ask the receiver's postmaster to lift the block.",
  },
  "domain-reputation": {
    about: "domain", actor: "you, who own the sending domain",
    means: "The sender's, HELO's or DKIM's domain is on a list or has a low reputation.",
    remedy: "Look the domain up at the list that the reply names, stop what earned the listing, and ask for its removal.",
  },
  "authentication": {
    about: "domain", actor: "you, who own the sending domain's DNS",
    means: "SPF, DKIM or DMARC is missing, fails, or does not align with the From address.",
    remedy: "Publish an SPF record that holds the sending IP, sign with DKIM, and align one of them with the From domain.",
  },
  "reverse-dns": {
    about: "ip", actor: "you, or whoever gave you the IP address",
    means: "The IP has no PTR record, one that does not lead back to it, or one that looks generic.",
    remedy: "Give the sending IP a PTR record with your mail host's name, and that name an address record that leads back.",
  },
  "helo": {
    about: "session", actor: "you, who configure the sender",
    means: "The name given in EHLO is invalid, does not resolve, or is somebody else's.",
    remedy: "Set the HELO name to the sending host's full domain name, one that resolves to the sending IP.",
  },
  "tls": {
    about: "session", actor: "you, or the receiver's postmaster when the handshake fails on their side",
    means: "The host demands TLS, or the handshake, the certificate or the version failed.",
    remedy: "Let the sender use STARTTLS with TLS 1.2 or later; if it did, compare versions and certificates with the host's.",
  },
  "rate-limit": {
    about: "session", actor: "you, who set the sender's pace",
    means: "Too many connections, messages or recipients in too short a time; nothing is said against the IP's reputation.",
    remedy: "Send slower: fewer connections, messages and recipients at a time; try again later.",
  },
  "greylist": {
    about: "session", actor: "nobody: it passes by itself",
    means: "The receiver defers senders that it does not know yet, and takes the same message later.",
    remedy: "Try again in some minutes from the same IP with the same sender and recipient.",
  },
  "sender-rejected": {
    about: "sender", actor: "you, who choose the sender address",
    means: "The sender's address or domain does not exist, cannot be verified, is malformed or is banned here.",
    remedy: "Use a sender address whose domain has MX or address records and which takes bounces.",
  },
  "content-spam": {
    about: "message", actor: "you, who write the message",
    means: "This message was taken for spam, phishing or malware, or holds a link that is on a list.",
    remedy: "Check the message's links, attachments and wording; ask the receiver's postmaster if it was taken for spam wrongly.",
  },
  "message-format": {
    about: "message", actor: "you, who make the message",
    means: "The message is too large, or its headers, line ends, attachments or 8-bit data break the receiver's rules.",
    remedy: "Mend the message as the reply says (RFC 5322), or make it smaller.",
  },
  "mailbox-unknown": {
    about: "recipient", actor: "you, who keep the list of recipients",
    means: "There is no such mailbox.",
    remedy: "Remove or correct the recipient's address; a probe needs a mailbox that exists.",
  },
  "mailbox-full": {
    about: "recipient", actor: "the recipient",
    means: "The mailbox is over its quota.",
    remedy: "Have the recipient make room, or try again in some days.",
  },
  "mailbox-disabled": {
    about: "recipient", actor: "the recipient, or the provider",
    means: "The mailbox exists and is inactive, suspended or closed.",
    remedy: "Have the recipient reactivate the mailbox, or use another address.",
  },
  "relay-denied": {
    about: "receiver", actor: "you when the MX hosts are wrong, else the receiver's postmaster",
    means: "This host takes no mail for that domain, or not from us: no relay, a null MX, a loop, or it wants a login.",
    remedy: "Check that you ask the domain's own MX hosts; if you do, tell the receiver's postmaster.",
  },
  "policy": {
    about: "receiver", actor: "the receiver's postmaster",
    means: "A rule of the receiver, the organisation or the recipient refuses it, and the reply does not say on what grounds.",
    remedy: "Ask the receiver's postmaster which rule it was, with the reply's own words and time.",
  },
  "system-error": {
    about: "receiver", actor: "the receiver",
    means: "The receiver is busy or broken; nothing is said against you.",
    remedy: "Try again later; tell the receiver's postmaster if it lasts.",
  },
  "protocol": {
    about: "session", actor: "you, or the makers of the sender",
    means: "The two sides do not agree about the conversation: syntax, sequence, pipelining, too many errors.",
    remedy: "Read the dialog: the first command that the host did not take is the one to mend.",
  },
  "network": {
    about: "session", actor: "you first: check your own way out",
    means: "No reply came: DNS, the connection or a time-out.",
    remedy: "Check that port 25 is open outbound and that the host's name resolves; if other hosts answer, it is theirs.",
  },
  "unspecified": {
    about: "receiver", actor: "the receiver's postmaster",
    means: "The reply gives no reason that can be told.",
    remedy: "Ask the receiver's postmaster, with the reply's own words and time.",
  },
};
