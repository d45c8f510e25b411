using System.Globalization;
using System.Text.Json;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.Audit;

/// <summary>
/// Walks every chain from its first record to its end and compares each record with its hash, its columns and the ledger's row of the
/// same request. Finds what was edited, removed, added or moved, at its place. Gateways may write meanwhile.
/// </summary>
public sealed class AuditVerifier
{
    public const int MostFindings = 1000;

    private readonly AuditTrail _trail;

    internal AuditVerifier(AuditTrail trail) => _trail = trail;

    /// <param name="known">Ends of chains as they were told earlier, by a manifest for example: what was kept then must be there still.</param>
    /// <param name="progress">Told how many records were looked at, now and then.</param>
    public async Task<AuditReport> VerifyAsync(IReadOnlyList<AuditChainEnd> known, IProgress<long>? progress, CancellationToken cancel)
    {
        var run = new Run(progress);
        var ends = (await _trail.ChainsAsync(cancel)).ToDictionary(end => end.Chain);
        var chains = ends.Keys.Union(await _trail.EndlessChainsAsync(cancel)).Order().ToArray();
        foreach (var chain in chains)
        {
            await WalkAsync(run, chain, ends.GetValueOrDefault(chain), cancel);
        }

        foreach (var end in known)
        {
            if (end.Sequence > 0 && await _trail.HashAtAsync(end.Chain, end.Sequence, cancel) is var hash && !end.Hash.AsSpan().SequenceEqual(hash))
            {
                run.Found(end.Chain, end.Sequence, null, hash is null ? "the chain was told to reach here, and does not" : "the chain was told to have another record here");
            }
        }

        // From when the trail began, and not from its first request: that may be an orphan of before it, closed after it.
        if (run.FirstRecordedAt is { } began)
        {
            await foreach (var request in _trail.UnrecordedAsync(began, cancel))
            {
                run.Found(null, null, request, "the request was settled and has no record");
            }
        }

        return new AuditReport(chains.Length, run.Records, run.Findings, run.IsCut);
    }

    /// <summary>Whether a record's hash is that of its body after the record before it.</summary>
    /// <param name="previous">The hash before it; for the first record of a chain that of the chain's id.</param>
    public static bool IsHashOf(Guid chain, long sequence, ReadOnlySpan<byte> previous, ReadOnlySpan<byte> body, ReadOnlySpan<byte> hash) =>
        (sequence != 1 || previous.SequenceEqual(AuditChain.Beginning(chain))) && AuditChain.Next(previous, sequence, body).AsSpan().SequenceEqual(hash);

    private async Task WalkAsync(Run run, Guid chain, AuditChainEnd? end, CancellationToken cancel)
    {
        var (sequence, hash) = (0L, AuditChain.Beginning(chain));
        await foreach (var (record, ledger) in _trail.WalkAsync(chain, cancel))
        {
            run.Looked(record);
            if (record.Sequence != sequence + 1)
            {
                run.Found(chain, record.Sequence, record.Id, record.Sequence <= sequence
                    ? "its place is taken twice"
                    : string.Create(CultureInfo.InvariantCulture, $"{record.Sequence - sequence - 1} records before it are gone"));
            }
            else if (!AuditChain.Next(hash, record.Sequence, record.Body).AsSpan().SequenceEqual(record.Hash))
            {
                run.Found(chain, record.Sequence, record.Id, "its hash is not that of its body and of the record before it: one of the two was changed");
            }

            else if (!hash.AsSpan().SequenceEqual(record.Previous))
            {
                run.Found(chain, record.Sequence, record.Id, "the hash it says it follows is not that of the record before it");
            }

            if (await DisagreementAsync(record, ledger, cancel) is { } what)
            {
                run.Found(chain, record.Sequence, record.Id, what);
            }

            if (record.Sequence == end?.Sequence && !end.Hash.AsSpan().SequenceEqual(record.Hash))
            {
                run.Found(chain, record.Sequence, record.Id, "the chain's end has another hash than this record");
            }

            // What stands there is what the next one is said to follow: a change is found at its own place and not at all the later ones.
            (sequence, hash) = (record.Sequence, record.Hash);
        }

        // A gateway may be at work: the end that was read before must have been reached, and the one that is read now not passed.
        var now = await _trail.EndOfAsync(chain, cancel);
        if (now is null)
        {
            run.Found(chain, sequence, null, "the store does not say where this chain ends");
        }
        else if (end is not null && end.Sequence > sequence)
        {
            run.Found(chain, end.Sequence, null, string.Create(CultureInfo.InvariantCulture, $"{end.Sequence - sequence} records at its end are gone"));
        }
        else if (now.Sequence < sequence)
        {
            run.Found(chain, now.Sequence, null, string.Create(CultureInfo.InvariantCulture, $"the chain ends here, and {sequence - now.Sequence} records follow"));
        }
    }

