import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { suite, test } from "node:test";
import { tableDefinition } from "../../../functions/state/table.ts";
import { resultsTopicName } from "../../../functions/send/results-topic.ts";
import {
  listOf,
  ofType,
  sending,
  sendingByVpc,
  statementsOf,
  synthesised,
  textOf,
  theOne,
  usual,
  vpc,
  workers,
  type Synthesised,
} from "./template.ts";

const shapes = {
  "a proxy and a worker": usual,
  "a VPC": vpc,
  "workers alone": workers,
  "a proxy, a worker and sends": sending,
  "a VPC and sends": sendingByVpc,
};

for (const [name, shape] of Object.entries(shapes)) {
  suite(`the template with ${name}`, () => {
    test("records fail alone, and come again no sooner than six times the function's time", async () => {
      const made = await synthesised(shape);
      const kinds = made.config.sends === null ? ["probe"] : ["probe", "send"];
      assert.equal(ofType(made, "AWS::Lambda::EventSourceMapping").length, kinds.length);
      for (const kind of kinds) {
        const source = sourceOf(made, kind);
        assert.deepEqual(source.Properties["FunctionResponseTypes"], ["ReportBatchItemFailures"]);
        assert.ok(Number(source.Properties["BatchSize"]) <= 10);
        const { MaximumConcurrency } = source.Properties["ScalingConfig"] as { readonly MaximumConcurrency: number };
        assert.ok(MaximumConcurrency >= 2 && MaximumConcurrency <= 1_000);
        const timeout = Number(functionOf(made, kind).Properties["Timeout"]);
        const queue = theOne(made, "AWS::SQS::Queue", { QueueName: `${made.config.name}-${kind}` });
        assert.ok(Number(queue.Properties["VisibilityTimeout"]) >= 6 * timeout);
        assert.equal(textOf(source.Properties["EventSourceArn"]), `{${queue.id}.Arn}`);
      }
    });

    test("every queue is encrypted, speaks TLS alone and has dead letters that are kept for 14 days", async () => {
      const made = await synthesised(shape);
      const queues = ofType(made, "AWS::SQS::Queue");
      const policies = ofType(made, "AWS::SQS::QueuePolicy");
      for (const { id, Properties } of queues) {
        assert.equal(Properties["SqsManagedSseEnabled"], true);
        assert.ok(
          policies.some((each) => isTlsOnly(each.Properties, id)),
          id,
        );
        const redrive = Properties["RedrivePolicy"] as
          { deadLetterTargetArn: unknown; maxReceiveCount: number } | undefined;
        if (String(Properties["QueueName"]).endsWith("-dead")) {
          assert.equal(Properties["MessageRetentionPeriod"], 1_209_600);
          continue;
        }
        const dead = queues.find((each) => textOf(redrive?.deadLetterTargetArn) === `{${each.id}.Arn}`);
        assert.equal(dead?.Properties["QueueName"], `${String(Properties["QueueName"])}-dead`);
        assert.equal(redrive?.maxReceiveCount, 5);
      }
    });

    test("no action and no principal is a wildcard, and every wildcard of a resource is one that we know", async () => {
      const made = await synthesised(shape);
      const roles = ofType(made, "AWS::IAM::Role");
      const statements = [
        ...roles.flatMap(({ id }) => statementsOf(made, id)),
        ...ofType(made, "AWS::IAM::ManagedPolicy").flatMap(
          ({ Properties }) =>
            (Properties["PolicyDocument"] as { Statement: ReturnType<typeof statementsOf> }).Statement,
        ),
      ];
      assert.ok(statements.length > 10);
      for (const { Action, Resource } of statements) {
        assert.deepEqual(
          listOf(Action).filter((each) => each.includes("*") && !/^kms:(GenerateDataKey|ReEncrypt)\*$/.test(each)),
          [],
        );
        const wide = listOf(Resource)
          .map(textOf)
          .filter((each) => each === "*");
        if (wide.length > 0)
          assert.ok(
            listOf(Action).every((each) => /^(cloudwatch:PutMetricData|ec2:)/.test(each)),
            String(Action),
          );
      }
      // AWS's own policies grow without us.
      assert.ok(roles.every(({ Properties }) => Properties["ManagedPolicyArns"] === undefined));
    });

    test("each function is Node 24 on arm64, logs to a group with an end, and has no secret in its environment", async () => {
      const made = await synthesised(shape);
      const groups = ofType(made, "AWS::Logs::LogGroup");
      const names = ["schedule", "probe", "page", ...(made.config.sends === null ? [] : ["send"])];
      for (const name of names) {
        const { Properties } = functionOf(made, name);
        assert.equal(Properties["Runtime"], "nodejs24.x");
        assert.deepEqual(Properties["Architectures"], ["arm64"]);
        assert.deepEqual(Properties["Environment"], { Variables: { NODE_OPTIONS: "--enable-source-maps" } });
        const group = groups.find(
          (each) => each.Properties["LogGroupName"] === `/aws/lambda/${made.config.name}-${name}`,
        );
        assert.equal(group?.Properties["RetentionInDays"], made.config.aws.logDays);
      }
      assert.equal(ofType(made, "AWS::Lambda::Function").length, names.length, "none but ours: no custom resource");
    });

    test("the table is the one that the local stack has, is kept, and forgets", async () => {
      const made = await synthesised(shape);
      const table = theOne(made, "AWS::DynamoDB::Table");
      const definition = tableDefinition(made.config.name);
      for (const [name, value] of Object.entries(definition)) assert.deepEqual(table.Properties[name], value, name);
      assert.deepEqual(table.Properties["TimeToLiveSpecification"], { AttributeName: "expiresAt", Enabled: true });
      assert.equal(table.DeletionPolicy, "Retain");
      assert.equal(table.Properties["DeletionProtectionEnabled"], true);
    });

    test("the schedule is called each five minutes with its slot, and what cannot be called is a dead letter", async () => {
      const made = await synthesised(shape);
      const { Properties } = theOne(made, "AWS::Scheduler::Schedule");
      assert.equal(Properties["ScheduleExpression"], "cron(0/5 * * * ? *)");
      assert.deepEqual(Properties["FlexibleTimeWindow"], { MaximumWindowInMinutes: 1, Mode: "FLEXIBLE" });
      const target = Properties["Target"] as { Input: string; DeadLetterConfig: { Arn: unknown } };
      assert.deepEqual(JSON.parse(target.Input), { slot: "<aws.scheduler.scheduled-time>" });
      const dead = theOne(made, "AWS::SQS::Queue", { QueueName: `${made.config.name}-schedule-dead` });
      assert.equal(textOf(target.DeadLetterConfig.Arn), `{${dead.id}.Arn}`);
      const invoke = invokeConfigOf(made, "schedule");
      assert.equal(textOf(invoke.OnFailure.Destination), `{${dead.id}.Arn}`);
    });

    test("secrets are named in roles, and their values are nowhere", async () => {
      const made = await synthesised(shape);
      const page = JSON.stringify(statementsOf(made, roleIdOf(made, "page")));
      assert.match(page, /ssm:GetParameter".*delivery-probe\/pagerduty/);
      assert.match(page, /"sns:Publish","Effect":"Allow","Resource":"arn:aws:sns:eu-west-1:111122223333:mail"/);
      assert.doesNotMatch(made.text, /"SecretString"|GenerateSecretString|resolve:(ssm|secretsmanager)/);
    });

    test("cfn-lint finds no error", async (t) => {
      const made = await synthesised(shape);
      const { error, stdout } = spawnSync("cfn-lint", ["--format", "json", "--", made.file], { encoding: "utf8" });
      if (error !== undefined) return t.skip("cfn-lint is not installed: pip install cfn-lint");
      const found = JSON.parse(stdout) as readonly { readonly Level: string; readonly Message: string }[];
      // Fields of this year, of alarms and dashboards, which CDK's own schema has and cfn-lint's may not have yet.
      const isNew = (message: string): boolean => /'(?:WarmUpConfiguration|Tags)' was unexpected/.test(message);
      assert.deepEqual(
        found.filter(({ Level, Message }) => Level === "Error" && !isNew(Message)).map(({ Message }) => Message),
        [],
      );
    });
  });
}

test("a proxy and workers need no VPC; a vpc egress has one NAT gateway, one address, and ports that are named", async () => {
  assert.deepEqual(ofType(await synthesised(usual), "AWS::EC2::VPC"), []);
  assert.deepEqual(ofType(await synthesised(workers), "AWS::EC2::VPC"), []);
  const made = await synthesised(vpc);
  assert.equal(ofType(made, "AWS::EC2::NatGateway").length, 1);
  assert.equal(ofType(made, "AWS::EC2::EIP").length, 1);
  const { Properties } = theOne(made, "AWS::EC2::SecurityGroup");
  const ports = (Properties["SecurityGroupEgress"] as readonly { FromPort: number; ToPort: number }[]).map(
    ({ FromPort, ToPort }) => [FromPort, ToPort],
  );
  assert.deepEqual(ports, [
    [25, 25],
    [443, 443],
  ]);
  for (const name of ["schedule", "page"]) assert.equal(functionOf(made, name).Properties["VpcConfig"], undefined);
  assert.notEqual(functionOf(made, "probe").Properties["VpcConfig"], undefined);
});

test("sends leave by the same way out as probes, and messages of S3 do not pay for it", async () => {
  const made = await synthesised(sendingByVpc);
  const [probe, send] = ["probe", "send"].map((name) => functionOf(made, name).Properties["VpcConfig"]);
  assert.deepEqual(send, probe);
  assert.notEqual(send, undefined);
  const services = (from: Synthesised): readonly string[] =>
    ofType(from, "AWS::EC2::VPCEndpoint").map(
      ({ Properties }) => textOf(Properties["ServiceName"]).split(".").at(-1) ?? "",
    );
  assert.deepEqual(services(made).toSorted(), ["dynamodb", "s3"]);
  assert.deepEqual(services(await synthesised(vpc)), ["dynamodb"]);
});

test("a send has Lambda's longest time and a record for itself, as many at once as the rates have", async () => {
  const made = await synthesised(sending);
  const { Properties } = functionOf(made, "send");
  assert.deepEqual([Properties["Timeout"], Properties["MemorySize"]], [900, 1_024]);
  const queue = theOne(made, "AWS::SQS::Queue", { QueueName: "delivery-probe-send" });
  assert.equal(queue.Properties["VisibilityTimeout"], 5_400);
  const source = sourceOf(made, "send").Properties;
  assert.equal(source["BatchSize"], 1);
  assert.deepEqual(source["ScalingConfig"], { MaximumConcurrency: 15 });
});

test("without sends there is neither queue, function, topic, output nor alarm of them", async () => {
  const made = await synthesised(usual);
  const names = made.resources.map(({ Properties }) => String(Properties["QueueName"] ?? Properties["TopicName"] ?? Properties["FunctionName"] ?? Properties["AlarmName"])); // prettier-ignore
  assert.deepEqual(names.filter((each) => /send|results/.test(each)), []); // prettier-ignore
  assert.doesNotMatch(made.text, /"SendQueue"|s3:/);
});

test("the topic of results is encrypted, takes TLS alone, and is told of with the queue as the stack's outputs", async () => {
  const made = await synthesised(sending);
  const topic = theOne(made, "AWS::SNS::Topic", { TopicName: resultsTopicName(made.config) });
  assert.match(textOf(topic.Properties["KmsMasterKeyId"]), /:alias\/aws\/sns$/);
  const policy = ofType(made, "AWS::SNS::TopicPolicy").find(({ Properties }) =>
    listOf(Properties["Topics"]).some((each) => textOf(each) === `{${topic.id}}`),
  );
  assert.ok(policy !== undefined);
  const { Statement } = policy.Properties["PolicyDocument"] as { Statement: ReturnType<typeof statementsOf> };
  assert.ok(Statement.every(({ Effect }) => Effect === "Deny"));
  assert.equal(JSON.stringify(Statement[0]?.Condition), '{"Bool":{"aws:SecureTransport":"false"}}');
  const { Outputs } = JSON.parse(made.text) as {
    readonly Outputs: Readonly<Record<string, { readonly Value: unknown }>>;
  };
  const queue = theOne(made, "AWS::SQS::Queue", { QueueName: "delivery-probe-send" });
  assert.equal(textOf(Outputs["SendQueue"]?.Value), `{${queue.id}}`);
  assert.ok(Object.values(Outputs).some(({ Value }) => textOf(Value) === `{${topic.id}}`));
});

test("where a worker's egress is preferred, sends are asked for at its queue", async () => {
  const made = await synthesised({ ...sending, sends: { ...sending.sends, egresses: ["mail-1", "aws"] } });
  const { Outputs } = JSON.parse(made.text) as {
    readonly Outputs: Readonly<Record<string, { readonly Value: unknown }>>;
  };
  const queue = theOne(made, "AWS::SQS::Queue", { QueueName: "delivery-probe-send-mail-1" });
  assert.equal(textOf(Outputs["SendQueue"]?.Value), `{${queue.id}}`);
});

/** What each role may do with sends, and no more: actions, with the ends of the ARNs that they are for. */
const table = "table/delivery-probe";
const queues = [
  "delivery-probe-probe",
  "delivery-probe-probe-mail-1",
  "delivery-probe-send",
  "delivery-probe-send-mail-1",
];
const readWrite = ["BatchGetItem", "GetItem", "PutItem", "UpdateItem"].map((each) => `dynamodb:${each}`);
const ofRoles: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  schedule: {
    ...Object.fromEntries([...readWrite, "dynamodb:Query"].map((each) => [each, [table, `${table}/index/byWake`]])),
    "sqs:SendMessage": [...queues, "delivery-probe-schedule-dead"],
    "sns:Publish": [],
    "s3:GetObject": [],
    "secretsmanager:GetSecretValue": [],
  },
  probe: {
    "dynamodb:DeleteItem": [table, `${table}/index/byPair`],
    "sqs:SendMessage": [...queues, "delivery-probe-probe-dead"],
    "sns:Publish": [],
    "s3:GetObject": [],
    "secretsmanager:GetSecretValue": ["delivery-probe/proxy-??????"],
  },
  send: {
    ...Object.fromEntries([...readWrite, "dynamodb:DeleteItem"].map((each) => [each, [table]])),
    "dynamodb:Query": [],
    "sqs:SendMessage": [...queues, "delivery-probe-send-dead"],
    "sns:Publish": ["delivery-probe-results"],
    "s3:GetObject": ["producers-mail/*", "mail-that-waits/*"],
    "s3:PutObject": ["mail-that-waits/*"],
    "s3:AbortMultipartUpload": ["mail-that-waits/*"],
    "secretsmanager:GetSecretValue": ["delivery-probe/proxy-??????", "delivery-probe/dkim-??????"],
  },
  page: {
    "sqs:SendMessage": [],
    "s3:GetObject": [],
    "secretsmanager:GetSecretValue": [],
  },
};

