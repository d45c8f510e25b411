using Microsoft.Extensions.DependencyInjection;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Registry;
using TokenFactory.TestKit.Contracts;
using Xunit;

namespace TokenFactory.Storage.Tests.Registry;

/// <summary>What every store keeps of what is registered: whole, with its history, and never two changes that did not know of each other.</summary>
public abstract class RegistryTablesContract : IAsyncLifetime
{
    private StoreUnderTest _store = null!;

    private RegistryTables Tables => _store.Services.GetRequiredService<RegistryTables>();

    private protected abstract Task<StoreUnderTest> OpenAsync();

    public async ValueTask InitializeAsync() => _store = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task What_is_registered_is_read_back_as_it_was_written_and_its_history_keeps_what_it_was()
    {
        Assert.Equal(RegistryContent.Empty.Revision, (await Tables.ReadIfThereAsync(default)).Revision);

        await ApplyAsync(new RegistryEdit(RegistryKind.Provider, "gpu", """{"name":"gpu"}"""), new RegistryEdit(RegistryKind.Deployment, "gpu", """{"name":"gpu","é":1}"""));
        await ApplyAsync(new RegistryEdit(RegistryKind.Deployment, "gpu", """{"name":"gpu","é":2}"""));
        await ApplyAsync(new RegistryEdit(RegistryKind.Provider, "gpu", null));

        var content = await Tables.ReadAsync(default);
        Assert.Equal(3, content.Revision);
        Assert.Equal(3, await Tables.RevisionAsync(default));
        Assert.Null(content.FeedVersion);
        var left = Assert.Single(content.Documents);
        Assert.Equal((RegistryKind.Deployment, "gpu", """{"name":"gpu","é":2}""", 2L, RegistryOrigin.Operator), (left.Kind, left.Name, left.Body, left.Revision, left.Origin));
        var history = await Tables.HistoryAsync(RegistryKind.Provider, "gpu", 10, default);
        Assert.Equal([(3L, null), (1L, """{"name":"gpu"}""")], history.Select(one => (one.Revision.Revision, one.Change.Body)));
        Assert.All(history, one => Assert.Equal("somebody", one.Revision.ChangedBy));
    }

    [Fact]
    public async Task Of_two_changes_decided_on_the_same_revision_one_is_written_and_the_other_changes_nothing()
    {
        var known = await Tables.ReadAsync(default);
        var tries = Enumerable.Range(0, 8).Select(async number =>
        {
            try
            {
                await Tables.ApplyAsync(known, RegistryOrigin.Operator, [new RegistryEdit(RegistryKind.Model, $"m{number}", "{}")], "somebody", null, default);
                return 1;
            }
            catch (RegistryConflictException)
            {
                return 0;
            }
        });

        Assert.Equal(1, (await Task.WhenAll(tries)).Sum());
        var content = await Tables.ReadAsync(default);
        Assert.Equal(1, content.Revision);
        Assert.Single(content.Documents);
    }

    [Fact]
    public async Task The_control_planes_version_outlives_an_operators_change()
    {
        await Tables.ApplyAsync(
            await Tables.ReadAsync(default), RegistryOrigin.ControlPlane, [new RegistryEdit(RegistryKind.Model, "theirs", "{}")], "control.example.com", 41, default);
        await ApplyAsync(new RegistryEdit(RegistryKind.Model, "ours", "{}"));

        var content = await Tables.ReadAsync(default);

        Assert.Equal(41, content.FeedVersion);
        Assert.Equal([("ours", RegistryOrigin.Operator), ("theirs", RegistryOrigin.ControlPlane)], content.Documents.Select(one => (one.Name, one.Origin)));
    }

    [Fact]
    public async Task An_orphan_is_told_with_the_site_it_ran_at()
    {
        const string Site = """{"zone":"eu-west-1a","ownership":"own"}""";
        var admission = SomeRequest.Admission(_store.InstanceId);
        admission = admission with { Placement = admission.Placement with { Site = Site } };
        await _store.Journal.AdmitAsync(admission);

        var open = await _store.Services.GetRequiredService<IOpenAdmissions>().PageAsync(_store.InstanceId, null, 10, default);

        Assert.Equal(Site, Assert.Single(open).Admission.Placement.Site);
    }

    private async Task ApplyAsync(params RegistryEdit[] edits) =>
        await Tables.ApplyAsync(await Tables.ReadAsync(default), RegistryOrigin.Operator, edits, "somebody", null, default);
}
