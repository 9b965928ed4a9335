// The messages that follow from a record: what they carry on, what they add, and what SQS takes of it.
import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import type { SQSMessageAttributes, SQSRecord } from "aws-lambda";
import fc from "fast-check";
import { gzipSync } from "node:zlib";
import type { Outgoing } from "../../functions/queue/queues.ts";
import {
  deadLetter,
  forwardedMessage,
  isOwnAgain,
  isRecorded,
  laterMessage,
  recordedMessage,
  recordedOf,
  untoldMessage,
  waitsOf,
} from "../../functions/queue/record.ts";

/** What is carried is sealed with it. */
const key = Buffer.alloc(32, 1);

const body = '{"v":1,"kind":"probe"}';

function recordOf(messageAttributes: SQSMessageAttributes, text: string = body): SQSRecord {
  return {
    messageId: "m-1",
    receiptHandle: "r-1",
    body: text,
    attributes: {
      ApproximateReceiveCount: "1",
      SentTimestamp: "0",
      SenderId: "a",
      ApproximateFirstReceiveTimestamp: "0",
    },
    messageAttributes,
    md5OfBody: "",
    eventSource: "aws:sqs",
    eventSourceARN: "arn:aws:sqs:us-east-1:1:probe",
    awsRegion: "us-east-1",
  };
}

/** As it is received again: what the event source makes of a message. */
function again({ body, attributes }: Outgoing): SQSRecord {
  const received = Object.entries(attributes).map(([name, { DataType = "", StringValue, BinaryValue }]) => {
    const value =
      BinaryValue === undefined
        ? { stringValue: StringValue ?? "" }
        : { binaryValue: Buffer.from(BinaryValue).toString("base64") };
    return [name, { ...value, dataType: DataType }];
  });
  return recordOf(Object.fromEntries(received) as SQSMessageAttributes, body);
}

const theirs: SQSMessageAttributes = {
  Trace: { dataType: "String", stringValue: "t-1" },
  Tries: { dataType: "Number.int", stringValue: "3" },
  Blob: { dataType: "Binary.gzip", binaryValue: Buffer.from([0, 255, 128]).toString("base64") },
};
const theirsOut = {
  Trace: { DataType: "String", StringValue: "t-1" },
  Tries: { DataType: "Number.int", StringValue: "3" },
  Blob: { DataType: "Binary.gzip", BinaryValue: Buffer.from([0, 255, 128]) },
};

describe("a message that follows carries on the body and the attributes", () => {
  const record = recordOf(theirs);

  it("sent on to another queue, as it is", () => {
    assert.deepEqual(forwardedMessage(record), { body, attributes: theirsOut, delayS: 0 });
  });

  it("put back, with how often", () => {
    assert.deepEqual(laterMessage(record, 2), {
      body,
      attributes: { ...theirsOut, Waits: { DataType: "Number", StringValue: "1" } },
      delayS: 2,
    });
  });

  it("put back with what came of it", () => {
    const { attributes, ...rest } = recordedMessage(record, { a: 1 }, key, 30);
    const { Recorded, ...others } = attributes;
    assert.deepEqual(rest, { body, delayS: 30 });
    assert.deepEqual(others, { ...theirsOut, Waits: { DataType: "Number", StringValue: "1" } });
    assert.equal(Recorded?.DataType, "Binary");
  });

  it("a dead letter, with its reason and the message's id", () => {
    assert.deepEqual(deadLetter(record, ["v: expected 1", "id: is missing"]), {
      body,
      attributes: {
        ...theirsOut,
        Reason: { DataType: "String", StringValue: "v: expected 1; id: is missing" },
        MessageId: { DataType: "String", StringValue: "m-1" },
      },
      delayS: 0,
    });
  });
});

test("a message that is put back again and again counts how often, also sent on and dead", () => {
  const first = recordOf(theirs);
  assert.equal(waitsOf(first), 0);
  const third = again(laterMessage(again(laterMessage(again(laterMessage(first, 1)), 1)), 1));
  assert.equal(waitsOf(third), 3);
  assert.equal(waitsOf(again(forwardedMessage(third))), 3);
  assert.equal(waitsOf(again(deadLetter(third, ["x"]))), 3);
  assert.equal(waitsOf(again(recordedMessage(third, {}, key, 1))), 4);
});

for (const stringValue of ["", "-1", "1.5", "many", "99999999999"]) {
  test(`a count of waits that is ${JSON.stringify(stringValue)} is none: a producer may write what it likes`, () => {
    const record = recordOf({ Waits: { dataType: "Number", stringValue } });
    assert.equal(waitsOf(record), 0);
  });
}

for (const [delayS, sent] of [
  [-5, 0],
  [0, 0],
  [0.2, 1],
  [900, 900],
  [1_000_000, 900],
] as const) {
  test(`a wait of ${delayS} s is sent as ${sent} s, with or without what came of it`, () => {
    const record = recordOf({});
    assert.equal(laterMessage(record, delayS).delayS, sent);
    assert.equal(recordedMessage(record, {}, key, delayS).delayS, sent);
  });
}

