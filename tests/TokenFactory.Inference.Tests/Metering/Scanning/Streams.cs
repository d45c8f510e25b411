using System.Text;

namespace TokenFactory.Inference.Tests.Metering.Scanning;

/// <summary>Streams as real servers write them, with all they do differently.</summary>
public static class Streams
{
    private const string Head = """{"id":"chatcmpl-7","object":"chat.completion.chunk","created":1717171717,"model":"m" """;

    private const string UsageChunk =
        Head + ""","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":1}}}""";

    public static readonly IReadOnlyDictionary<string, string> All = new Dictionary<string, string>
    {
        ["OpenAI"] = Events(
            Delta("""{"role":"assistant","content":"","refusal":null}""", "null", ""","usage":null,"obfuscation":"aB3" """),
            Delta("""{"content":"Hel"}""", "null", ""","usage":null,"obfuscation":"" """),
            Delta("""{"content":"lo \"usage\" \\ \u00e9\ud83d\ude00\n"}""", "null", ""","usage":null,"obfuscation":"xyz7" """),
            Delta("""{"content":" welt 世界"}""", "null", ""","usage":null,"obfuscation":"k" """),
            Delta("{}", "\"stop\"", ""","usage":null,"obfuscation":"qq" """),
            UsageChunk, "[DONE]"),
        ["OpenAI, usage null first and in the middle"] = Events(
            """{"usage":null,"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}""",
            """{"usage":null,"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":null}]}""",
            """{"id":"x", "usage": null , "choices":[{"index":0,"delta":{"content":"c"},"finish_reason": "length"}]}""",
            """{"id":"x" , "usage": {"prompt_tokens": 1.0, "completion_tokens": 3}}""", "[DONE]"),
        ["vLLM"] = Events(
            Delta("""{"role":"assistant","content":""}""", "null", ""), Delta("""{"reasoning":"hm","reasoning_content":"hm"}""", "null", ""),
            Delta("""{"content":"one"}""", "null", ""), Delta("""{"content":" two"}""", "\"stop\"", ""","prompt_token_ids":null"""), UsageChunk, "[DONE]"),
        ["vLLM, continuous usage"] = Events(
            Delta("""{"role":"assistant","content":""}""", "null", ""","usage":{"prompt_tokens":9,"total_tokens":9,"completion_tokens":0}"""),
            Delta("""{"content":"a"}""", "null", ""","usage":{"prompt_tokens":9,"total_tokens":10,"completion_tokens":1}"""),
            Delta("""{"content":"b"}""", "\"length\"", ""","usage":{"prompt_tokens":9,"total_tokens":11,"completion_tokens":2}"""),
            UsageChunk, "[DONE]"),
        ["SGLang"] = Events(
            Delta("""{"role":"assistant","content":null,"reasoning_content":"so"}""", "null", ""),
            Delta("""{"content":"yes"}""", "\"stop\"", ""","usage":null"""),
            Head + ""","choices":[],"sglext":{"routed_experts":"x"}}""",
            Head + ""","choices":[],"usage":{"prompt_tokens":5,"total_tokens":9,"completion_tokens":4,"prompt_tokens_details":null,"reasoning_tokens":2}}""", "[DONE]"),
        ["SGLang, error"] = Events(Delta("""{"content":"a"}""", "null", ""), """{"object":"error","message":"out of memory","type":"BadRequestError","param":null,"code":400}""", "[DONE]"),
        ["vLLM, error"] = Events(Delta("""{"content":"a"}""", "null", ""), """{"error":{"object":"error","message":"gone","type":"InternalServerError","param":null,"code":500}}""", "[DONE]"),
        ["TGI, error"] = Events("""{"object":"text_completion","id":"","choices":[{"index":0,"text":"a","finish_reason":"eos_token"}]}""", """{"error":"Request failed","error_type":"generation"}"""),
        ["Error by name"] = Events(Delta("""{"content":"a"}""", "null", "")) + "event: error\ndata: boom\n\n" + Events("[DONE]"),
        ["Error as a bare line"] = Events(Delta("""{"content":"a"}""", "null", "")) + """{"error":{"message":"proxy gave up"}}""" + "\n\n",
        ["OpenRouter, error beside choices"] = Events(Delta("""{"content":""}""", "\"error\"", ""","error":{"code":502,"message":"bad gateway"}""")),
        ["Error null is no error"] = Events(Delta("""{"content":"error"}""", "\"stop\"", ""","error":null"""), "[DONE]"),
        ["llama.cpp"] = Events(
            """{"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}],"created":1,"id":"c","model":"m","system_fingerprint":"b1","object":"chat.completion.chunk"}""",
            """{"choices":[{"finish_reason":null,"index":0,"delta":{"content":"hi"}}],"created":1,"id":"c","model":"m","system_fingerprint":"b1","object":"chat.completion.chunk"}""",
            """{"choices":[{"finish_reason":"stop","index":0,"delta":{}}],"created":1,"id":"c","model":"m","system_fingerprint":"b1","object":"chat.completion.chunk"}""",
            """{"choices":[],"created":1,"id":"c","model":"m","system_fingerprint":"b1","object":"chat.completion.chunk","usage":{"completion_tokens":2,"prompt_tokens":7,"total_tokens":9,"prompt_tokens_details":{"cached_tokens":0}},"timings":{"prompt_n":7,"predicted_per_second":51.5}}""", "[DONE]"),
        ["Ollama, legacy zero usage"] = Events(
            """{"id":"cmpl-1","object":"text_completion","created":1,"choices":[{"text":"a","index":0,"finish_reason":null}],"model":"m","system_fingerprint":"fp_ollama","usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}""",
            """{"id":"cmpl-1","object":"text_completion","created":1,"choices":[{"text":"","index":0,"finish_reason":"stop"}],"model":"m","system_fingerprint":"fp_ollama","usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}""", "[DONE]"),
        ["Azure"] = Events(
            """{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false}}}]}""",
            Delta("""{"content":"a"}""", "null", ""","usage":null"""), Delta("{}", "\"content_filter\"", ""","usage":null"""),
            """{"choices":[],"prompt_filter_results":[{"prompt_index":0}],"usage":{"prompt_tokens":3,"completion_tokens":1}}""", "[DONE]"),
        ["Tool calls"] = Events(
            Delta("""{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"get","arguments":""}}]}""", "null", ""),
            Delta("""{"tool_calls":[{"index":0,"function":{"arguments":"{\"q\":"}}]}""", "null", ""),
            Delta("""{"tool_calls":[{"index":0,"function":{"arguments":"\"usage\"}"}},{"index":1,"function":{"arguments":"}"}}]}""", "null", ""),
            Delta("{}", "\"tool_calls\"", ""), UsageChunk, "[DONE]"),
        ["Two choices"] = Events(
            Choice(0, "Hel"), Choice(1, "Bon"), Choice(0, "lo"), Choice(1, "jour"), Choice(0, " you"), Choice(1, " toi"),
            """{"choices":[{"delta":{"content":"x"},"finish_reason":"stop","index":1},{"delta":{"content":"y"},"finish_reason":null,"index":0}]}""",
            Head + ""","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""", UsageChunk, "[DONE]"),
        ["CRLF and comments"] = (": hello\n\n" + Events(Delta("""{"content":"a"}""", "null", ""), Delta("""{"content":"b"}""", "\"stop\"", ""), UsageChunk)
            + ": keep-alive\n\nid: 7\nretry: 10\n\n" + Events("[DONE]") + ": after\n\n").Replace("\n", "\r\n", StringComparison.Ordinal),
        ["Lone CR"] = Events(Delta("""{"content":"a"}""", "null", ""), Delta("""{"content":"b"}""", "\"stop\"", ""), UsageChunk, "[DONE]").Replace("\n", "\r", StringComparison.Ordinal),
        ["Byte order mark, named fields, no space"] = "\uFEFFevent: message\nid: 1\ndata:" + Delta("""{"content":"a"}""", "\"stop\"", ""","usage":null""") + "\n\ndata:" + UsageChunk + "\n\n\n\ndata:[DONE]\n\n",
        ["Data of several lines"] = "data: {\"usage\":null,\ndata:  \"choices\":[\ndata: {\"index\":0,\"delta\":{\"content\":\"ab\"},\"finish_reason\":\"stop\"}]\ndata: }\n\n"
            + "data: {\"choices\":[{\"delta\":{\"content\":\"z\"}}]\ndata: ,\"usage\":\ndata: {\"prompt_tokens\":1}\ndata\ndata: }\n\n" + Events("[DONE]"),
        ["Content parts"] = Events(Delta("""{"content":[{"type":"text","text":"pa"},{"type":"text","text":"rt"}]}""", "\"stop\"", ""), "[DONE]"),
        ["Escaped keys"] = Events("""{"ch\u006fices":[{"delta":{"content":"a"},"finish_reas\u006fn":"stop"}],"us\u0061ge":{"prompt_tokens":1,"completion_tokens":1}}""", "[DONE]"),
        ["No terminator, no last line end"] = Events(Delta("""{"content":"a"}""", "null", "")) + "data: " + Delta("""{"content":"b"}""", "\"stop\"", ""","usage":null"""),
        ["Cut inside an event"] = Events(Delta("""{"content":"a"}""", "null", "")) + "data: " + Head + "\"choices\":[{\"ind",
        ["Terminator without line end"] = Events(Delta("""{"content":"a"}""", "\"stop\"", "")) + "data: [DONE]",
        ["Not JSON"] = Events("hello", "{\"choices\":[}", "null", "[1]", "\"usage\"", Delta("""{"content":"a"}""", "\"stop\"", ""), "[DONE]"),
    };

    public static byte[] Bytes(string name) => Encoding.UTF8.GetBytes(All[name]);

    public static string Delta(string delta, string finish, string more) =>
        $$"""{{Head}},"choices":[{"index":0,"delta":{{delta}},"logprobs":null,"finish_reason":{{finish}}}]{{more}} }""";

    public static string Choice(int index, string text) =>
        $$"""{{Head}},"choices":[{"index":{{index}},"delta":{"content":"{{text}}"},"finish_reason":null}]}""";

    public static string Events(params string[] data) => string.Concat(data.Select(one => $"data: {one}\n\n"));

    public static string UpToTheTerminator(string stream)
    {
        var found = stream.IndexOf("[DONE]", StringComparison.Ordinal);
        var end = found < 0 ? stream.Length : found + "[DONE]".Length;
        while (end < stream.Length && stream[end] is '\r' or '\n')
        {
            end++;
        }

        return stream[..end];
    }
}
