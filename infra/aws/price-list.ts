// What things cost, and what is assumed to flow: the two that an estimate rests on. It reckons nothing.

/** When these were put together. */
export const priceDate = "2026-11";

/**
 * us-east-1, on demand, first tier, in US dollars. No free tier is taken off: an account has one of each, whoever uses it.
 * Each with AWS's page that it is on. Metrics, logs, Lambda, the NAT gateway, the Scheduler and DynamoDB were compared with copies
 * of 2026; the others have stood for years: look at a bill before you believe a cent.
 */
// prettier-ignore
export const prices = {
  series:        0.30,            // aws.amazon.com/cloudwatch/pricing: a metric and month, the first 10,000
  alarmMetric:   0.10,            // … : standard resolution, for each metric of the alarm
  composite:     0.50,            // … : a composite alarm
  putCalls:      0.01,            // … : 1,000 calls of PutMetricData
  dashboard:     3.00,            // … : a dashboard
  logsIn:        0.50,            // … : a GB taken in
  logsKept:      0.03,            // … : a GB and month, compressed; here uncompressed
  calls:         0.20,            // aws.amazon.com/lambda/pricing: 1,000,000 requests
  gbSeconds:     0.000_013_333_4, // … : a GB-second on arm64
  queueRequests: 0.40,            // aws.amazon.com/sqs/pricing: 1,000,000 requests, standard queues
  writes:        0.625,           // aws.amazon.com/dynamodb/pricing/on-demand: 1,000,000 write units of 1 kB
  reads:         0.125,           // … : 1,000,000 read units of 4 kB
  rowsKept:      0.45,            // … : a GB and month, 0.25, and 0.20 for point-in-time recovery
  timetable:     1.00,            // aws.amazon.com/eventbridge/pricing: 1,000,000 invocations by the Scheduler
  key:           1.00,            // aws.amazon.com/kms/pricing: a key; another dollar after each of its first two rotations
  keyRequests:   0.03,            // … : 10,000 requests
  emails:        2.00,            // aws.amazon.com/sns/pricing: 100,000 e-mails
  published:     0.50,            // … : 1,000,000 requests; what goes on to queues and functions costs nothing
  secret:        0.40,            // aws.amazon.com/secrets-manager/pricing: a secret
  secretCalls:   0.05,            // … : 10,000 calls
  natHours:      0.045,           // aws.amazon.com/vpc/pricing: an hour of a NAT gateway
  natData:       0.045,           // … : a GB through it
  addressHours:  0.005,           // … : an hour of a public IPv4 address
  dataOut:       0.09,            // aws.amazon.com/ec2/pricing/on-demand: a GB to the internet
} as const;

/** What flows, guessed rather too high. */
export const assumed = {
  /** Series of Rejections: so many classes for each pair. There is one only where a provider refused, for that hour. */
  rejectionsPerPair: 1,
  /** How long a call of each function takes: a session waits for a greeting, and two seconds for a polite end. */
  seconds: { schedule: 2, probe: 5, send: 5, page: 3 },
  /** Calls of the page function: changes of alarms. */
  pages: 200,
  /** Of one request: what is logged, kept in the table, sent out, and what passes the NAT gateway, AWS's own calls too. */
  logKB: 6,
  rowKB: 8,
  outKB: 20,
  natKB: 150,
  /** Of one request: the lease, the row, the pair, the mark that it was told; and the looks before each. */
  writeUnits: 30,
  readUnits: 20,
  /** Of one request: sent, received, deleted. */
  queueRequests: 3,
  /** Sends of a month, where they are taken: of 50 kB, to one recipient, delivered by the first attempt. */
  sends: 10_000,
  /** Of one send, beside what is logged of it: the message's row and its delivery's, of which each step is a write. */
  send: { rowKB: 70, outKB: 80, natKB: 250, writeUnits: 120, readUnits: 60, queueRequests: 6, calls: 2 },
  /** How long its rows outlive it: a redrive of its dead letter must find it done. */
  sendKeptDays: 14,
  /** Long polls that wait at an empty queue: Lambda's event source starts with five, `worker` with two, and one a send. */
  pollers: { functions: 5, worker: 2 },
  pollS: 20,
} as const;