test("what came of a request is read back as it was, and is carried on to another queue, but into no other message", () => {
  assert.equal(isRecorded(recordOf(theirs)), false);
  fc.assert(
    fc.property(fc.jsonValue(), (recorded) => {
      const record = again(recordedMessage(recordOf(theirs), recorded, key, 30));
      assert.deepEqual(recordedOf(record, key), JSON.parse(JSON.stringify(recorded)));
      assert.equal(isRecorded(again(laterMessage(record, 1))), false);
      assert.equal(isRecorded(again(forwardedMessage(record))), true);
    }),
  );
});

test("what is not sealed by us is not ours: another key, another request, another octet, no seal at all", () => {
  const record = again(recordedMessage(recordOf(theirs), { a: 1 }, key, 30));
  const attribute = record.messageAttributes["Recorded"];
  assert.ok(attribute?.binaryValue !== undefined);
  const octets = Buffer.from(attribute.binaryValue, "base64");
  const forged = (value: Buffer): SQSRecord => {
    const Recorded = { ...attribute, binaryValue: value.toString("base64") };
    return { ...record, messageAttributes: { ...record.messageAttributes, Recorded } };
  };
  assert.equal(recordedOf(record, Buffer.alloc(32, 2)), null);
  assert.equal(recordedOf({ ...record, body: `${record.body} ` }, key), null);
  for (let index = 0; index < octets.length; index++) {
    const other = Buffer.from(octets);
    other[index] = (other[index] ?? 0) ^ 1;
    assert.equal(recordedOf(forged(other), key), null);
  }
  for (const value of [Buffer.alloc(0), Buffer.alloc(32), gzipSync("{}"), octets.subarray(32)]) {
    assert.equal(recordedOf(forged(value), key), null);
  }
});

test("what a message has left to do, the one that follows it has, also when that one is put back", () => {
  const redelivered = { ...recordOf({}), attributes: { ...recordOf({}).attributes, ApproximateReceiveCount: "2" } };
  assert.equal(isOwnAgain(recordOf({})), false);
  assert.equal(isOwnAgain(again(laterMessage(recordOf({}), 1))), false);
  assert.equal(isOwnAgain(again(laterMessage(again(laterMessage(redelivered, 1)), 1))), true);
  assert.equal(isOwnAgain(again(untoldMessage(recordOf({}), 1))), true);
});

test("a long document is packed: what repeats itself costs little of a message's size", () => {
  const lines = Array.from({ length: 20_000 }, () => "550 5.7.1 blocked");
  const { attributes } = recordedMessage(recordOf({}), lines, key, 30);
  assert.ok((attributes["Recorded"]?.BinaryValue?.length ?? Infinity) < 10_000);
});

test("a reason holds no control, no half of a character, and an end", () => {
  assert.equal(reasonOf(["a\0b\r\nc\x1b[2J"]), "a?b??c?[2J");
  assert.equal(reasonOf(["a\ud83d"]), "a?");
  assert.equal(reasonOf(["🚫"]), "🚫");
  assert.equal(reasonOf([`${"x".repeat(3_999)}🚫`]), `${"x".repeat(3_999)}?`);
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "binary", maxLength: 5_000, size: "max" }), { minLength: 1, maxLength: 3 }),
      (faults) => {
        const reason = reasonOf(faults);
        // What Amazon SQS takes in a message: XML's characters.
        assert.match(reason, /^[\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u);
        assert.ok(reason.length <= 4_000);
      },
    ),
  );
});

test("no message has more than ten attributes, and ours are among them", () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[A-Za-z][\w.-]{0,8}$/), { maxLength: 10, size: "max" });
  fc.assert(
    fc.property(names, (names) => {
      const record = recordOf(
        Object.fromEntries(names.map((each) => [each, { dataType: "String", stringValue: "x" }])),
      );
      const later = laterMessage(again(laterMessage(record, 1)), 1);
      const carried = recordedMessage(record, {}, key, 1);
      const untold = untoldMessage(record, 1);
      const dead = deadLetter(again(later), ["x"]);
      for (const { attributes } of [forwardedMessage(record), later, carried, untold, dead]) {
        assert.ok(Object.keys(attributes).length <= 10);
      }
      assert.ok(waitsOf(again(later)) >= 2);
      assert.deepEqual(recordedOf(again(carried), key), {});
      assert.ok(waitsOf(again(dead)) >= 2);
      assert.equal(reasonOf(["x"], record), "x");
    }),
  );
});

function reasonOf(faults: readonly string[], record: SQSRecord = recordOf({})): string {
  return deadLetter(record, faults).attributes["Reason"]?.StringValue ?? "";
}

test("a body that leaves no room has its reason cut, or none, and no other attribute, so that SQS takes it", () => {
  const others: SQSMessageAttributes = { Trace: { dataType: "String", stringValue: "t".repeat(1_000) } };
  for (const octets of [1_048_576, 1_048_400, 1_048_000, 1_046_000, 1_000_000]) {
    const { body: same, attributes } = deadLetter(recordOf(others, "x".repeat(octets)), ["é".repeat(3_000)]);
    const size = Object.entries(attributes).reduce(
      (sum, [name, { DataType = "", StringValue = "" }]) => sum + Buffer.byteLength(name + DataType + StringValue),
      Buffer.byteLength(same),
    );
    assert.ok(size <= 1_048_576, `${octets}: ${size}`);
    assert.equal("Reason" in attributes, octets <= 1_048_000);
    assert.equal("Trace" in attributes, false);
  }
});
