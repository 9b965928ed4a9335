// Every link from an alarm to a person fails silently where it is wrong: no error, no page. So each is walked here.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { alarmsOf } from "../../../functions/report/alarms.ts";
import { compositeAlarm, metricAlarm } from "../../../infra/alarm-requests.ts";
import {
  listOf,
  ofType,
  sending,
  statementsOf,
  synthesised,
  textOf,
  theOne,
  usual,
  vpc,
  workers,
  type Resource,
  type Statement,
  type Synthesised,
} from "./template.ts";

const alarmTypes = ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"];

const shapes = { "a proxy and a worker": usual, "a VPC": vpc, "workers alone": workers, sends: sending };

for (const [name, shape] of Object.entries(shapes)) {
  suite(`from alarm to person, with ${name}`, () => {
    test("the alarms are the rows that the local stack puts, field by field", async () => {
      const made = await synthesised(shape);
      const page = pageOf(made);
      const deployed = alarmTypes.flatMap((type) => ofType(made, type)).map(({ Properties }) => Properties);
      const rows = alarmsOf(made.config).map((row) =>
        row.type === "metric" ? metricAlarm(row, ["page"]) : compositeAlarm(row, ["page"]),
      );
      const byName = (a: object, b: object): number => nameOf(a).localeCompare(nameOf(b));
      const plain = deployed.map(({ Tags: _, ...each }) => ({ ...each, ...actionsOf(each, page) }));
      assert.deepEqual(plain.toSorted(byName), rows.map((each) => ({ ...each })).toSorted(byName));
    });

    test("what a composite names is made before it", async () => {
      const made = await synthesised(shape);
      const alarms = alarmTypes.flatMap((type) => ofType(made, type));
      for (const each of ofType(made, "AWS::CloudWatch::CompositeAlarm")) {
        const { AlarmRule, ActionsSuppressor } = each.Properties;
        const named = alarms.filter(
          ({ Properties }) =>
            String(AlarmRule).includes(`"${nameOf(Properties)}"`) || ActionsSuppressor === nameOf(Properties),
        );
        assert.ok(named.length > 0, nameOf(each.Properties));
        assert.deepEqual(
          named.filter(({ id }) => !listOf(each.DependsOn).includes(id)),
          [],
        );
      }
    });

    test("alarm → action → permission: CloudWatch may call the page function, for these alarms of this account alone", async () => {
      const made = await synthesised(shape);
      const page = pageOf(made);
      const permission = theOne(made, "AWS::Lambda::Permission", {
        Principal: "lambda.alarms.cloudwatch.amazonaws.com",
      });
      assert.equal(textOf(permission.Properties["FunctionName"]), `{${page.id}.Arn}`);
      assert.equal(permission.Properties["Action"], "lambda:InvokeFunction");
      assert.equal(textOf(permission.Properties["SourceAccount"]), "{AWS::AccountId}");
      const arn = textOf(permission.Properties["SourceArn"]);
      const [, prefix = "?"] =
        /^arn:\{AWS::Partition\}:cloudwatch:\{AWS::Region\}:\{AWS::AccountId\}:alarm:(.*)\*$/.exec(arn) ?? [];
      assert.ok(
        alarmsOf(made.config).every(({ name }) => name.startsWith(prefix)),
        arn,
      );
    });

    test("page function → failure destination → topic → key: its role may publish, and use the topic's key", async () => {
      const made = await synthesised(shape);
      const page = pageOf(made);
      const invoke = ofType(made, "AWS::Lambda::EventInvokeConfig").find(
        ({ Properties }) => textOf(Properties["FunctionName"]) === `{${page.id}}`,
      );
      const destination = invoke?.Properties["DestinationConfig"] as
        { OnFailure: { Destination: unknown } } | undefined;
      const topic = onCallOf(made);
      assert.equal(textOf(destination?.OnFailure.Destination), `{${topic.id}}`);
      assert.equal(invoke?.Properties["MaximumRetryAttempts"], 2);
      const role = textOf(page.Properties["Role"]).replace(/^\{(.*)\.Arn\}$/, "$1");
      const may = statementsOf(made, role);
      assert.ok(isAllowed(may, "sns:Publish", `{${topic.id}}`));
      const key = theOne(made, "AWS::KMS::Key");
      assert.equal(textOf(topic.Properties["KmsMasterKeyId"]), `{${key.id}.Arn}`);
      const { Statement: keyPolicy } = key.Properties["KeyPolicy"] as { Statement: readonly Statement[] };
      const roleArn = `{${role}.Arn}`;
      for (const action of ["kms:Decrypt", "kms:GenerateDataKey*"]) {
        const byRole = isAllowed(may, action, `{${key.id}.Arn}`);
        const byKey = keyPolicy.some(
          ({ Action, Principal }) => listOf(Action).includes(action) && JSON.stringify(Principal).includes(role),
        );
        assert.ok(byRole || byKey, `${action} for ${roleArn}`);
        assert.ok(allowsCloudWatch(keyPolicy, action), `${action} for CloudWatch`);
      }
    });

    test("topic → policy → people: CloudWatch is let in beside the denial of what is no TLS, and somebody is subscribed", async () => {
      const made = await synthesised(shape);
      const topic = onCallOf(made);
      const policies = ofType(made, "AWS::SNS::TopicPolicy");
      const policy = policies.find(({ Properties }) =>
        listOf(Properties["Topics"]).map(textOf).includes(`{${topic.id}}`),
      );
      assert.ok(policy !== undefined);
      const { Statement } = policy.Properties["PolicyDocument"] as { Statement: readonly Statement[] };
      assert.ok(allowsCloudWatch(Statement, "sns:Publish"));
      const subscription = theOne(made, "AWS::SNS::Subscription");
      assert.equal(textOf(subscription.Properties["TopicArn"]), `{${topic.id}}`);
      assert.equal(subscription.Properties["Endpoint"], "oncall@mail.test");
    });
  });
}

function pageOf(made: Synthesised): Resource {
  return theOne(made, "AWS::Lambda::Function", { FunctionName: `${made.config.name}-page` });
}

function onCallOf(made: Synthesised): Resource {
  return theOne(made, "AWS::SNS::Topic", { TopicName: `${made.config.name}-oncall` });
}

function nameOf(properties: object): string {
  return String((properties as { readonly AlarmName?: string }).AlarmName);
}

/** The function's ARN by the name that the rows were put with; anything else stays, and is seen. */
function actionsOf(properties: Readonly<Record<string, unknown>>, page: Resource): object {
  const named = (value: unknown): unknown =>
    listOf(value).map((each) => (textOf(each) === `{${page.id}.Arn}` ? "page" : each));
  return { AlarmActions: named(properties["AlarmActions"]), OKActions: named(properties["OKActions"]) };
}

function isAllowed(statements: readonly Statement[], action: string, resource: string): boolean {
  return statements.some(
    ({ Effect, Action, Resource }) =>
      Effect === "Allow" && listOf(Action).includes(action) && listOf(Resource).map(textOf).includes(resource),
  );
}

function allowsCloudWatch(statements: readonly Statement[], action: string): boolean {
  return statements.some(
    ({ Effect, Action, Principal, Condition }) =>
      Effect === "Allow" &&
      listOf(Action).includes(action) &&
      JSON.stringify(Principal) === '{"Service":"cloudwatch.amazonaws.com"}' &&
      JSON.stringify(Condition) === '{"StringEquals":{"aws:SourceAccount":{"Ref":"AWS::AccountId"}}}',
  );
}
