using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Sqlite.Writer;

/// <summary>The days' usage. A batch's settlements are added up first: one row is written for all of a kind, just before the commit.</summary>
internal sealed class UsageDayRows(RawConnection connection) : IDisposable
{
    private readonly RawStatement _add = connection.Prepare(
        """
        INSERT INTO usage_days (tenant, day, group_id, project, department, user_id, key_id, model, outcome,
          requests, input_uncached, cache_read, cache_write, output, reasoning, cost_nano_usd)
        VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
        ON CONFLICT (tenant, day, group_id) DO UPDATE SET requests = requests + excluded.requests, input_uncached = input_uncached + excluded.input_uncached,
          cache_read = cache_read + excluded.cache_read, cache_write = cache_write + excluded.cache_write, output = output + excluded.output,
          reasoning = reasoning + excluded.reasoning, cost_nano_usd = cost_nano_usd + excluded.cost_nano_usd
        """,
        kept: true);

    private readonly Dictionary<Group, Sum> _batch = [];

    public void Add(Settlement row) => Add(row.Admission, row.Outcome, requests: 1, row.Tokens, row.CostNanoUsd);

    /// <summary>The request is counted already.</summary>
    public void Add(Adjustment row) => Add(row.Known.Admission, row.Stood, requests: 0, row.Tokens, row.CostNanoUsd);

    /// <summary>Inside the batch's transaction.</summary>
    public void Write()
    {
        foreach (var (group, sum) in _batch)
        {
            _add.Row()
                .Bind(group.Tenant).Bind((long)group.Day.DayNumber)
                .Bind(GroupId(group.Project, group.Department, group.User, group.KeyId, group.Model, group.Outcome))
                .Bind(group.Project).Bind(group.Department).Bind(group.User).Bind(group.KeyId).Bind(group.Model).Bind((long)group.Outcome).Bind(sum.Requests).Bind(sum.Tokens).Bind(sum.CostNanoUsd)
                .Run();
        }

        _batch.Clear();
    }

    /// <summary>What was added since the last write did not happen.</summary>
    public void Forget() => _batch.Clear();

    public void Dispose() => _add.Dispose();

    /// <summary>Short, whatever the names' lengths, and the same every time.</summary>
    public static Guid GroupId(string project, string? department, string? user, string keyId, string model, Outcome outcome)
    {
        var names = JsonSerializer.SerializeToUtf8Bytes((string?[])[project, department, user, keyId, model, outcome.ToString()]);
        return new Guid(SHA256.HashData(names).AsSpan(0, 16), bigEndian: true);
    }

    private void Add(Admission admission, Outcome outcome, int requests, in TokenUsage tokens, long cost)
    {
        var day = DateOnly.FromDateTime(admission.AcceptedAt.UtcDateTime);
        var group = new Group(admission.Tenant, day, admission.Project, admission.Department, admission.User, admission.KeyId, admission.Model, outcome);
        ref var sum = ref CollectionsMarshal.GetValueRefOrAddDefault(_batch, group, out _);
        sum = new Sum(
            sum.Requests + requests,
            new TokenUsage(
                sum.Tokens.InputUncached + tokens.InputUncached, sum.Tokens.CacheRead + tokens.CacheRead, sum.Tokens.CacheWrite + tokens.CacheWrite,
                sum.Tokens.Output + tokens.Output, sum.Tokens.Reasoning + tokens.Reasoning),
            sum.CostNanoUsd + cost);
    }

    private readonly record struct Sum(long Requests, TokenUsage Tokens, long CostNanoUsd);

    private readonly record struct Group(
        string Tenant, DateOnly Day, string Project, string? Department, string? User, string KeyId, string Model, Outcome Outcome);
}
