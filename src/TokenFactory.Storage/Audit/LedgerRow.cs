using TokenFactory.Storage.Journal;

namespace TokenFactory.Storage.Audit;

/// <summary>What the ledger has of a settled request.</summary>
/// <param name="Facts">As <see cref="FactNames"/> names them, in that order.</param>
internal sealed record LedgerRow(Standing Standing, IReadOnlyList<string?> Facts)
{
    public static IReadOnlyList<string> FactNames { get; } = ["tenant", "project", "key_id", "model", "deployment", "provider", "region", "price_id"];
}
