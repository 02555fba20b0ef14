import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";

import { Autosave, type SaveState } from "./autosave.ts";

type Answer = (response: ServerResponse) => void;

const saved: Answer = (response) => response.writeHead(200, { "Content-Type": "application/json" }).end("{}");

function problem(status: number, sentence: string): Answer {
  return (response) =>
    response.writeHead(status, { "Content-Type": "application/problem+json" }).end(JSON.stringify({ sentence }));
}

/** A server that gives these answers in turn (the last one again and again) and an autosave that talks to it. */
async function setUp(context: TestContext, answers: Answer[]) {
  const bodies: string[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => {
      if (request.url === "/login") response.writeHead(200, { "Content-Type": "text/html" }).end("<h1>Sign in</h1>");
      else {
        bodies.push(body);
        (answers.length > 1 ? answers.shift() : answers[0])?.(response);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const states: SaveState[] = [];
  const kept: (string | null)[] = [];
  const page = { subject: "" };
  const autosave = new Autosave({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/emails/drafts/1`,
    token: "token",
    read: () => ({ ...page }),
    keep: (fields) => {
      kept.push(fields["subject"] ?? "");
      return true;
    },
    drop: () => kept.push(null),
    show: (state) => states.push(state),
    delay: 20,
    firstRetry: 20,
  });
  context.after(() => autosave.stop());
  const type = (text: string): void => {
    page.subject = text;
    autosave.touch();
  };
  const until = async (kind: string): Promise<SaveState> => {
    for (let tries = 0; tries < 200; tries += 1) {
      const last = states.at(-1);
      if (last?.kind === kind) return last;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return assert.fail(`never ${kind}: ${JSON.stringify(states)}`);
  };
  return { autosave, bodies, kept, type, until };
}

test("a pause after typing saves once, and only then the emergency copy goes", async (context) => {
  const { bodies, kept, type, until } = await setUp(context, [saved]);
  type("H");
  type("Hi");
  await until("saved");
  assert.deepEqual(bodies, ['{"subject":"Hi"}']);
  assert.deepEqual(kept, ["H", "Hi", null]);
});

test("a server that is down is tried again until it has the text", async (context) => {
  const { bodies, kept, type, until } = await setUp(context, [problem(503, "not now"), problem(502, "nor now"), saved]);
  type("Hi");
  assert.deepEqual(await until("failed"), { kind: "failed", reason: "not now", retrying: true });
  assert.equal(kept.at(-1), "Hi");
  await until("saved");
  assert.equal(bodies.length, 3);
  assert.equal(kept.at(-1), null);
});

test("a refusal is told and not repeated, but the next change is", async (context) => {
  const { bodies, type, until } = await setUp(context, [problem(409, "it was sent already"), saved]);
  type("Hi");
  assert.deepEqual(await until("failed"), { kind: "failed", reason: "it was sent already", retrying: false });
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(bodies.length, 1);
  type("Hi again");
  await until("saved");
});

test("the sign-in page is not taken for a saved draft", async (context) => {
  const { kept, type, until } = await setUp(context, [(response) => response.writeHead(302, { Location: "/login" }).end()]);
  type("Hi");
  const state = await until("failed");
  assert.ok(state.kind === "failed" && state.reason.startsWith("you are signed out"));
  assert.equal(kept.at(-1), "Hi");
});

test("what is typed during a save is saved after it", async (context) => {
  const { bodies, kept, type, until } = await setUp(context, [(response) => setTimeout(() => saved(response), 60), saved]);
  type("one");
  await until("saving");
  type("two");
  for (let tries = 0; bodies.length < 2 && tries < 100; tries += 1) await new Promise((done) => setTimeout(done, 10));
  await until("saved");
  assert.deepEqual(bodies, ['{"subject":"one"}', '{"subject":"two"}']);
  assert.equal(kept.at(-1), null);
});

test("after Send no save overtakes it", async (context) => {
  const { autosave, bodies, type } = await setUp(context, [saved]);
  type("Hi");
  autosave.stop();
  autosave.flush();
  await new Promise((resolve) => setTimeout(resolve, 80));
  assert.deepEqual(bodies, []);
});
