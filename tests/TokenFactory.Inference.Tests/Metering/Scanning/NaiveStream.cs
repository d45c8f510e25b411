using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace TokenFactory.Inference.Tests.Metering.Scanning;

/// <summary>The slow and obvious way to read a stream: lines, then a DOM per event. What the scanner must agree with.</summary>
internal sealed class NaiveStream
{
    private static readonly string[] _frame =
        ["id", "object", "created", "model", "choices", "usage", "system_fingerprint", "service_tier", "obfuscation", "timings"];

    private static readonly string[] _zeroable = ["prompt_tokens", "completion_tokens", "total_tokens"];

    private readonly HashSet<int> _finished = [];

    public List<string> Passed { get; } = [];

    public JsonObject? Usage { get; private set; }

    public int Finished => _finished.Count;

    public bool Failed { get; private set; }

    public bool Done { get; private set; }

    public StringBuilder Text { get; } = new();

    public bool ZeroUsageBesideText => Text.Length > 0 && Usage is not null && IsZero(Usage);

    public static NaiveStream Read(string stream, bool strip)
    {
        var naive = new NaiveStream();
        foreach (var (name, data) in Dispatch(stream))
        {
            if (naive.Done || naive.Failed)
            {
                break;
            }

            naive.Take(name, data, strip);
        }

        return naive;
    }

    /// <summary>Events as a client dispatches them, each as comparable text: JSON normalised, the rest as it is.</summary>
    public static IEnumerable<(string Name, string Data)> Dispatch(string stream)
    {
        var (name, data) = ("", new List<string>());
        var lines = stream.TrimStart('\uFEFF').ReplaceLineEndings("\n").Split('\n');
        foreach (var line in lines.Append(""))
        {
            if (line.Length == 0)
            {
                if (data.Count > 0)
                {
                    yield return (name, string.Join('\n', data));
                }

                (name, data) = ("", []);
            }
            else if (line[0] == '{' && line.Contains("\"error\"", StringComparison.Ordinal))
            {
                yield return ("error", line);
            }
            else if (line.Split(':', 2) is var field && field[0] is "data" or "event")
            {
                var value = field.Length < 2 ? "" : field[1].StartsWith(' ') ? field[1][1..] : field[1];
                name = field[0] == "event" ? value : name;
                if (field[0] == "data")
                {
                    data.Add(value);
                }
            }
        }
    }

    public static string Normal(string data) => Parse(data)?.ToJsonString() ?? data;

    private void Take(string name, string data, bool strip)
    {
        if (data.StartsWith("[DONE]", StringComparison.Ordinal))
        {
            Done = true;
            return;
        }

        var json = Parse(data) as JsonObject;
        if (name == "error" || IsError(json))
        {
            Failed = true;
            return;
        }

        if (json is null)
        {
            Passed.Add(Normal(data));
            return;
        }

        Choices(json);
        if (json["usage"] is JsonObject { Count: > 0 } usage && (Usage is null || !IsZero(usage)))
        {
            Usage = usage;
        }

        var extra = json["usage"] is JsonObject && (json["choices"] as JsonArray ?? []).Count == 0
            && json.All(member => _frame.Contains(member.Key) || member.Value is null);
        if (strip && extra)
        {
            return;
        }

        if (strip)
        {
            json.Remove("usage");
        }

        Passed.Add(json.ToJsonString());
    }

    private void Choices(JsonObject json)
    {
        foreach (var (choice, at) in (json["choices"] as JsonArray ?? []).Select((one, at) => (one, at)))
        {
            if (choice?["finish_reason"]?.GetValue<string>() is { Length: > 0 })
            {
                _finished.Add(choice["index"]?.GetValue<int>() ?? at);
            }

            Text.Append(choice?["text"]?.GetValue<string>());
            var delta = choice?["delta"];
            Text.Append(delta?["content"] is JsonArray parts
                ? string.Concat(parts.Select(part => part!["text"]!.GetValue<string>()))
                : delta?["content"]?.GetValue<string>());
            Text.Append((delta?["reasoning_content"] ?? delta?["reasoning"])?.GetValue<string>());
            Text.Append(delta?["refusal"]?.GetValue<string>());
            foreach (var call in delta?["tool_calls"] as JsonArray ?? [])
            {
                Text.Append(call?["function"]?["name"]?.GetValue<string>()).Append(call?["function"]?["arguments"]?.GetValue<string>());
            }
        }
    }

    private static bool IsZero(JsonObject usage) =>
        _zeroable.All(name => usage[name] is null || usage[name]!.GetValue<double>() == 0);

    private static bool IsError(JsonObject? json) => json is not null
        && (json["error"] is JsonObject || json["error"] is JsonValue value && value.GetValueKind() == JsonValueKind.String
            || json["object"]?.GetValue<string>() == "error");

    private static JsonNode? Parse(string data)
    {
        try
        {
            return JsonNode.Parse(data);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
