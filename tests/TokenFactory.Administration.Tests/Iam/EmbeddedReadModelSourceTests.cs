using Microsoft.EntityFrameworkCore;

namespace TokenFactory.Administration.Tests.Iam;

public sealed class EmbeddedReadModelSourceTests
{
    private const string Acme = """
        tenants:
          - name: acme
            limits: { requests_per_minute: 7 }
            projects: [ { name: search } ]
            keys: [ { name: dev, project: search, secret: env:DEV } ]
        """;

    private const string Dev = "an-opaque-key-of-some-length";

    [Fact]
    public async Task A_key_made_and_revoked_by_another_process_is_in_force_within_the_poll()
    {
        await using var serving = await Installation.NewAsync();
        await using var commands = serving.Beside();
        await serving.Source.StartAsync(default);

        var key = await commands.MintAsync();
        Assert.True(await Installation.SoonAsync(() => serving.Find(key) is { Key.IsRevoked: false }), "made");

        await commands.Iam.RevokeAsync(key.Id, default);
        Assert.True(await Installation.SoonAsync(() => serving.Find(key)!.Key.IsRevoked), "revoked, and still there to say so");
        await serving.Source.StopAsync(default);
    }

    [Fact]
    public async Task A_change_of_this_process_does_not_wait_for_the_poll()
    {
        await using var serving = await Installation.NewWithoutTimersAsync();
        await serving.Source.StartAsync(default);
        var before = serving.Snapshot.Version;

        var key = await serving.MintAsync();

        Assert.True(await Installation.SoonAsync(() => serving.Find(key) is not null));
        Assert.True(serving.Snapshot.Version > before);
        await serving.Source.StopAsync(default);
    }

    [Fact]
    public async Task The_snapshots_version_rises_with_every_change_and_stands_still_without_one()
    {
        await using var installation = await Installation.NewAsync();
        await installation.Source.RefreshAsync(default);
        var versions = new List<long> { installation.Snapshot.Version };
        for (var i = 0; i < 3; i++)
        {
            await installation.MintAsync();
            await installation.Source.RefreshAsync(default);
            versions.Add(installation.Snapshot.Version);
        }

        Assert.Equal(versions.Order().Distinct(), versions);
        var standing = installation.Snapshot;
        await installation.Source.RefreshAsync(default);
        Assert.Same(standing, installation.Snapshot);
    }

    [Fact]
    public async Task P4_what_cannot_be_read_is_not_confirmed_and_goes_stale()
    {
        await using var installation = await Installation.NewAsync("iam: { max_staleness: 2s }");
        await installation.Source.StartAsync(default);
        var key = await installation.MintAsync();
        Assert.True(await Installation.SoonAsync(() => installation.Find(key) is not null));
        await using (var context = await installation.OpenAsync())
        {
            await context.Database.ExecuteSqlRawAsync("ALTER TABLE read_model_version RENAME TO gone");
        }

        await Task.Delay(TimeSpan.FromSeconds(1));
        Assert.True(installation.Store.IsFresh, "the last good one serves out its bound");
        await Task.Delay(TimeSpan.FromSeconds(2));
        Assert.False(installation.Store.IsFresh);
        Assert.NotNull(installation.Find(key));
        Assert.Contains("cannot be read", installation.Said.Text, StringComparison.Ordinal);
        await installation.Source.StopAsync(default);
    }

    [Fact]
    public async Task P4_keys_of_a_tenant_the_file_dropped_are_refused_and_not_unbounded()
    {
        await using var installation = await Installation.NewAsync(Acme, ("DEV", Dev));
        var key = await installation.MintAsync("acme", "search");
        await installation.Source.RefreshAsync(default);
        Assert.Equal(7, installation.Find(key)!.Key.Tenant.Limits.RequestsPerMinute);

        await File.WriteAllTextAsync(installation.File, Acme.Replace("acme", "globex", StringComparison.Ordinal));
        installation.Watcher.Look();
        await installation.Source.RefreshAsync(default);

        Assert.True(installation.Find(key)!.Key.IsRevoked);
        Assert.False(installation.Snapshot.Tenants.ContainsKey("acme"));
        Assert.Contains("no tenant acme any more", installation.Said.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_row_closes_its_own_key_and_no_other()
    {
        await using var installation = await Installation.NewAsync();
        var damaged = await installation.MintAsync();
        var sound = await installation.MintAsync();
        await using (var context = await installation.OpenAsync())
        {
            (await context.ApiKeys.SingleAsync(row => row.Id == damaged.Id)).Models = "a*b";
            await context.SaveIamChangesAsync();
        }

        await installation.Source.RefreshAsync(default);

        Assert.True(installation.Find(damaged)!.Key.IsRevoked);
        Assert.False(installation.Find(sound)!.Key.IsRevoked);
    }

    [Fact]
    public async Task A_key_of_the_file_given_by_reference_is_recognised()
    {
        await using var installation = await Installation.NewAsync(Acme, ("DEV", Dev));
        await installation.Source.RefreshAsync(default);

        Assert.Equal("dev", installation.Find(Dev)!.Key.Name);
        Assert.Null(installation.Find(Dev + "x"));
    }

    [Fact]
    public async Task A_changed_file_is_swapped_whole_and_a_bad_one_keeps_the_last_good_one_and_says_so()
    {
        await using var installation = await Installation.NewAsync(Acme, ("DEV", Dev));
        await installation.Source.RefreshAsync(default);
        Assert.False(installation.Watcher.Look());
        var good = installation.State.Revision;

        await File.WriteAllTextAsync(installation.File, "tenants: [ { nam: acme }, { name: 'a b' } ]");
        Assert.True(installation.Watcher.Look());
        Assert.False(installation.Watcher.Look());
        await installation.Source.RefreshAsync(default);
        Assert.Equal(good, installation.Snapshot.Revision);
        Assert.Equal(3, installation.State.Mistakes.Count);
        Assert.All(installation.State.Mistakes, mistake => Assert.Contains(mistake.ToString(), installation.Said.Text, StringComparison.Ordinal));

        await File.WriteAllTextAsync(installation.File, Acme.Replace(": 7", ": 8", StringComparison.Ordinal));
        Assert.True(installation.Watcher.Look());
        await installation.Source.RefreshAsync(default);
        Assert.NotEqual(good, installation.Snapshot.Revision);
        Assert.Empty(installation.State.Mistakes);
        Assert.Equal(8, installation.Find(Dev)!.Key.Tenant.Limits.RequestsPerMinute);
    }

    [Fact]
    public async Task P8_nothing_that_is_logged_holds_a_key()
    {
        await using var installation = await Installation.NewAsync(Acme, ("DEV", Dev));
        var key = await installation.MintAsync("acme", "search");
        await installation.Iam.RotateAsync(key.Id, TimeSpan.FromMinutes(1), default);
        await installation.Source.RefreshAsync(default);

        Assert.Contains("Read model version", installation.Said.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(Dev, installation.Said.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("tfk_", installation.Said.Text, StringComparison.Ordinal);
    }
}
