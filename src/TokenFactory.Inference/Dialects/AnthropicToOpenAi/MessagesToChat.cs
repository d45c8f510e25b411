using System.Collections.Frozen;
using System.Text.Json;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Dialects.AnthropicToOpenAi;

/// <summary>
/// Writes a Messages request as a chat request. A member that changes what is answered and has no words there is refused; a hint that has
/// none is left out; a member that is not Anthropic's own goes over as it is, for it can only be meant for the backend.
/// </summary>
internal sealed class MessagesToChat(JsonElement root, Utf8JsonWriter json)
{
    private static readonly FrozenSet<string> _written = FrozenSet.Create(StringComparer.Ordinal,
        "model", "messages", "max_tokens", "system", "stop_sequences", "stream", "tools", "tool_choice", "metadata", "output_config", "stream_options");

    // What the answer says does not hang on them: caching, speed, and how much a model that thinks may think.
    private static readonly FrozenSet<string> _hints = FrozenSet.Create(StringComparer.Ordinal, "cache_control", "service_tier", "speed", "thinking", "diagnostics");

    private static readonly FrozenSet<string> _inexpressible = FrozenSet.Create(StringComparer.Ordinal,
        "container", "mcp_servers", "context_management", "inference_geo", "user_profile_id", "workspace_id",

        // OpenAI's own, by which a request would cost more than what was read of it says.
        "n", "best_of", "max_completion_tokens", "n_predict", "num_predict", "functions", "prompt", "input",

        // They have a member of Anthropic's own, which would then be there twice.
        "stop", "response_format", "reasoning_effort", "user", "parallel_tool_calls");

    public void Write(Deployment deployment, string upstreamModel)
    {
        json.WriteStartObject();
        json.WriteString("model"u8, upstreamModel);
        foreach (var member in root.EnumerateObject())
        {
            if (_inexpressible.Contains(member.Name) && !member.Value.IsNothing)
            {
                throw InexpressibleException.Of(member.Name, "cannot be said to this model's backend, which speaks OpenAI's dialect. Leave it out, or use another model.");
            }

            // A sampling of Anthropic's own that many servers of OpenAI's dialect have too; OpenAI itself has not.
            if (member.Name == "top_k" && deployment.ReadsMaxCompletionTokens)
            {
                continue;
            }

            if (!_written.Contains(member.Name) && !_hints.Contains(member.Name) && !_inexpressible.Contains(member.Name))
            {
                json.Copy(member);
            }
        }

        json.CopyIfAny(deployment.ReadsMaxCompletionTokens ? "max_completion_tokens"u8 : "max_tokens"u8, root.Get("max_tokens"u8));
        json.CopyIfAny("stop"u8, root.Get("stop_sequences"u8));
        json.CopyIfAny("user"u8, root.Get("metadata"u8)?.Get("user_id"u8));
        Stream(deployment);
        OutputConfig();
        new MessageTools(root, json).Write();
        new MessageTurns(json).Write(root.Get("system"u8), root.GetProperty("messages"u8));
        json.WriteEndObject();
    }

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

    private void OutputConfig()
    {
        if (root.Get("output_config"u8) is not { } config)
        {
            return;
        }

        if (config.Says("effort"u8, "max"u8))
        {
            json.WriteString("reasoning_effort"u8, "high"u8);
        }
        else
        {
            json.CopyIfAny("reasoning_effort"u8, config.Get("effort"u8));
        }

        if (config.Get("format"u8) is not { } format)
        {
            return;
        }

        json.WriteStartObject("response_format"u8);
        json.WriteString("type"u8, "json_schema"u8);
        json.WriteStartObject("json_schema"u8);
        json.WriteString("name"u8, "output"u8);
        json.Copy("schema"u8, format.Get("schema"u8) ?? throw InexpressibleException.Malformed("output_config.format.schema", "must be a JSON Schema."));
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