for (const [name, expected] of Object.entries(ofRoles)) {
  test(`with sends the ${name}'s role may do this with these, and no more`, async () => {
    const made = await synthesised(sending);
    const statements = statementsOf(made, roleIdOf(made, name));
    const found = Object.keys(expected).map((action) => [action, resourcesOf(statements, action, made)] as const);
    const sorted = Object.entries(expected).map(([action, all]) => [action, all.toSorted()]);
    assert.deepEqual(found, sorted);
  });
}

test("a worker that sends reads both of its queues, buries in both, tells results, and reads its key", async () => {
  const made = await synthesised(sending);
  const policy = theOne(made, "AWS::IAM::ManagedPolicy", { ManagedPolicyName: "delivery-probe-worker-mail-1" });
  const { Statement } = policy.Properties["PolicyDocument"] as { Statement: ReturnType<typeof statementsOf> };
  const of = (action: string): readonly string[] => resourcesOf(Statement, action, made);
  assert.deepEqual(of("sqs:ReceiveMessage"), ["delivery-probe-probe-mail-1", "delivery-probe-send-mail-1"]);
  assert.deepEqual(
    of("sqs:SendMessage"),
    [...queues, "delivery-probe-probe-mail-1-dead", "delivery-probe-send-mail-1-dead"].toSorted(),
  );
  assert.deepEqual(of("sns:Publish"), ["delivery-probe-results"]);
  assert.deepEqual(of("s3:PutObject"), ["mail-that-waits/*"]);
  assert.deepEqual(of("secretsmanager:GetSecretValue"), ["delivery-probe/dkim-??????"]);
});

