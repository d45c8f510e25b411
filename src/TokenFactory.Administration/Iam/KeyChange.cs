namespace TokenFactory.Administration.Iam;

/// <summary>What became of a change: done (with the secret, if it made one), or refused for a reason that says what to do.</summary>
public sealed record KeyChange
{
    private KeyChange()
    {
    }

    /// <summary>To be shown once; null when the change made no secret.</summary>
    public MintedKey? Minted { get; private init; }

    public string? Refusal { get; private init; }

    public static KeyChange Done(MintedKey? minted = null) => new() { Minted = minted };

    public static KeyChange Refused(string reason) => new() { Refusal = reason };
}
