using System.Collections.Frozen;
using System.Text.Json;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Dialects.ResponsesToOpenAi;

/// <summary>
/// Writes a request of Responses as a chat request. A member that changes what is answered and has no words there is refused; a hint that has
/// none is left out; a member that is not of Responses goes over as it is, for it can only be meant for the backend.
/// </summary>
internal sealed class ResponsesToChat(JsonElement root, Utf8JsonWriter json)
{
    private static readonly FrozenSet<string> _written = FrozenSet.Create(StringComparer.Ordinal,
        "model", "input", "instructions", "max_output_tokens", "stream", "stream_options", "tools", "tool_choice", "text", "reasoning", "include", "background", "metadata");

    // What the answer says does not hang on them: what is stored, and what a vendor's own tools may do.
    private static readonly FrozenSet<string> _hints = FrozenSet.Create(StringComparer.Ordinal, "store", "truncation", "service_tier", "max_tool_calls", "prompt_cache_retention");

    private static readonly FrozenSet<string> _inexpressible = FrozenSet.Create(StringComparer.Ordinal,
        "previous_response_id", "conversation", "prompt", "top_logprobs", "context_management",

        // Chat's own, by which a request would cost more than what was read of it says.
        "n", "best_of", "max_completion_tokens", "max_tokens", "n_predict", "num_predict", "functions",

        // They have a member of Responses' own, which would then be there twice.
        "messages", "response_format", "reasoning_effort", "verbosity", "logprobs");

    public void Write(Deployment deployment, string upstreamModel)
    {
        json.WriteStartObject();
        json.WriteString("model"u8, upstreamModel);
        foreach (var member in root.EnumerateObject())
        {
            if (_inexpressible.Contains(member.Name) && !IsNothing(member))
            {
                throw InexpressibleException.Of(member.Name, "cannot be said to this model's backend, which speaks chat completions. Leave it out, or use another model.");
            }

            if (!_written.Contains(member.Name) && !_hints.Contains(member.Name) && !_inexpressible.Contains(member.Name))
            {
                json.Copy(member);
            }
        }

        json.CopyIfAny(deployment.ReadsMaxCompletionTokens ? "max_completion_tokens"u8 : "max_tokens"u8, root.Get("max_output_tokens"u8));
        json.CopyIfAny("reasoning_effort"u8, root.Get("reasoning"u8)?.Get("effort"u8));
        Stream(deployment);
        Text();
        Include();
        new ResponseTools(root, json).Write();
        new ItemsToMessages(json).Write(root.Get("instructions"u8), root.Get("input"u8));
        json.WriteEndObject();
    }

    private static bool IsNothing(JsonProperty member) =>
        member.Value.IsNothing || (member.Name == "top_logprobs" && member.Value.ValueKind == JsonValueKind.Number && member.Value.TryGetInt32(out var most) && most == 0);

    private void Stream(Deployment deployment)
    {
        if (root.Get("stream"u8) is not { } stream)
        {
            return;
        }

        json.Copy("stream"u8, stream);
        if (stream.ValueKind != JsonValueKind.True || !deployment.StreamsUsage)
        {
            return;
        }

        json.WriteStartObject("stream_options"u8);
        json.WriteBoolean("include_usage"u8, true);
        if (deployment.ContinuousUsage)
        {
            json.WriteBoolean("continuous_usage_stats"u8, true);
        }

        json.WriteEndObject();
    }

    private void Text()
    {
        var text = root.Get("text"u8);
        json.CopyIfAny("verbosity"u8, text?.Get("verbosity"u8));
        if (text?.Get("format"u8) is not { } format || format.Says("type"u8, "text"u8))
        {
            return;
        }

        if (!format.Says("type"u8, "json_schema"u8))
        {
            json.Copy("response_format"u8, format);
            return;
        }

        json.WriteStartObject("response_format"u8);
        json.WriteString("type"u8, "json_schema"u8);
        json.WriteStartObject("json_schema"u8);
        json.CopyIfAny("name"u8, format.Get("name"u8));
        json.CopyIfAny("description"u8, format.Get("description"u8));
        json.CopyIfAny("strict"u8, format.Get("strict"u8));
        json.Copy("schema"u8, format.Get("schema"u8) ?? throw InexpressibleException.Malformed("text.format.schema", "must be a JSON Schema."));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>More of the answer than it has by itself; what the backend has none of is simply not there.</summary>
    private void Include()
    {
        foreach (var what in root.Get("include"u8) is { ValueKind: JsonValueKind.Array } include ? include.EnumerateArray() : default)
        {
            if (what.IsText && what.ValueEquals("message.output_text.logprobs"u8))
            {
                throw InexpressibleException.Of("include", "of 'message.output_text.logprobs' cannot be said to this model's backend. Leave it out, or use another model.");
            }
        }
    }
}
