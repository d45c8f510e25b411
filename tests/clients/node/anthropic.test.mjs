// The unmodified npm Anthropic client against the gateway: its built-in model, and a gateway in front of another server, which
// is the first one, asked in OpenAI's dialect or in Anthropic's.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { startGateway } from "./gateway.mjs";

const ask = (more = {}) => ({ model: "echo", max_tokens: 100, messages: [{ role: "user", content: "alpha beta gamma" }], ...more });
const tools = [{ name: "lookup", description: "looks something up", input_schema: { type: "object", properties: { text: { type: "string" } } } }];
const textOf = (message) => message.content.map((block) => (block.type === "text" ? block.text : "")).join("");

let alone;

before(async () => {
  alone = await startGateway();
});
after(() => alone?.stop());

for (const [where, kind] of [["the built-in model"], ["an OpenAI-kind upstream", "openai"], ["an Anthropic-kind upstream", "anthropic"]]) {
  describe(where, () => {
    let gateway, client;

    before(async () => {
      gateway = kind ? await startGateway(alone, kind) : alone;
      client = new Anthropic({ baseURL: gateway.url, apiKey: gateway.key, maxRetries: 0 });
    });
    after(() => (gateway === alone ? undefined : gateway?.stop()));

    test("a message is answered with text, usage and a request id", async () => {
      const message = await client.messages.create(ask({ system: "be brief" }));
      assert.deepEqual([message.type, message.role, message.model, message.stop_reason], ["message", "assistant", "echo", "end_turn"]);
      assert.match(textOf(message), /alpha beta gamma/);
      assert.ok(message.usage.input_tokens > 0 && message.usage.output_tokens > 0);
      assert.match(message._request_id, /^[0-9a-f-]{36}$/);
    });

    test("a message streams its events in order, and adds up", async () => {
      const events = [];
      for await (const event of await client.messages.create(ask({ stream: true }))) events.push(event);
      assert.equal(events[0].type, "message_start");
      assert.deepEqual(events.slice(-2).map((event) => event.type), ["message_delta", "message_stop"]);
      assert.equal(events.at(-2).delta.stop_reason, "end_turn");
      const blocks = events.filter((event) => event.type.startsWith("content_block"));
      assert.deepEqual([blocks[0].type, blocks.at(-1).type], ["content_block_start", "content_block_stop"]);
      assert.ok(blocks.slice(1, -1).every((event) => event.type === "content_block_delta" && event.index === blocks[0].index));

      const whole = await client.messages.create(ask());
      const streamed = await client.messages.stream(ask()).finalMessage();
      assert.equal(textOf(streamed), textOf(whole));
      assert.deepEqual([streamed.stop_reason, streamed.usage.output_tokens], [whole.stop_reason, whole.usage.output_tokens]);
      assert.equal(streamed.usage.input_tokens, whole.usage.input_tokens);
    });

    test("max_tokens ends the message", async () => {
      const message = await client.messages.create(ask({ max_tokens: 1 }));
      assert.deepEqual([message.stop_reason, message.usage.output_tokens], ["max_tokens", 1]);
    });

    test("tools are called, streamed and not", async () => {
      for (const tool_choice of [{ type: "any" }, { type: "tool", name: "lookup" }]) {
        const whole = await client.messages.create(ask({ tools, tool_choice }));
        const streamed = await client.messages.stream(ask({ tools, tool_choice })).finalMessage();
        for (const message of [whole, streamed]) {
          const [call] = message.content.filter((block) => block.type === "tool_use");
          assert.deepEqual([call.name, typeof call.input, message.stop_reason], ["lookup", "object", "tool_use"]);
          assert.match(call.id, /^[a-zA-Z0-9_-]+$/);
        }
      }
    });

    test("a tool's result is understood", async () => {
      const called = await client.messages.create(ask({ tools, tool_choice: { type: "any" } }));
      const { id, name, input } = called.content.find((block) => block.type === "tool_use");
      const message = await client.messages.create(ask({
        tools,
        messages: [
          ...ask().messages,
          { role: "assistant", content: [{ type: "tool_use", id, name, input }] },
          { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: "forty two" }, { type: "text", text: "and so?" }] },
        ],
      }));
      assert.equal(message.stop_reason, "end_turn");
      assert.match(textOf(message), /and so\?/);
    });

    test("letters of all alphabets arrive", async () => {
      const text = "Grüße, 東京! 🚀 \"quoted\" back\\slash";
      const messages = [{ role: "user", content: [{ type: "text", text }] }];
      assert.ok(textOf(await client.messages.create(ask({ messages }))).includes(text));
      assert.ok(textOf(await client.messages.stream(ask({ messages })).finalMessage()).includes(text));
    });

    test("errors have the class, type and id the SDK documents", async () => {
      await assert.rejects(client.messages.create(ask({ model: "no-such-model" })), (error) => {
        assert.ok(error instanceof Anthropic.NotFoundError);
        assert.equal(error.error.type, "error");
        assert.equal(error.error.error.type, "not_found_error");
        assert.match(error.requestID, /^[0-9a-f-]{36}$/);
        assert.equal(error.error.request_id, error.requestID);
        return true;
      });
      const stranger = new Anthropic({ baseURL: gateway.url, apiKey: "sk-not-a-key-of-this-gateway", maxRetries: 0 });
      await assert.rejects(stranger.messages.create(ask()), Anthropic.AuthenticationError);
      for (const wrong of [{ max_tokens: undefined }, { messages: undefined }, { messages: [] }, { messages: "alpha" }]) {
        await assert.rejects(client.messages.create(ask(wrong)), (error) => {
          assert.ok(error instanceof Anthropic.BadRequestError, `${JSON.stringify(wrong)}: ${error}`);
          assert.equal(error.error.error.type, "invalid_request_error");
          return true;
        });
      }
    });

    test("a key in x-api-key is as good as a bearer token", async () => {
      const post = (headers) => fetch(`${gateway.url}/v1/messages`, {
        method: "POST",
        headers: { "content-type": "application/json", "anthropic-version": "2023-06-01", ...headers },
        body: JSON.stringify(ask()),
      });
      const [good, bad] = [await post({ "x-api-key": gateway.key }), await post({ "x-api-key": "wrong" })];
      assert.equal(good.status, 200);
      assert.match(textOf(await good.json()), /alpha beta gamma/);
      assert.deepEqual([bad.status, (await bad.json()).error.type], [401, "authentication_error"]);
    });

    test("hanging up ends the call", async () => {
      const stream = await client.messages.create(ask({ stream: true }));
      for await (const _ of stream) {
        stream.controller.abort();
        break;
      }
    });
  });
}
