using System.Collections.Frozen;

namespace TokenFactory.Inference.ReadModel;

/// <summary>The closed list of what a key may do. <c>inference:*</c> and <c>admin:*</c> grant their whole family.</summary>
public static class Scopes
{
    public const string Chat = "inference:chat";
    public const string Completions = "inference:completions";
    public const string Embeddings = "inference:embeddings";
    public const string Moderations = "inference:moderations";
    public const string ModelsRead = "models:read";
    public const string UsageRead = "usage:read";

    /// <summary>What became of the project's requests, those that run included.</summary>
    public const string RequestsRead = "requests:read";

    /// <summary>Stopping the project's running requests, those of its other keys included, so no key has it unless it is named.</summary>
    public const string RequestsCancel = "requests:cancel";

    /// <summary>Names deployments and what was excluded, which other callers are not told, so no key has it unless it is named.</summary>
    public const string AuditRead = "audit:read";

    public static FrozenSet<string> Known { get; } =
        FrozenSet.Create(StringComparer.Ordinal, Chat, Completions, Embeddings, Moderations, ModelsRead, UsageRead, RequestsRead, RequestsCancel, AuditRead, "inference:*", "admin:*");

    /// <summary>What a key gets when none is named: everything an application does, nothing an administrator does.</summary>
    public static IReadOnlyList<string> Default { get; } = [Chat, Completions, Embeddings, ModelsRead, UsageRead, RequestsRead];

    /// <summary>What a key needs to ask for an operation, in whichever dialect.</summary>
    public static string Of(Operations operation) => operation switch
    {
        Operations.Chat => Chat,
        Operations.Completions => Completions,
        Operations.Embeddings => Embeddings,
        Operations.Moderations => Moderations,
        Operations.Responses => Chat,
        _ => throw new ArgumentOutOfRangeException(nameof(operation), operation, "one operation"),
    };

    /// <summary>
    /// <c>inference:chat</c> also grants the legacy completions, which are the same capability in an older dialect, and moderations: whoever may
    /// have a model answer a text may have it judged first.
    /// </summary>
    public static bool Grants(IReadOnlySet<string> held, string wanted) =>
        held.Contains(wanted)
        || (wanted is Completions or Moderations && held.Contains(Chat))
        || held.Contains(string.Concat(wanted.AsSpan(0, wanted.IndexOf(':') + 1), "*"));
}
