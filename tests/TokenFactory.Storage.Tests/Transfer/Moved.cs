using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using TokenFactory.Storage.Iam;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Registry;
using TokenFactory.Storage.Transfer;
using TokenFactory.TestKit.Contracts;

namespace TokenFactory.Storage.Tests.Transfer;

/// <summary>Moves stores under test, and fills the first of them with one of everything, through the real journal.</summary>
internal static class Moved
{
    public static readonly IReadOnlyDictionary<string, string> NoPeppers = new Dictionary<string, string>();

    public static StorageTransfer Transfer(this StoreUnderTest store) => store.Services.GetRequiredService<StorageTransfer>();

    public static async Task<(byte[] File, IReadOnlyList<TransferredTable> Tables)> ExportAsync(this IServiceProvider services)
    {
        using var file = new MemoryStream();
        var tables = await services.GetRequiredService<StorageTransfer>().ExportAsync(file, "1.0.0", NoPeppers, static _ => { });
        return (file.ToArray(), tables);
    }

    public static async Task<IReadOnlyList<TransferredTable>> ImportAsync(this IServiceProvider services, byte[] file)
    {
        using var stream = new MemoryStream(file);
        return await services.GetRequiredService<StorageTransfer>().ImportAsync(stream, static _ => null, static _ => { });
    }

    /// <summary>
    /// Settlements of every outcome over two months, failed attempts, odd texts; an orphan that was adjusted later; running streams with and
    /// without a checkpoint; a sink in the middle, one at its end with dead letters, one that never moved; keys.
    /// </summary>
    public static async Task FillAsync(StoreUnderTest store)
    {
        var now = TimeProvider.System.GetUtcNow();
        foreach (var outcome in Enum.GetValues<Outcome>())
        {
            for (var month = 0; month < 2; month++)
            {
                var accepted = now.AddDays(-31 * month).AddTicks(7);
                await store.Journal.SettleOnceAsync(Settled(store.InstanceId, outcome, accepted));
            }
        }

        await AdjustOrphanAsync(store);
        for (var stream = 0; stream < 3; stream++)
        {
            var open = SomeRequest.Admission(store.InstanceId);
            await store.Journal.AdmitAsync(open);
            if (stream > 0)
            {
                store.Journal.Note(new Checkpoint(open.RequestId, open.Placement, Evidence.Counted, new TokenUsage(stream, 0, 0, 7, 0)));
            }
        }

        // The checkpoints are durable once something after them is.
        await store.SettleAsync(1);
        await store.UntilRelayableAsync();
        await RelayAsync(store.Outbox, "half", 5);
        await RelayAsync(store.Outbox, "whole", int.MaxValue, parkEvery: 4);
        await store.Letters.ReplayAsync("whole", (await store.Letters.ListAsync("whole", 1))[0].EventId);
        await AddKeysAsync(store);
        await RegisterAsync(store);
    }

    /// <returns>What the sink was given.</returns>
    public static async Task<IReadOnlyList<OutboxMessage>> RelayAsync(IOutbox outbox, string sink, int limit, int parkEvery = int.MaxValue)
    {
        var batch = await outbox.ReadAsync(sink, limit, default);
        for (var index = 0; index < batch.Messages.Count; index++)
        {
            if (index % parkEvery == parkEvery - 1)
            {
                await outbox.ParkAsync(sink, batch.Messages[index], 3, "422 \"no\"\n\u0001");
            }
            else
            {
                await outbox.AdvanceAsync(sink, batch.Messages[index]);
            }
        }

        return batch.Messages;
    }

    private static Settlement Settled(Guid instance, Outcome outcome, DateTimeOffset accepted)
    {
        var admission = SomeRequest.Admission(instance, acceptedAt: accepted) with
        {
            User = outcome == Outcome.Completed ? null : "Zoë \"\\\t\u007f 漢 😀",
            Department = outcome == Outcome.Failed ? "" : null,
            PolicyDecisionId = null,
        };
        return SomeRequest.Settlement(admission, output: (long)int.MaxValue + (int)outcome) with
        {
            Outcome = outcome,
            Evidence = (Evidence)((int)outcome % 4),
            Error = outcome == Outcome.Completed ? null : "backend_error",
            TimeToFirstToken = outcome == Outcome.Failed ? null : TimeSpan.FromMicroseconds(1),
            Attempts =
            [
                new Attempt(1, "llama-us", "gpu-us", null, null, "connect_timeout", accepted, TimeSpan.FromSeconds(1)),
                new Attempt(2, "llama-eu", "gpu-eu", "eu-west-1", 200, null, accepted, TimeSpan.FromMilliseconds(2)),
            ],
        };
    }

    /// <summary>Settled by who knew nothing, then by the one who did: the outbox has the difference as an event of its own.</summary>
    private static async Task AdjustOrphanAsync(StoreUnderTest store)
    {
        var admission = SomeRequest.Admission(store.InstanceId);
        await store.Journal.AdmitAsync(admission);
        await store.Journal.SettleOnceAsync(SomeRequest.Settlement(admission) with { Outcome = Outcome.Orphaned, Tokens = new TokenUsage(1, 0, 0, 0, 0) });
        await store.Journal.SettleOnceAsync(SomeRequest.Settlement(admission));
    }

    private static async Task AddKeysAsync(StoreUnderTest store)
    {
        await using var context = await store.Services.GetRequiredService<IDbContextFactory<GatewayDbContext>>().CreateDbContextAsync();
        context.Tenants.Add(new Tenant { Name = "acme", Tier = "standard", FromFile = true, CreatedAt = DateTimeOffset.UnixEpoch });
        context.Tenants.Add(new Tenant { Name = "Zeta", CreatedAt = DateTimeOffset.UnixEpoch });
        context.Projects.Add(new Project { Tenant = "acme", Name = "search", CreatedAt = DateTimeOffset.UnixEpoch });
        var key = new ApiKey { Id = "k3f9aaaa", Tenant = "acme", Project = "search", Name = "ci", Scopes = "inference:chat", User = "ada", RequestsPerMinute = 60 };
        for (byte secret = 0; secret < 2; secret++)
        {
            key.Secrets.Add(new ApiKeySecret { Id = Ids.New(TimeProvider.System), KeyId = key.Id, PepperVersion = "v1", Digest = [.. Enumerable.Repeat(secret, 32)], ExpiresAt = secret == 0 ? DateTimeOffset.UnixEpoch : null });
        }

        context.ApiKeys.Add(key);
        await context.SaveIamChangesAsync();
        await context.SaveIamChangesAsync();
    }

    private static async Task RegisterAsync(StoreUnderTest store)
    {
        var registry = store.Services.GetRequiredService<RegistryTables>();
        await registry.ApplyAsync(
            await registry.ReadAsync(default), RegistryOrigin.ControlPlane, [new RegistryEdit(RegistryKind.Provider, "gpu", """{"name":"gpu","note":"é"}""")], "control", 41, default);
        await registry.ApplyAsync(
            await registry.ReadAsync(default), RegistryOrigin.Operator,
            [new RegistryEdit(RegistryKind.Model, "Zeta", "{}"), new RegistryEdit(RegistryKind.Model, "acme-*", "{}"), new RegistryEdit(RegistryKind.Tier, "gone", null)], "ann", null, default);
    }
}
