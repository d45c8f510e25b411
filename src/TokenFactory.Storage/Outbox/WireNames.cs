using System.Text.Json;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Outbox;

/// <summary>The names events carry where the tables carry numbers.</summary>
internal static class WireNames
{
    private static readonly JsonEncodedText[] _outcomes = Names<Outcome>();
    private static readonly JsonEncodedText[] _evidences = Names<Evidence>();

    public static JsonEncodedText Of(Outcome outcome) => _outcomes[(int)outcome];

    public static JsonEncodedText Of(Evidence evidence) => _evidences[(int)evidence];

    private static JsonEncodedText[] Names<T>()
        where T : struct, Enum =>
        [.. Enum.GetNames<T>().Select(name => JsonEncodedText.Encode(JsonNamingPolicy.SnakeCaseLower.ConvertName(name)))];
}
