import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";

import { Autosave, type SaveState } from "./autosave.ts";
import { markOf } from "./emergency.ts";

type Answer = (response: ServerResponse) => void;

const saved: Answer = (response) => response.writeHead(200, { "Content-Type": "application/json" }).end("{}");

function problem(status: number, sentence: string): Answer {
  return (response) =>
    response.writeHead(status, { "Content-Type": "application/problem+json" }).end(JSON.stringify({ sentence }));
}

/** A server that gives these answers in turn (the last one again and again) and an autosave that talks to it. */
async function setUp(context: TestContext, answers: Answer[]) {
  const token = { value: "token" };
  const tokens: unknown[] = [];
  const bodies: string[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => {
      if (request.url === "/login") response.writeHead(200, { "Content-Type": "text/html" }).end("<h1>Sign in</h1>");
      else {
        bodies.push(body);
        tokens.push(request.headers["x-csrftoken"]);
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
    token: () => token.value,
    revision: 0,
    parted: () => kept.push("parted"),
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
  return { autosave, bodies, kept, states, token, tokens, type, until };
}

test("a pause after typing saves once, and only then the emergency copy goes", async (context) => {
  const { bodies, kept, type, until } = await setUp(context, [saved]);
  type("H");
  type("Hi");
  await until("saved");
  assert.deepEqual(bodies, ['{"subject":"Hi","revision":0}']);
  assert.deepEqual(kept, ["H", "Hi", "Hi", null]);
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
  const { bodies, type, until } = await setUp(context, [problem(400, "it is too long"), saved]);
  type("Hi");
  assert.deepEqual(await until("failed"), { kind: "failed", reason: "it is too long", retrying: false });
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
  assert.deepEqual(bodies, ['{"subject":"one","revision":0}', '{"subject":"two","revision":0}']);
  assert.equal(kept.at(-1), null);
});

const lost: Answer = (response) => void response.destroy();

function json(status: number, body: object): Answer {
  return (response) => response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

function late(after: number, revision: number): Answer {
  return (response) => setTimeout(() => json(200, { revision })(response), after);
}

test("a 403 is tried again with the token of that moment", async (context) => {
  const { token, tokens, type, until } = await setUp(context, [problem(403, "forged"), problem(403, "forged"), saved]);
  type("Hi");
  const state = await until("failed");
  assert.ok(state.kind === "failed" && state.retrying && /sign in again in another tab/i.test(state.reason), JSON.stringify(state));
  token.value = "another";
  await until("saved");
  assert.equal(tokens.at(-1), "another");
});

test("a text of another tab ends the saving, and the copy stays", async (context) => {
  const changed = json(409, { sentence: "changed", revision: 7, stored: { subject: "theirs" }, same: false });
  const { bodies, kept, type, until } = await setUp(context, [changed]);
  type("mine");
  assert.deepEqual(await until("failed"), { kind: "failed", reason: "changed", retrying: false });
  type("mine, more");
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(bodies.length, 1);
  assert.deepEqual(kept.slice(-3), ["parted", "mine", "mine, more"]);
});

test("an own save whose answer was lost is no other tab", async (context) => {
  const own = json(409, { sentence: "changed", revision: 1, stored: { subject: "one" }, same: false });
  const { bodies, type, until } = await setUp(context, [lost, own, json(200, { revision: 2 })]);
  type("one");
  await until("failed");
  type("two");
  await until("saved");
  assert.equal(bodies.at(-1), '{"subject":"two","revision":1}');
});

test("after Send no save overtakes it", async (context) => {
  const { autosave, bodies, type } = await setUp(context, [saved]);
  type("Hi");
  autosave.stop();
  autosave.flush();
  await new Promise((resolve) => setTimeout(resolve, 80));
  assert.deepEqual(bodies, []);
});

test("every last word leaves with the page while saves are under way, and none of them is another tab's", async (context) => {
  const slow = late(80, 1);
  const { autosave, bodies, type, until } = await setUp(context, [slow, slow, slow, slow, saved]);
  type("one");
  await until("saving");
  autosave.flush();
  type("two");
  autosave.flush();
  autosave.flush();
  type("three");
  autosave.flush();
  await new Promise((done) => setTimeout(done, 40));
  assert.deepEqual(bodies, ['{"subject":"one","revision":0}', '{"subject":"one"}', '{"subject":"two"}', '{"subject":"three"}']);
  // A page that finds the emergency copy knows them for its own.
  for (const subject of ["one", "two", "three"]) assert.ok(autosave.marks.includes(markOf({ subject })), subject);
});

test("an answer that comes late forgets nothing that is still on its way", async (context) => {
  const { autosave, type, until } = await setUp(context, [late(60, 1), late(150, 2), saved]);
  type("one");
  await until("saving");
  type("two");
  autosave.flush();
  await until("saved");
  assert.ok(autosave.marks.includes(markOf({ subject: "two" })));
});

test("Saved is said of what stands there, and of nothing typed since", async (context) => {
  const { type, until, states } = await setUp(context, [saved]);
  type("Proposal");
  await until("saved");
  type("Proposal, second");
  assert.equal(states.at(-1)?.kind, "idle");
  await until("saved");
});

test("Saved is not said while more was typed during the save", async (context) => {
  const answer: { now?: () => void } = {};
  const slow: Answer = (response) => (answer.now = () => saved(response));
  const { type, until, states } = await setUp(context, [slow, saved]);
  type("Proposal");
  await until("saving");
  while (!answer.now) await new Promise((resolve) => setTimeout(resolve, 5));
  type("Proposal, second");
  answer.now();
  await until("saved");
  assert.deepEqual(
    states.map((one) => one.kind),
    ["idle", "saving", "idle", "saving", "saved"],
  );
});
