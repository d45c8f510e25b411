// The unmodified npm openai client against the gateway: its built-in model, and a gateway in front of another server, which is
// the first one, asked in OpenAI's dialect or in Anthropic's.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import OpenAI from "openai";
import { startGateway } from "./gateway.mjs";

const ask = (more = {}) => ({ model: "echo", messages: [{ role: "user", content: "alpha beta gamma" }], ...more });

let alone;

before(async () => {
  alone = await startGateway();
});
after(() => alone?.stop());

for (const where of ["the built-in model", "an upstream", "an Anthropic-kind upstream"]) {
  const converted = where === "an Anthropic-kind upstream";

  describe(where, () => {
    let gateway, client;

    before(async () => {
      gateway = where === "the built-in model" ? alone : await startGateway(alone, converted ? "anthropic" : "openai");
      client = new OpenAI({ baseURL: gateway.baseURL, apiKey: gateway.key, maxRetries: 0 });
    });
    after(() => (gateway === alone ? undefined : gateway?.stop()));

    test("chat answers with text, usage and a request id", async () => {
      const answer = await client.chat.completions.create(ask());
      assert.match(answer.choices[0].message.content, /alpha beta gamma/);
      assert.equal(answer.choices[0].finish_reason, "stop");
      assert.ok(answer.usage.prompt_tokens > 0 && answer.usage.completion_tokens > 0);
      assert.match(answer._request_id, /^[0-9a-f-]{36}$/);
    });

    test("chat streams, and shows no usage that was not asked for", async () => {
      let text = "", finish = null;
      for await (const chunk of await client.chat.completions.create(ask({ stream: true }))) {
        assert.equal(chunk.usage ?? null, null);
        assert.equal(chunk.choices.length, 1);
        text += chunk.choices[0].delta.content ?? "";
        finish = chunk.choices[0].finish_reason ?? finish;
      }
      assert.match(text, /alpha beta gamma/);
      assert.equal(finish, "stop");
    });

    test("chat streams the usage that was asked for, once, last", async () => {
      const chunks = [];
      for await (const chunk of await client.chat.completions.create(ask({ stream: true, stream_options: { include_usage: true } }))) chunks.push(chunk);
      assert.deepEqual(chunks.at(-1).choices, []);
      assert.ok(chunks.at(-1).usage.completion_tokens > 0);
      assert.equal(chunks.filter((chunk) => chunk.usage).length, 1);
    });

    test("max_tokens ends with length", async () => {
      const answer = await client.chat.completions.create(ask({ max_tokens: 1 }));
      assert.equal(answer.choices[0].finish_reason, "length");
      assert.equal(answer.usage.completion_tokens, 1);
    });

    test(converted ? "n choices are refused: the other dialect has one" : "n choices interleave", async () => {
      const call = client.chat.completions.create(ask({ n: 2 }));
      if (converted) await assert.rejects(call, OpenAI.BadRequestError);
      else assert.deepEqual((await call).choices.map((choice) => choice.index), [0, 1]);
    });

    test("tools are called, streamed and not", async () => {
      const tools = [{ type: "function", function: { name: "lookup", parameters: { type: "object", properties: {} } } }];
      const answer = await client.chat.completions.create(ask({ tools, tool_choice: "required" }));
      assert.equal(answer.choices[0].message.tool_calls[0].function.name, "lookup");
      const stream = client.chat.completions.stream(ask({ tools, tool_choice: "required" }));
      const final = await stream.finalChatCompletion();
      assert.equal(final.choices[0].message.tool_calls[0].function.name, "lookup");
      assert.deepEqual(typeof JSON.parse(final.choices[0].message.tool_calls[0].function.arguments), "object");
    });

    test("a tool's result is understood", async () => {
      const tools = [{ type: "function", function: { name: "lookup", parameters: { type: "object", properties: {} } } }];
      const called = (await client.chat.completions.create(ask({ tools, tool_choice: "required" }))).choices[0].message;
      const result = { role: "tool", tool_call_id: called.tool_calls[0].id, content: "forty two" };
      const answer = await client.chat.completions.create({ model: "echo", tools, messages: [...ask().messages, called, result] });
      assert.equal(answer.choices[0].finish_reason, "stop");
      assert.ok(answer.choices[0].message.content.length > 0);
    });

    // What only the one dialect has, no conversion brings to the other.
    if (!converted) test("legacy completions answer", async () => {
      const answer = await client.completions.create({ model: "echo", prompt: "alpha beta" });
      assert.match(answer.choices[0].text, /alpha beta/);
    });

    if (!converted) test("embeddings come in batches, in the asked dimensions, as floats and as base64", async () => {
      const base64 = await client.embeddings.create({ model: "echo", input: ["one", "two"], dimensions: 32 });
      const floats = await client.embeddings.create({ model: "echo", input: ["one", "two"], dimensions: 32, encoding_format: "float" });
      assert.equal(base64.data.length, 2);
      assert.equal(base64.data[0].embedding.length, 32);
      base64.data[0].embedding.forEach((value, i) => assert.ok(Math.abs(value - floats.data[0].embedding[i]) < 1e-6));
    });

    test("models are listed and found", async () => {
      const ids = (await client.models.list()).data.map((model) => model.id);
      assert.ok(ids.includes("echo"));
      assert.equal((await client.models.retrieve("echo")).id, "echo");
    });

    test("errors have the class, type and code the SDK documents", async () => {
      await assert.rejects(client.chat.completions.create(ask({ model: "no-such-model" })), (error) => {
        assert.ok(error instanceof OpenAI.NotFoundError);
        assert.equal(error.code, "model_not_found");
        assert.equal(error.param, "model");
        assert.match(error.requestID, /^[0-9a-f-]{36}$/);
        return true;
      });
      const stranger = new OpenAI({ baseURL: gateway.baseURL, apiKey: "sk-not-a-key-of-this-gateway", maxRetries: 0 });
      await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
      await assert.rejects(client.chat.completions.create({ model: "echo" }), OpenAI.BadRequestError);
    });

    test("hanging up ends the call", async () => {
      const stream = await client.chat.completions.create(ask({ stream: true }));
      for await (const _ of stream) {
        stream.controller.abort();
        break;
      }
    });
  });
}
