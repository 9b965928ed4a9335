// What is worth asking the functions' logs, as rows of data, and as the account's saved queries. Their lines are the
// entries of functions/report. It does not know which groups there are, and workers' lines, which stay on their hosts.
import { CfnQueryDefinition, type ILogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { Config } from "../../functions/config/config.ts";

/** One query of CloudWatch Logs Insights. */
export interface Query {
  /** Behind the system's name and a slash, which the console shows as a folder. */
  readonly name: string;
  readonly about: string;
  readonly text: string;
}

/** What the dashboard shows. */
export const lastVerdicts: Query = {
  name: "last-verdicts",
  about: "What providers said last, in their own words.",
  text: `filter event = "verdict"
| fields @timestamp, provider, egress, outcome, class, stage, code, status, text, host, address, id
| sort @timestamp desc
| limit 50`,
};

export const queries: readonly Query[] = [
  lastVerdicts,
  {
    name: "refusals-that-page",
    about: "Refusals that wake somebody, with the server's words and where to go.",
    text: `filter event = "verdict" and severity = "page"
| fields @timestamp, provider, egress, class, stage, code, status, text, host, address, blocklist, remedy, blocked, id
| sort @timestamp desc
| limit 50`,
  },
  {
    name: "one-request",
    about: "One request's whole story, its conversation too: put its id, or its message's, in the place of ID.",
    text: `filter id = "ID" or messageId = "ID"
| fields @timestamp, event, provider, egress, outcome, class, text, result, recipient, reason, fault, faults.0, waits, dialog
| sort @timestamp asc
| limit 200`,
  },
  {
    name: "slowest-sessions",
    about: "Verdicts that took longest, over all hosts that were tried.",
    text: `filter event = "verdict"
| fields decidedMs, @timestamp, provider, egress, outcome, stage, text, host, address, attempts, id
| sort decidedMs desc
| limit 50`,
  },
  {
    name: "refusals-by-class",
    about: "How often each provider refused, and why.",
    text: `filter event = "verdict" and (outcome = "rejected" or outcome = "deferred")
| stats count(*) as refusals, latest(text) as last by provider, egress, class
| sort refusals desc`,
  },
  {
    name: "sends",
    about: "What became of sends, and what holds those that wait, with the words of who refused.",
    text: `filter event in ["result", "held"]
| fields @timestamp, event, result, recipient, attempts, reason, by, domain, id
| sort @timestamp desc
| limit 100`,
  },
  {
    name: "what-failed",
    about: "Our own faults: what was not worked on, not written, not told; and functions that were ended.",
    // What a refusal or a self-check found has the level of an error too, and is none of ours. The last part is Lambda's
    // own: it writes down what it ended, and we cannot.
    text: `filter (level = "error" and event not in ["verdict", "self-check"]) or @message like /Task timed out|Invoke Error|Runtime exited|"status":"timeout"/
| fields @timestamp, event, fault, faults.0, id, messageId, alarm, title, @message
| sort @timestamp desc
| limit 100`,
  },
  {
    name: "skipped",
    about: "What was due and not probed, and why.",
    text: `filter event = "skipped"
| fields @timestamp, id, reason
| sort @timestamp desc
| limit 100`,
  },
  {
    name: "pages",
    about: "What was told to whom, and alarms of which nothing was said.",
    text: `filter event in ["page", "no-page", "page-unmarked"]
| fields @timestamp, event, alarm, state, title, deliveries.0.route, deliveries.0.ok, deliveries.0.fault, why, fault
| sort @timestamp desc
| limit 100`,
  },
];

export interface SavedQueriesProps {
  readonly config: Config;
  /** The functions'. */
  readonly logGroups: readonly ILogGroup[];
}

/** The queries in the console, in a folder of the system's name. */
export class SavedQueries extends Construct {
  constructor(scope: Construct, id: string, { config, logGroups }: SavedQueriesProps) {
    super(scope, id);
    for (const { name, about, text } of queries) {
      new CfnQueryDefinition(this, name, {
        name: `${config.name}/${name}`,
        queryString: `# ${about}\n${text}`,
        logGroupNames: logGroups.map(({ logGroupName }) => logGroupName),
      });
    }
  }
}
