// A message on its way to the wire: line ends, dots, chunks; as tables and as properties.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  chunkSize,
  hasEightBitHeader,
  isEightBit,
  normalise,
  plainChunks,
  stuffedChunks,
} from "../../functions/smtp/message.ts";

describe("line ends", () => {
  const rows: readonly (readonly [name: string, given: string, sent: string])[] = [
    ["an empty message stays empty", "", ""],
    ["CRLF stays", "a\r\nb\r\n", "a\r\nb\r\n"],
    ["a bare LF becomes one", "a\nb\n", "a\r\nb\r\n"],
    ["a bare CR becomes one", "a\rb\r", "a\r\nb\r\n"],
    ["all kinds together", "a\r\nb\nc\rd", "a\r\nb\r\nc\r\nd\r\n"],
    ["the last line gets its end", "a", "a\r\n"],
    ["CR CR LF are two line ends", "a\r\r\nb", "a\r\n\r\nb\r\n"],
    ["LF CR are two line ends", "a\n\rb", "a\r\n\r\nb\r\n"],
    ["empty lines stay", "\n\n\r\n", "\r\n\r\n\r\n"],
    ["a dot between bare LFs is no end of the message", "a\n.\nMAIL FROM:<x@y>\n", "a\r\n.\r\nMAIL FROM:<x@y>\r\n"],
    ["a dot behind a bare CR", "a\r.\r\n", "a\r\n.\r\n"],
    ["NUL and 8-bit octets are nobody's business here", "a\0\u00e9", "a\0\u00e9\r\n"],
  ];
  for (const [name, given, sent] of rows) {
    it(name, () => assert.deepEqual(normalise(Buffer.from(given)), Buffer.from(sent)));
  }
});

describe("dots", () => {
  const rows: readonly (readonly [given: string, sent: string])[] = [
    ["", ".\r\n"],
    ["a\r\n", "a\r\n.\r\n"],
    [".\r\n", "..\r\n.\r\n"],
    [".a\r\n..\r\nb.\r\n", "..a\r\n...\r\nb.\r\n.\r\n"],
    ["a\r\n.\r\nQUIT\r\n", "a\r\n..\r\nQUIT\r\n.\r\n"],
  ];
  for (const [given, sent] of rows) {
    it(JSON.stringify(given), () => assert.equal(stuffed(Buffer.from(given)).toString("latin1"), sent));
  }

  for (const shift of [-3, -2, -1, 0, 1]) {
    it(`a line that begins ${shift} octets from a chunk's border`, () => {
      const before = `${"x".repeat(chunkSize + shift - 2)}\r\n`;
      assert.equal(stuffed(Buffer.from(`${before}.\r\nend\r\n`)).toString("latin1"), `${before}..\r\nend\r\n.\r\n`);
    });
  }

  it("a message of dots alone, over several chunks", () => {
    const sent = stuffed(normalise(Buffer.alloc(3 * chunkSize, ".\n")));
    assert.equal(sent.toString("latin1"), `${"..\r\n".repeat(1.5 * chunkSize)}.\r\n`);
  });
});

describe("chunks", () => {
  for (const size of [0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 3 * chunkSize]) {
    it(`${size} octets for BDAT, unchanged`, () => {
      const message = Buffer.alloc(size, ".\r\n");
      const pieces = [...plainChunks(message)];
      assert.deepEqual(Buffer.concat(pieces), message);
      assert.ok(pieces.every((each) => each.length > 0 && each.length <= chunkSize));
    });
  }
});

it("8-bit is what leaves ASCII", () => {
  assert.equal(isEightBit(Buffer.from("\0\x7f~")), false);
  assert.equal(isEightBit(Buffer.from("é")), true);
  assert.equal(isEightBit(Buffer.of()), false);
});

