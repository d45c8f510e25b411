namespace TokenFactory.Gateway.EndToEnd.Faults.Matrix;

/// <summary>What a fault may cost by what is written of it, and nothing else may.</summary>
internal sealed class Allowances
{
    private readonly List<(long From, long To)> _forgotten = [];

    /// <summary>A gateway was killed: who talked with it saw a broken connection.</summary>
    public bool BreaksConnections { get; set; }

    /// <summary>A key was revoked: its callers are refused with 401.</summary>
    public bool RefusesKey { get; set; }

    /// <summary>A gateway died with reservations that nobody else can settle: they stand at their hold.</summary>
    public bool LeavesHolds { get; set; }

    /// <summary>Redis lost what it knew: what was under way then is not in its new counters.</summary>
    public bool LimitsForget => _forgotten.Count > 0;

    public void Forgot(long from, long to) => _forgotten.Add((from, to));

    public bool MayStayHeld(Guid reservation) => LeavesHolds;

    /// <summary>Under way at some time between the loss and the end of it; a gateway may settle what was hung up on a while after.</summary>
    public bool WasForgotten(Sent sent) =>
        _forgotten.Exists(lost => sent.At <= lost.To && sent.EndedAt + (sent.Call.HungUp ? 5 * System.Diagnostics.Stopwatch.Frequency : 0) >= lost.From);
}