    /// <summary>What a record's columns, or the ledger, say other than its body, which the hash covers.</summary>
    private async Task<string?> DisagreementAsync(AuditRecord record, LedgerRow? ledger, CancellationToken cancel)
    {
        try
        {
            using var document = JsonDocument.Parse(record.Body);
            var (root, data) = (document.RootElement, document.RootElement.GetProperty("data"));
            var columns = (root.GetProperty("id").GetGuid(), root.GetProperty("kind").GetString(), data.GetProperty("tenant").GetString(), data.GetProperty("project").GetString());
            if (columns != (record.Id, record.Kind, record.Tenant, record.Project) || root.GetProperty("at").GetDateTimeOffset().ToUnixTimeMilliseconds() != record.RecordedAt.ToUnixTimeMilliseconds())
            {
                return "its columns are not what its body says";
            }

            return record.Kind switch
            {
                AuditKind.Request when ledger is null => "the ledger has no settlement of it",
                AuditKind.Request => IsSame(data, ledger) ? null : "the ledger's settlement is not what its body says",
                AuditKind.Adjustment => await _trail.AdjustmentOfAsync(data.GetProperty("adjusts").GetGuid(), cancel) == (TokensOf(data), data.GetProperty("cost_nano_usd").GetInt64())
                    ? null
                    : "the ledger's adjustment is not what its body says",
                _ => null,
            };
        }
        catch (Exception unreadable) when (unreadable is JsonException or KeyNotFoundException or FormatException or InvalidOperationException)
        {
            return "its body is not a record";
        }
    }

    private static bool IsSame(JsonElement data, LedgerRow ledger)
    {
        var standing = ledger.Standing;
        return Enum.IsDefined(standing.Outcome) && Enum.IsDefined(standing.Evidence)
            && data.GetProperty("outcome").GetString() == WireNames.Of(standing.Outcome).Value
            && data.GetProperty("evidence").GetString() == WireNames.Of(standing.Evidence).Value
            && TokensOf(data) == standing.Tokens
            && data.GetProperty("cost_nano_usd").GetInt64() == standing.CostNanoUsd
            && LedgerRow.FactNames.Select(name => data.GetProperty(name).GetString()).SequenceEqual(ledger.Facts);
    }

    private static TokenUsage TokensOf(JsonElement data)
    {
        var tokens = data.GetProperty("tokens");
        return new TokenUsage(
            tokens.GetProperty("input_uncached").GetInt64(), tokens.GetProperty("cache_read").GetInt64(), tokens.GetProperty("cache_write").GetInt64(),
            tokens.GetProperty("output").GetInt64(), tokens.GetProperty("reasoning").GetInt64());
    }

    private sealed class Run(IProgress<long>? progress)
    {
        private const long TellEvery = 10_000;

        private readonly List<AuditFinding> _findings = [];

        public long Records { get; private set; }

        public bool IsCut { get; private set; }

        public IReadOnlyList<AuditFinding> Findings => _findings;

        public DateTimeOffset? FirstRecordedAt { get; private set; }

        public void Looked(AuditRecord record)
        {
            Records++;
            if (!(FirstRecordedAt <= record.RecordedAt))
            {
                FirstRecordedAt = record.RecordedAt;
            }

            if (Records % TellEvery == 0)
            {
                progress?.Report(Records);
            }
        }

        public void Found(Guid? chain, long? sequence, Guid? record, string what)
        {
            if (_findings.Count < MostFindings)
            {
                _findings.Add(new AuditFinding(chain, sequence, record, what));
            }
            else
            {
                IsCut = true;
            }
        }
    }
}