describe("8-bit octets in the header", () => {
  const rows: readonly (readonly [message: string, has: boolean])[] = [
    ["", false],
    ["Subject: a\r\n\r\nb\r\n", false],
    ["Subject: a\r\n\r\né\r\n", false],
    ["Subject: é\r\n\r\nb\r\n", true],
    ["Subject: a\r\nX: é\r\n", true],
    ["\r\né\r\n", false],
    ["\r\n\r\né\r\n", false],
  ];
  for (const [message, has] of rows) {
    it(`${JSON.stringify(message)}: ${has}`, () => assert.equal(hasEightBitHeader(Buffer.from(message)), has));
  }
});

it("what is as it should be is not copied, and only a missing end of the last line is added to it", () => {
  const message = new Uint8Array(Buffer.alloc(18_000_000, "0123456789abcdef\r\n"));
  const sent = normalise(message);
  assert.equal(sent.buffer, message.buffer);
  assert.equal(normalise(sent.subarray(0, -2)).compare(sent), 0);
});

/** What smuggling is made of, in any order; and any octets. */
const messages = fc.oneof(
  fc
    .array(fc.constantFrom("\r", "\n", "\r\n", ".", "\r\n.\r\n", "a", "MAIL", "\0", "é"), {
      maxLength: 60,
      size: "max",
    })
    .map((words) => Buffer.from(words.join(""))),
  fc.uint8Array({ maxLength: 300, size: "max" }),
);

describe("for any message", () => {
  it("no CR or LF stands alone, and every line has its end", () => {
    fc.assert(
      fc.property(messages, (message) => {
        const text = normalise(message).toString("latin1");
        assert.doesNotMatch(text, /\r(?!\n)|(?<!\r)\n/);
        assert.ok(text === "" || text.endsWith("\r\n"));
      }),
    );
  });

  it("only line ends change", () => {
    fc.assert(
      fc.property(messages, (message) => {
        const lines = (bytes: Uint8Array): string[] =>
          Buffer.from(bytes)
            .toString("latin1")
            .split(/\r\n|\r|\n/);
        const [given, sent] = [lines(message), lines(normalise(message))];
        if (given.at(-1) !== "") given.push("");
        assert.deepEqual(message.length === 0 ? [""] : sent, given);
        assert.deepEqual(normalise(normalise(message)), normalise(message));
      }),
    );
  });

  it("the lone dot stands at the end alone, and without the dots it is the message again", () => {
    fc.assert(
      fc.property(messages, (message) => {
        const plain = normalise(message).toString("latin1");
        const sent = stuffed(normalise(message)).toString("latin1");
        assert.equal(`\r\n${sent}`.indexOf("\r\n.\r\n"), sent.length - 3);
        assert.doesNotMatch(sent, /\r(?!\n)|(?<!\r)\n/);
        assert.equal(sent.slice(0, -3).replace(/^\./gm, ""), plain);
      }),
    );
  });
});

/** Messages over several chunks, with what matters to dots on and around the chunks' borders. */
const longMessages = fc
  .tuple(
    fc.constantFrom("x", ".", "\r\n", ".\r\n", `${"x".repeat(998)}\r\n`),
    fc.array(
      fc.tuple(
        fc.nat({ max: 3 }),
        fc.integer({ min: -6, max: 6 }),
        fc.constantFrom("\n.\n", ".", "\r", "\n", "..", "é"),
      ),
      { maxLength: 12 },
    ),
    fc.nat({ max: 3 * chunkSize }),
  )
  .map(([filler, marks, size]) => {
    const message = Buffer.alloc(size, filler);
    for (const [chunk, shift, mark] of marks) {
      const at = chunk * chunkSize + shift;
      if (at >= 0 && at < size) message.write(mark, at);
    }
    return message;
  });

it("dots are stuffed the same wherever chunks end", () => {
  fc.assert(
    fc.property(longMessages, (message) => {
      const plain = normalise(message);
      const lines = plain.toString("latin1").replaceAll(/^\./gm, "..");
      assert.equal(stuffed(plain).toString("latin1") === `${lines}.\r\n`, true);
    }),
    { numRuns: 60 },
  );
});

function stuffed(message: Uint8Array): Buffer {
  return Buffer.concat([...stuffedChunks(message)]);
}