test("an Elastic IP that is there already is the NAT gateway's", async () => {
  const via = { type: "vpc", allocation: "eipalloc-0123456789abcdef0" };
  const made = await synthesised({ ...vpc, egresses: [{ name: "aws", runner: "functions", via }] });
  assert.deepEqual(ofType(made, "AWS::EC2::EIP"), []);
  assert.equal(theOne(made, "AWS::EC2::NatGateway").Properties["AllocationId"], "eipalloc-0123456789abcdef0");
});

test("a worker's policy lets it read its own queue alone, and send to all", async () => {
  const made = await synthesised(usual);
  const policy = theOne(made, "AWS::IAM::ManagedPolicy", { ManagedPolicyName: "delivery-probe-worker-mail-1" });
  const { Statement } = policy.Properties["PolicyDocument"] as { Statement: ReturnType<typeof statementsOf> };
  const queues = (action: string): readonly string[] =>
    Statement.filter(({ Action }) => listOf(Action).includes(action))
      .flatMap(({ Resource }) => listOf(Resource).map(textOf))
      .map((arn) => arn.split(":").at(-1) ?? "");
  assert.deepEqual(queues("sqs:ReceiveMessage"), ["delivery-probe-probe-mail-1"]);
  assert.deepEqual(queues("sqs:DeleteMessage"), ["delivery-probe-probe-mail-1"]);
  assert.deepEqual(queues("sqs:SendMessage").toSorted(), [
    "delivery-probe-probe",
    "delivery-probe-probe-mail-1",
    "delivery-probe-probe-mail-1-dead",
  ]);
});

