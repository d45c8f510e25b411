namespace TokenFactory.Storage.Ledger;

/// <summary>What a settlement's token counts rest on. The numbers are stored; the names (snake case) are in the usage event.</summary>
public enum Evidence
{
    /// <summary>The backend's own count.</summary>
    Reported = 0,

    /// <summary>Our tokenizer over what was delivered.</summary>
    Counted = 1,

    /// <summary>A bound or a last checkpoint, where neither count could be had.</summary>
    Estimated = 2,

    /// <summary>Known to have cost nothing: the request never reached a backend, or the backend refused it.</summary>
    KnownZero = 3,
}
