// The unmodified npm openai client's newer endpoints: Responses of the built-in model, and of backends that only chat, in OpenAI's dialect
// and in Anthropic's; and moderations, which only whoever names them serves.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import OpenAI from "openai";
import { startGateway } from "./gateway.mjs";

const ask = (more = {}) => ({ model: "echo", input: "alpha beta gamma", ...more });
const tools = [{ type: "function", name: "lookup", parameters: { type: "object", properties: {} }, strict: false }];

let alone;

before(async () => {
  alone = await startGateway();
});
after(() => alone?.stop());

for (const where of ["the built-in model", "an upstream", "an Anthropic-kind upstream"]) {
  const keeps = where === "the built-in model";

  describe(where, () => {
    let gateway, client;

    before(async () => {
      gateway = keeps ? alone : await startGateway(alone, where === "an upstream" ? "openai" : "anthropic");
      client = new OpenAI({ baseURL: gateway.baseURL, apiKey: gateway.key, maxRetries: 0 });
    });
    after(() => (gateway === alone ? undefined : gateway?.stop()));

    test("a response has text, usage and a request id", async () => {
      const answer = await client.responses.create(ask({ instructions: "be brief" }));
      assert.match(answer.output_text, /alpha beta gamma/);
      assert.equal(answer.status, "completed");
      assert.ok(answer.usage.input_tokens > 0 && answer.usage.output_tokens > 0);
      assert.match(answer._request_id, /^[0-9a-f-]{36}$/);
    });

    test("a response streams, numbered, and ends with all of it", async () => {
      let text = "", last, number = 0;
      for await (const event of await client.responses.create(ask({ stream: true }))) {
        assert.equal(event.sequence_number, number++);
        if (event.type === "response.output_text.delta") text += event.delta;
        last = event;
      }
      assert.equal(last.type, "response.completed");
      assert.match(text, /alpha beta gamma/);
      assert.equal(last.response.output[0].content[0].text, text);
      assert.ok(last.response.usage.output_tokens > 0);
    });

    test("the client's own helper follows the stream", async () => {
      const stream = client.responses.stream(ask());
      const deltas = [];
      stream.on("response.output_text.delta", (event) => deltas.push(event.delta));
      const final = await stream.finalResponse();
      assert.equal(final.output_text, deltas.join(""));
    });

    test("max_output_tokens makes it incomplete", async () => {
      const answer = await client.responses.create(ask({ max_output_tokens: 1 }));
      assert.equal(answer.status, "incomplete");
      assert.equal(answer.incomplete_details.reason, "max_output_tokens");
    });

    test("tools are called, streamed and not, and their results understood", async () => {
      const answer = await client.responses.create(ask({ tools, tool_choice: "required" }));
      const call = answer.output.find((item) => item.type === "function_call");
      assert.equal(call.name, "lookup");
      const final = await client.responses.stream(ask({ tools, tool_choice: "required" })).finalResponse();
      assert.equal(typeof JSON.parse(final.output.find((item) => item.type === "function_call").arguments), "object");
      const second = await client.responses.create({
        model: "echo",
        tools,
        input: [{ role: "user", content: "alpha" }, ...answer.output, { type: "function_call_output", call_id: call.call_id, output: "forty two" }],
      });
      assert.equal(second.status, "completed");
      assert.ok(second.output_text.length > 0);
    });

    test("a conversation goes on where it is kept, and is refused where nobody keeps it", async () => {
      const first = await client.responses.create(ask());
      const next = client.responses.create(ask({ previous_response_id: first.id }));
      if (keeps) assert.equal((await next).previous_response_id, first.id);
      else await assert.rejects(next, OpenAI.BadRequestError);
      if (keeps) await assert.rejects(client.responses.create(ask({ previous_response_id: `${first.id}A` })), OpenAI.NotFoundError);
    });

    test("a response that nobody kept is not there to be shown, listed or deleted", async () => {
      const { id } = await client.responses.create(ask());
      const isGone = (error) => error instanceof OpenAI.NotFoundError && error.code === "response_not_found";
      await assert.rejects(client.responses.retrieve(id), isGone);
      await assert.rejects(client.responses.inputItems.list(id), isGone);
      await assert.rejects(client.responses.delete(id), isGone);
    });

    test("what cannot be metered is refused by name", async () => {
      await assert.rejects(client.responses.create(ask({ background: true })), (error) => {
        assert.ok(error instanceof OpenAI.BadRequestError);
        assert.equal(error.code, "unsupported_parameter");
        assert.equal(error.param, "background");
        return true;
      });
    });

    test(keeps ? "moderations judge" : "moderations are asked of nobody who does not name them", async () => {
      const judged = client.moderations.create({ model: "echo", input: ["this is violence", "hello"] });
      if (keeps) assert.deepEqual((await judged).results.map((result) => result.flagged), [true, false]);
      else await assert.rejects(judged, OpenAI.NotFoundError);
    });
  });
}
