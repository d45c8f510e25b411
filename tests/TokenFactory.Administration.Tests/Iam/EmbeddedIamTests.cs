using Microsoft.EntityFrameworkCore;
using TokenFactory.Administration.Iam;

namespace TokenFactory.Administration.Tests.Iam;

public sealed class EmbeddedIamTests
{
    private const string Acme = """
        tenants:
          - name: acme
            region: eu
            projects: [ { name: search, models: [gpt-*] }, { name: ads } ]
            users: [ { name: ada } ]
        """;

    [Fact]
    public async Task Rotation_adds_a_secret_and_ends_the_older_one_after_the_overlap()
    {
        await using var installation = await Installation.NewAsync();
        var first = await installation.MintAsync();

        var second = (await installation.Iam.RotateAsync(first.Id, TimeSpan.FromHours(1), default)).Minted!;
        await installation.Source.RefreshAsync(default);

        Assert.Equal(first.Id, second.Id);
        Assert.NotEqual(first.Key.Reveal(), second.Key.Reveal());
        Assert.InRange(installation.Find(first)!.ExpiresAt!.Value - DateTimeOffset.UtcNow, TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(61));
        Assert.Null(installation.Find(second)!.ExpiresAt);
        Assert.Same(installation.Find(first)!.Key, installation.Find(second)!.Key);
    }

    [Fact]
    public async Task However_often_a_key_is_rotated_two_secrets_are_live_at_most()
    {
        await using var installation = await Installation.NewAsync();
        var first = await installation.MintAsync();
        for (var i = 0; i < 4; i++)
        {
            await installation.Iam.RotateAsync(first.Id, TimeSpan.FromHours(1), default);
        }

        Assert.Equal(2, Assert.Single(await installation.Iam.ListAsync("default", null, default)).LiveSecrets);
        await installation.Source.RefreshAsync(default);
        Assert.True(installation.Find(first)!.ExpiresAt <= DateTimeOffset.UtcNow);
    }

    [Fact]
    public async Task Rotation_never_lengthens_the_life_of_an_older_secret()
    {
        await using var installation = await Installation.NewAsync();
        var first = await installation.MintAsync();
        await installation.Iam.RotateAsync(first.Id, TimeSpan.FromMinutes(1), default);
        await installation.Iam.RotateAsync(first.Id, TimeSpan.FromDays(30), default);

        await installation.Source.RefreshAsync(default);
        Assert.True(installation.Find(first)!.ExpiresAt <= DateTimeOffset.UtcNow + TimeSpan.FromMinutes(1));
    }

    [Theory]
    [InlineData("globex", "search", null, "there is no tenant named 'globex'; known: acme")]
    [InlineData("acme", "serch", null, "there is no project of tenant acme named 'serch'; known: ads, search; did you mean 'search'?")]
    [InlineData("acme", "search", "bob", "there is no user of tenant acme named 'bob'; known: ada")]
    public async Task A_key_for_something_unknown_is_refused_naming_the_known(string tenant, string project, string? user, string says)
    {
        await using var installation = await Installation.NewAsync(Acme);

        var change = await installation.Iam.CreateAsync(new NewKey { Tenant = tenant, Project = project, Name = "k", User = user }, default);

        Assert.Null(change.Minted);
        Assert.Equal(says, change.Refusal);
    }

    [Fact]
    public async Task All_that_is_wrong_with_a_new_key_is_told_at_once()
    {
        await using var installation = await Installation.NewAsync();
        var ask = new NewKey
        {
            Tenant = "default",
            Project = "default",
            Name = "a b",
            Scopes = ["inference:caht"],
            Models = ["a*b"],
            RequestsPerMinute = 0,
        };

        var refusal = (await installation.Iam.CreateAsync(ask, default)).Refusal!;

        Assert.Contains("name:", refusal, StringComparison.Ordinal);
        Assert.Contains("did you mean 'inference:chat'?", refusal, StringComparison.Ordinal);
        Assert.Contains("'a*b' is no model pattern", refusal, StringComparison.Ordinal);
        Assert.Contains("limits are 1 or more", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_id_and_a_key_of_the_file_are_refused_with_the_way_out()
    {
        await using var installation = await Installation.NewAsync(
            Acme + "\n    keys: [ { name: dev, id: abcdefgh, project: search, secret: env:DEV } ]", ("DEV", "an-opaque-key-of-some-length"));

        Assert.Contains("keys list", (await installation.Iam.RevokeAsync("zzzzzzzz", default)).Refusal, StringComparison.Ordinal);
        Assert.Contains("change it there", (await installation.Iam.RotateAsync("abcdefgh", TimeSpan.Zero, default)).Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task P8_the_tables_hold_digests_under_a_pepper_only_its_owner_can_read()
    {
        await using var installation = await Installation.NewAsync();
        var minted = await installation.MintAsync();

        await using var context = await installation.OpenAsync();
        var secret = await context.ApiKeySecrets.SingleAsync();
        var pepper = await File.ReadAllBytesAsync(Path.Combine(installation.Directory, "pepper"));
        Assert.Equal(System.Security.Cryptography.HMACSHA256.HashData(pepper, System.Text.Encoding.ASCII.GetBytes(minted.Key.Reveal())), secret.Digest);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(installation.Directory, "pepper")));
        }
    }

    [Fact]
    public async Task The_first_start_makes_one_key_and_the_second_none()
    {
        await using var installation = await Installation.NewAsync();
        Assert.NotNull(await installation.FirstKey.EnsureAsync(default));

        await using var again = installation.Beside();
        Assert.Null(await again.FirstKey.EnsureAsync(default));
        Assert.Single(await again.Iam.ListAsync(null, null, default));
    }

    [Fact]
    public async Task The_first_key_of_a_configured_installation_is_its_first_projects_and_no_default_tenant_appears()
    {
        await using var installation = await Installation.NewAsync(Acme);

        var first = (await installation.FirstKey.EnsureAsync(default))!;
        await installation.Source.RefreshAsync(default);

        var key = installation.Find(first)!.Key;
        Assert.Equal(("acme", "search", "eu"), (key.Tenant.Name, key.Project.Name, key.Tenant.Region));
        Assert.Equal(["acme"], installation.Snapshot.Tenants.Keys);
    }

    [Fact]
    public async Task A_key_in_the_file_is_key_enough()
    {
        await using var installation = await Installation.NewAsync(
            Acme + "\n    keys: [ { name: dev, project: search, secret: env:DEV } ]", ("DEV", "an-opaque-key-of-some-length"));

        Assert.Null(await installation.FirstKey.EnsureAsync(default));
    }
}