/** What an action is allowed on: ends of ARNs, and of what the template refers to the names. */
function resourcesOf(
  statements: ReturnType<typeof statementsOf>,
  action: string,
  { resources }: Synthesised,
): readonly string[] {
  const named = (arn: string): string => {
    const [, id] = /^\{(.*)\.Arn\}$/.exec(arn) ?? [];
    const its = resources.find((each) => each.id === id)?.Properties["QueueName"];
    return typeof its === "string" ? its : (arn.split(/:(?!.*:)/).at(-1) ?? "");
  };
  const all = statements
    .filter(({ Action }) => listOf(Action).includes(action))
    .flatMap(({ Resource }) => listOf(Resource).map((each) => named(textOf(each))));
  return [...new Set(all)].toSorted();
}

function sourceOf(made: Synthesised, name: string): ReturnType<typeof theOne> {
  const { id } = functionOf(made, name);
  const found = ofType(made, "AWS::Lambda::EventSourceMapping").filter(
    ({ Properties }) => textOf(Properties["FunctionName"]) === `{${id}}`,
  );
  const [one, ...others] = found;
  assert.ok(one !== undefined && others.length === 0, name);
  return one;
}

function functionOf(made: Synthesised, name: string): ReturnType<typeof theOne> {
  return theOne(made, "AWS::Lambda::Function", { FunctionName: `${made.config.name}-${name}` });
}

function roleIdOf(made: Synthesised, name: string): string {
  return textOf(functionOf(made, name).Properties["Role"]).replace(/^\{(.*)\.Arn\}$/, "$1");
}

function invokeConfigOf(made: Synthesised, name: string): { readonly OnFailure: { readonly Destination: unknown } } {
  const { id } = functionOf(made, name);
  const found = ofType(made, "AWS::Lambda::EventInvokeConfig").find(
    ({ Properties }) => textOf(Properties["FunctionName"]) === `{${id}}`,
  );
  return found?.Properties["DestinationConfig"] as { readonly OnFailure: { readonly Destination: unknown } };
}

function isTlsOnly(properties: Readonly<Record<string, unknown>>, queueId: string): boolean {
  const { Statement } = properties["PolicyDocument"] as {
    Statement: readonly { Effect: string; Condition?: unknown }[];
  };
  const isIts = listOf(properties["Queues"]).some((each) => textOf(each) === `{${queueId}}`);
  return (
    isIts &&
    Statement.some(
      ({ Effect, Condition }) =>
        Effect === "Deny" && JSON.stringify(Condition) === '{"Bool":{"aws:SecureTransport":"false"}}',
    )
  );
}
