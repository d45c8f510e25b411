namespace TokenFactory.Gateway.EndToEnd.Faults.Matrix;

/// <summary>The figures of one round.</summary>
internal sealed record Tally
{
    public required int Calls { get; init; }

    public required int Whole { get; init; }

    public required int Refused { get; init; }

    public required int HungUp { get; init; }

    /// <summary>Neither served whole, nor refused, nor hung up on: told of an error in-band, or the connection broke.</summary>
    public required int Broken { get; init; }

    public required int Admitted { get; init; }

    public required int Settled { get; init; }

    public required int Orphaned { get; init; }

    public required int Adjusted { get; init; }

    public required int Relayed { get; init; }

    public required int DeadLetters { get; init; }

    public required int Lost { get; init; }

    public required int Doubled { get; init; }

    /// <summary>Tokens over the tight budget.</summary>
    public required long OverAdmitted { get; init; }

    public override string ToString() =>
        $"{Calls} calls: {Whole} whole, {Refused} refused, {HungUp} hung up on, {Broken} broken; {Admitted} admitted, {Settled} settled, {Orphaned} orphans, " +
        $"{Adjusted} adjusted, {Relayed} relayed, {DeadLetters} dead letters; {Lost} lost, {Doubled} doubled, {OverAdmitted} over-admitted";
}
