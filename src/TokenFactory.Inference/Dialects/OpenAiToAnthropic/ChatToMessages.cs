using System.Collections.Frozen;
using System.Text.Json;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Dialects.OpenAiToAnthropic;

/// <summary>
/// Writes a chat request as a Messages request. A member that changes what is answered and has no words there is refused; a hint that has
/// none is left out; a member that is not OpenAI's own goes over as it is, for it can only be meant for the backend.
/// </summary>
internal sealed class ChatToMessages(JsonElement root, Utf8JsonWriter json)
{
    /// <summary>Messages cannot do without a bound; this one holds where neither the caller nor the deployment's <c>max_output</c> sets one.</summary>
    public const long DefaultMaxTokens = 4096;

    private static readonly FrozenSet<string> _written = FrozenSet.Create(StringComparer.Ordinal,
        "model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "stream", "stream_options", "tools", "tool_choice",
        "parallel_tool_calls", "user", "safety_identifier", "response_format", "reasoning_effort");

    // What the answer says does not hang on them: storage, caching, speed, and a seed that is best effort where it is known.
    private static readonly FrozenSet<string> _hints = FrozenSet.Create(StringComparer.Ordinal,
        "metadata", "store", "service_tier", "seed", "prediction", "prompt_cache_key", "prompt_cache_retention", "verbosity");

    // They have a member of OpenAI's own, which would then be there twice.
    private static readonly FrozenSet<string> _doubles = FrozenSet.Create(StringComparer.Ordinal, "system", "stop_sequences", "output_config");

    // Anthropic's own, by which data would go where the policy has not judged.
    private static readonly FrozenSet<string> _elsewhere = FrozenSet.Create(StringComparer.Ordinal, "inference_geo", "mcp_servers", "container");

    public void Write(Deployment deployment, string upstreamModel)
    {
        json.WriteStartObject();
        json.WriteString("model"u8, upstreamModel);
        json.WriteNumber("max_tokens"u8, MaxTokens() ?? deployment.MaxOutput ?? DefaultMaxTokens);
        foreach (var member in root.EnumerateObject())
        {
            if (_written.Contains(member.Name) || _hints.Contains(member.Name))
            {
                continue;
            }

            if (_doubles.Contains(member.Name))
            {
                throw InexpressibleException.Of(member.Name, "has a member of its own in OpenAI's dialect. Use a system message, 'stop', 'response_format' or 'reasoning_effort'.");
            }

            if (_elsewhere.Contains(member.Name) && !member.Value.IsNothing)
            {
                throw InexpressibleException.Of(member.Name, "would send data to a place that the policy has not judged. Leave it out.");
            }

            if (!IsNeutral(member))
            {
                json.Copy(member);
            }
        }

        Sampling();
        Stop();
        json.CopyIfAny("stream"u8, root.Get("stream"u8));
        User();
        OutputConfig();
        new ChatTools(root, json).Write();
        new ChatTurns(json).Write(root.GetProperty("messages"u8));
        json.WriteEndObject();
    }

    /// <summary>Whether it is OpenAI's and says nothing here; throws when it says something that cannot be said there.</summary>
    private static bool IsNeutral(JsonProperty member)
    {
        var value = member.Value;
        bool? neutral = member.Name switch
        {
            "n" => value.IsNothing || (value.TryGetInt64(out var n) && n == 1),
            "logprobs" => value.ValueKind is JsonValueKind.Null or JsonValueKind.False,
            "top_logprobs" => value.IsNothing || IsZero(value),
            "presence_penalty" or "frequency_penalty" => value.IsNothing || IsZero(value),
            "logit_bias" => value.IsNothing || (value.ValueKind == JsonValueKind.Object && !value.EnumerateObject().MoveNext()),
            "functions" => value.IsNothing || (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0),
            "modalities" => value.IsNothing || (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(one => one.IsText && one.ValueEquals("text"u8))),
            "audio" or "function_call" or "web_search_options" or "moderation" => value.IsNothing,
            _ => null,
        };
        return neutral switch
        {
            null => false,
            true => true,
            false => throw InexpressibleException.Of(member.Name, member.Name is "functions" or "function_call"
                ? "cannot be said to this model's backend. Use 'tools' and 'tool_choice' instead."
                : "cannot be said to this model's backend, which speaks Anthropic's Messages. Leave it out, or use another model."),
        };
    }

    private static bool IsZero(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number == 0;

    private long? MaxTokens() => (root.Get("max_completion_tokens"u8) ?? root.Get("max_tokens"u8))?.GetInt64();

    private void Sampling()
    {
        // OpenAI's scale ends at 2, Anthropic's at 1.
        if (root.Get("temperature"u8) is { } temperature)
        {
            if (temperature.ValueKind == JsonValueKind.Number && temperature.TryGetDouble(out var degrees) && degrees > 1)
            {
                json.WriteNumber("temperature"u8, 1);
            }
            else
            {
                json.Copy("temperature"u8, temperature);
            }
        }

        json.CopyIfAny("top_p"u8, root.Get("top_p"u8));
    }

    private void Stop()
    {
        if (root.Get("stop"u8) is not { } stop)
        {
            return;
        }

        if (stop.ValueKind == JsonValueKind.Array)
        {
            json.Copy("stop_sequences"u8, stop);
            return;
        }

        json.WriteStartArray("stop_sequences"u8);
        json.Copy(stop);
        json.WriteEndArray();
    }

    private void User()
    {
        if ((root.Get("safety_identifier"u8) ?? root.Get("user"u8)) is { ValueKind: JsonValueKind.String } user)
        {
            json.WriteStartObject("metadata"u8);
            json.Copy("user_id"u8, user);
            json.WriteEndObject();
        }
    }

    private void OutputConfig()
    {
        var effort = root.Text("reasoning_effort"u8);
        effort = effort == "minimal" ? "low" : effort == "none" ? null : effort;
        var format = Schema();
        if (effort is null && format is null)
        {
            return;
        }

        json.WriteStartObject("output_config"u8);
        if (effort is not null)
        {
            json.WriteString("effort"u8, effort);
        }

        if (format is { } schema)
        {
            json.WriteStartObject("format"u8);
            json.WriteString("type"u8, "json_schema"u8);
            json.Copy("schema"u8, schema);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private JsonElement? Schema()
    {
        if (root.Get("response_format"u8) is not { } format || format.Says("type"u8, "text"u8))
        {
            return null;
        }

        if (!format.Says("type"u8, "json_schema"u8))
        {
            throw InexpressibleException.Of("response_format", "of this type cannot be said to this model's backend. Use type 'json_schema' with a schema.");
        }

        // Anthropic holds to a schema strictly or not at all, and not to every schema: who need not be held to it is not.
        if (format.Get("json_schema"u8)?.Get("strict"u8) is { ValueKind: JsonValueKind.False })
        {
            return null;
        }

        return format.Get("json_schema"u8)?.Get("schema"u8)
            ?? throw InexpressibleException.Malformed("response_format.json_schema.schema", "must be a JSON Schema.");
    }
}
