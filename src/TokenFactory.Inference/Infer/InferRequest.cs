using System.Text.Json;
using Microsoft.AspNetCore.Http;
using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Schemas;

namespace TokenFactory.Inference.Infer;

/// <summary>A request of the sovereignty contract, as far as the gateway acts on it.</summary>
internal sealed record InferRequest
{
    private static readonly (string Member, string Header)[] _governance =
    [
        ("use_case_id", GatewayHeaders.UseCase), ("tier", GatewayHeaders.Tier), ("environment", GatewayHeaders.Environment),
        ("region_requirement", GatewayHeaders.Region), ("data_classification", GatewayHeaders.Classification), ("safety_profile_id", GatewayHeaders.SafetyProfile),
    ];

    private static readonly string[] _known =
    [
        "operation", "model", "prompt", "messages", "labels", "max_tokens", "temperature", "stream", "output_schema_id", "user_context", "controls_declared",
        .. _governance.Select(static field => field.Member),
    ];

    /// <summary><c>generate</c>, <c>embed</c>, <c>classify</c> or <c>moderate</c>.</summary>
    public required string Operation { get; init; }

    public required string Model { get; init; }

    /// <summary>A string, for <c>embed</c> also an array of them; null when there are messages.</summary>
    public JsonElement? Prompt { get; init; }

    public JsonElement? Messages { get; init; }

    public IReadOnlyList<string> Labels { get; init; } = [];

    public JsonElement? MaxTokens { get; init; }

    public JsonElement? Temperature { get; init; }

    public bool Stream { get; init; }

    public OutputSchema? Schema { get; init; }

    /// <summary>What it says of itself, by the header that says the same.</summary>
    public required IReadOnlyList<(string Member, string Header, string Value)> Governance { get; init; }

    public Operations Capability => Operation == "embed" ? Operations.Embeddings : Operations.Chat;

