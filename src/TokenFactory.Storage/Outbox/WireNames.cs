using System.Text.Json;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Outbox;

/// <summary>The names events carry where the tables carry numbers.</summary>
internal static class WireNames
{
    private static readonly JsonEncodedText[] Outcomes = Names<Outcome>();
    private static readonly JsonEncodedText[] Evidences = Names<Evidence>();

    public static JsonEncodedText Of(Outcome outcome) => Outcomes[(int)outcome];

    public static JsonEncodedText Of(Evidence evidence) => Evidences[(int)evidence];

    private static JsonEncodedText[] Names<T>()
        where T : struct, Enum =>
        [.. Enum.GetNames<T>().Select(name => JsonEncodedText.Encode(JsonNamingPolicy.SnakeCaseLower.ConvertName(name)))];
}