    /// <summary>Reads the body; throws what is to be told to the caller.</summary>
    /// <exception cref="InexpressibleException">It is not of the contract.</exception>
    public static InferRequest Read(JsonElement root, InferSettings settings)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new InexpressibleException(GatewayError.MalformedJson("it must be a JSON object."));
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in root.EnumerateObject())
        {
            if (!_known.Contains(member.Name))
            {
                throw InexpressibleException.Malformed(member.Name.Length > 64 ? member.Name[..64] : member.Name, "is no member of this contract. docs/api/infer.md lists them.");
            }

            if (!seen.Add(member.Name))
            {
                throw InexpressibleException.Malformed(member.Name, "is given more than once. Give it once.");
            }
        }

        var operation = Text(root, "operation") ?? "generate";
        if (operation is not ("generate" or "embed" or "classify" or "moderate"))
        {
            throw InexpressibleException.Malformed("operation", "must be generate, embed, classify or moderate.");
        }

        var request = new InferRequest
        {
            Operation = operation,
            Model = Text(root, "model") ?? settings.Models.GetValueOrDefault(operation)
                ?? throw InexpressibleException.Malformed("model", $"is missing, and the operator has set none for '{operation}'. GET /v1/models lists what there is."),
            Prompt = root.Get("prompt"u8),
            Messages = root.Get("messages"u8),
            Labels = LabelsOf(root, operation),
            MaxTokens = root.Get("max_tokens"u8),
            Temperature = root.Get("temperature"u8),
            Stream = root.Get("stream"u8) switch
            {
                null or { ValueKind: JsonValueKind.False } => false,
                { ValueKind: JsonValueKind.True } => true,
                _ => throw InexpressibleException.Malformed("stream", "must be true or false."),
            },
            Schema = SchemaOf(root, settings),
            Governance = [.. GovernanceOf(root)],
        };
        request.Require();
        return request;
    }

    /// <summary>Says on the request's headers what the body said; a header that says something else makes it contradictory.</summary>
    public GatewayError? Declare(IHeaderDictionary headers)
    {
        foreach (var (member, header, value) in Governance)
        {
            if (headers.TryGetValue(header, out var said) && said.Count > 0 && (said is not [{ } one] || one.Trim() != value.Trim()))
            {
                return GatewayError.ContradictoryGovernance(header, member);
            }

            if (value.Any(static character => char.IsControl(character) || character > 0x7e))
            {
                return GatewayError.InvalidValue(member, $"'{member}' must be printable ASCII.");
            }

            headers[header] = value;
        }

        return null;
    }

    private void Require()
    {
        if (Prompt is null == Messages is null)
        {
            throw InexpressibleException.Malformed("prompt", "or 'messages' must be given, and one of them alone.");
        }

        if (Prompt is { } prompt && !prompt.IsText && !(Operation == "embed" && prompt.ValueKind == JsonValueKind.Array))
        {
            throw InexpressibleException.Malformed("prompt", Operation == "embed" ? "must be a string or an array of strings." : "must be a string.");
        }

        if (Messages is not null && Operation != "generate")
        {
            throw InexpressibleException.Malformed("messages", $"are for generate: '{Operation}' takes a prompt.");
        }

        if (Stream && (Operation != "generate" || Schema is not null))
        {
            throw InexpressibleException.Malformed("stream", "is for generated text: what has to be checked as a whole cannot be sent in pieces.");
        }

        if (Schema is not null && Operation != "generate")
        {
            throw InexpressibleException.Malformed("output_schema_id", $"is for generate: '{Operation}' has a form of its own.");
        }
    }

    private static IEnumerable<(string Member, string Header, string Value)> GovernanceOf(JsonElement root)
    {
        foreach (var (member, header) in _governance)
        {
            if (Text(root, member) is { } value)
            {
                yield return (member, header, value);
            }
        }

        if (root.Get("user_context"u8) is { } user)
        {
            if (user.ValueKind != JsonValueKind.Object)
            {
                throw InexpressibleException.Malformed("user_context", "must be an object with 'id' and 'role'.");
            }

            if (Text(user, "role") is { } role)
            {
                yield return ("user_context.role", GatewayHeaders.UserRole, role);
            }
        }

        if (root.Get("controls_declared"u8) is { } controls && Controls(controls).ToArray() is { Length: > 0 } names)
        {
            if (names.Distinct(StringComparer.Ordinal).Count() < names.Length)
            {
                throw InexpressibleException.Malformed("controls_declared", "names a control more than once. Name it once.");
            }

            yield return ("controls_declared", GatewayHeaders.Controls, string.Join(',', names));
        }
    }

    /// <summary>A list of names, or an object of names that are true.</summary>
    private static IEnumerable<string> Controls(JsonElement controls) => controls.ValueKind switch
    {
        JsonValueKind.Array when controls.EnumerateArray().All(static one => one.IsText) => controls.EnumerateArray().Select(static one => one.GetString()!),
        JsonValueKind.Object when controls.EnumerateObject().All(static one => one.Value.ValueKind is JsonValueKind.True or JsonValueKind.False)
            && controls.EnumerateObject().Select(static one => one.Name).Distinct(StringComparer.Ordinal).Count() == controls.EnumerateObject().Count() =>
            controls.EnumerateObject().Where(static one => one.Value.ValueKind == JsonValueKind.True).Select(static one => one.Name),
        _ => throw InexpressibleException.Malformed("controls_declared", "must be an array of names, or an object of names that are true or false."),
    };

    private static List<string> LabelsOf(JsonElement root, string operation)
    {
        if (root.Get("labels"u8) is not { } labels)
        {
            return operation == "classify" ? throw InexpressibleException.Malformed("labels", "must name at least two labels to choose from.") : [];
        }

        if (operation is not ("classify" or "moderate") || labels.ValueKind != JsonValueKind.Array || labels.GetArrayLength() is < 1 or > 256
            || !labels.EnumerateArray().All(static one => one.IsText && one.GetString() is { Length: > 0 and <= 128 }))
        {
            throw InexpressibleException.Malformed("labels", "are for classify and moderate: 1 to 256 strings of 1 to 128 characters.");
        }

        var names = labels.EnumerateArray().Select(static one => one.GetString()!).Distinct(StringComparer.Ordinal).ToList();
        return operation == "classify" && names.Count < 2 ? throw InexpressibleException.Malformed("labels", "must name at least two labels to choose from.") : names;
    }

    private static OutputSchema? SchemaOf(JsonElement root, InferSettings settings) => Text(root, "output_schema_id") is not { } id ? null
        : settings.Schemas.GetValueOrDefault(id) ?? throw new InexpressibleException(GatewayError.UnknownSchema);

    private static string? Text(JsonElement holder, string name) => holder.Get(System.Text.Encoding.UTF8.GetBytes(name)) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        _ => throw InexpressibleException.Malformed(name, "must be a string."),
    };
}
