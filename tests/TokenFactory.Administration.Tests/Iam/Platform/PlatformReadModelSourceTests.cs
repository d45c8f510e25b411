using System.Text.Json.Nodes;
using TokenFactory.Administration.Iam.Platform;
using TokenFactory.Inference.ReadModel;
using TokenFactory.TestKit.Iam;

namespace TokenFactory.Administration.Tests.Iam.Platform;

public sealed class PlatformReadModelSourceTests
{
    private const string A = "an-opaque-key-of-application-a";
    private const string B = "an-opaque-key-of-application-b";

    private static readonly string _keyA = PlatformLine.Key("a", A);
    private static readonly string _keyB = PlatformLine.Key("b", B);

    [Fact]
    public async Task A_key_of_the_platform_has_everything_that_was_said_of_it()
    {
        await using var platform = await PlatformInstallation.NewAsync(
            PlatformLine.Of("tier", "name", "gold", line => line["max_input_tokens"] = 9),
            PlatformLine.Of("tenant", "name", "acme", line =>
            {
                line["tier"] = "gold";
                line["region"] = "eu";
                line["providers"] = new JsonObject { ["allow"] = new JsonArray("gpu-eu"), ["prefer"] = "gpu-eu" };
                line["max_usd_per_request"] = JsonNode.Parse("0.05");
                line["strategy"] = "pinned";
                line["budgets"] = JsonNode.Parse("""{"usd_per_month":40.5}""");
            }),
            PlatformLine.Of("user", "name", "ann", line => line["tenant"] = "acme"),
            PlatformLine.Key("a", A, line =>
            {
                line["user"] = "ann";
                line["scopes"] = new JsonArray("inference:chat", "storage:write");
                line["models"] = new JsonArray("gpt-*");
                line["limits"] = JsonNode.Parse("""{"requests_per_minute":7}""");
                line["expires"] = "2030-01-31T00:00:00Z";
                line["a_member_of_next_year"] = true;
            }));

        var key = platform.Find(A)!.Key;

        Assert.False(key.IsRevoked);
        Assert.Equal(("a", "acme", "search", "ann"), (key.Id, key.Tenant.Name, key.Project.Name, key.User?.Name));
        Assert.Equal(("gold", 9, "eu", 40_500_000_000), (key.Tenant.Tier?.Name, key.Tenant.Tier?.MaxInputTokens, key.Tenant.Region, key.Tenant.Limits.NanoUsdPerMonth));
        var routing = key.Tenant.Routing;
        Assert.Equal(["gpu-eu"], routing.AllowedProviders);
        Assert.Equal(("gpu-eu", 50_000_000, RoutingStrategy.Pinned), (routing.PreferredProvider, routing.MaxNanoUsdPerRequest, routing.Strategy));
        Assert.Equal(["inference:chat"], key.Scopes);
        Assert.True(key.Models.Allows("gpt-5") && !key.Models.Allows("llama"));
        Assert.Equal(7, key.Limits.RequestsPerMinute);
        Assert.Equal(2030, key.ExpiresAt?.Year);
    }

    [Fact]
    public async Task Changes_are_asked_for_by_version_and_nothing_new_costs_no_body()
    {
        await using var platform = await PlatformInstallation.NewAsync(_keyA);
        var version = platform.Platform.Version;

        await platform.RefreshAsync();
        await platform.SayAsync(_keyB);

        Assert.Equal(["all 200", $"since={version} 304", $"since={version} 200"], platform.Platform.Questions);
        Assert.True(platform.Opens(A) && platform.Opens(B));
    }

    [Fact]
    public async Task P4_a_revoked_key_and_a_removed_one_open_nothing_after_the_next_answer()
    {
        await using var platform = await PlatformInstallation.NewAsync(_keyA, _keyB);

        await platform.SayAsync(PlatformLine.RevokedKey("a", A), PlatformLine.Removed("key", "b"));

        Assert.True(platform.Find(A)!.Key.IsRevoked);
        Assert.Null(platform.Find(B));
    }

    [Fact]
    public async Task Both_secrets_of_a_key_work_until_the_older_one_is_gone()
    {
        await using var platform = await PlatformInstallation.NewAsync(_keyA);

        await platform.SayAsync(PlatformLine.Key("a", A, line => line["secrets"]!.AsArray().Add(PlatformLine.Secret(B))));
        Assert.True(platform.Opens(A) && platform.Opens(B));
        Assert.Same(platform.Find(A)!.Key, platform.Find(B)!.Key);

        await platform.SayAsync(PlatformLine.Key("a", B));
        Assert.True(platform.Find(A) is null && platform.Opens(B));
    }

    [Fact]
    public async Task A_changed_tenant_project_or_user_is_what_its_keys_have_from_then_on()
    {
        await using var platform = await PlatformInstallation.NewAsync(
            _keyA, PlatformLine.Of("tier", "name", "gold"), PlatformLine.Of("user", "name", "ann", line => line["tenant"] = "acme"),
            PlatformLine.Key("b", B, line => line["user"] = "ann"));

        await platform.SayAsync(PlatformLine.Of("tenant", "name", "acme", line => line["tier"] = "gold"));
        await platform.SayAsync(PlatformLine.Of("tier", "name", "gold", line => line["max_input_tokens"] = 5));
        Assert.Equal(5, platform.Find(A)!.Key.Tenant.Tier!.MaxInputTokens);
        Assert.Same(platform.Find(A)!.Key.Tenant, platform.Snapshot.Tenants["acme"]);

        await platform.SayAsync(PlatformLine.Removed("user", "ann", "acme"));
        Assert.True(platform.Opens(A) && !platform.Opens(B));

        await platform.SayAsync(PlatformLine.Removed("project", "search", "acme"));
        Assert.False(platform.Opens(A));

        await platform.SayAsync(PlatformLine.Acme[1], PlatformLine.Of("user", "name", "ann", line => line["tenant"] = "acme"));
        Assert.True(platform.Opens(A) && platform.Opens(B));

        await platform.SayAsync(PlatformLine.Removed("tier", "gold"));
        Assert.True(!platform.Opens(A) && platform.Snapshot.Tenants.Count == 0, "without its tier nothing bounds a tenant");
    }

    [Fact]
    public async Task Entries_may_stand_in_any_order()
    {
        await using var platform = await PlatformInstallation.NewAsync();
        platform.Platform.Lie = _ => FakePlatform.Answer(99, null, [_keyA, .. PlatformLine.Acme.Reverse(), _keyB]);

        Assert.Null(await platform.RefreshAsync());

        Assert.True(platform.Opens(A) && platform.Opens(B));
        Assert.DoesNotContain("refused", platform.Said.Text, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> InvalidKeys => new()
    {
        { "a limit out of bounds", PlatformLine.Key("a", A, line => line["limits"] = JsonNode.Parse("""{"concurrent":0}""")) },
        { "an allow-list that is none", PlatformLine.Key("a", A, line => line["models"] = new JsonArray("a*b")) },
        { "no scopes", PlatformLine.Key("a", A, line => line.Remove("scopes")) },
        { "no project", PlatformLine.Key("a", A, line => line.Remove("project")) },
        { "a date that is none", PlatformLine.Key("a", A, line => line["expires"] = "soon") },
        { "a wrong type", PlatformLine.Key("a", A, line => line["revoked"] = "no") },
        { "a member twice", _keyA[..^1] + ""","revoked":false,"revoked":false}""" },
        { "cut in its middle", _keyA[..(_keyA.IndexOf("\"scopes", StringComparison.Ordinal) + 4)] },
        { "another's tenant", PlatformLine.Key("a", A, line => line["tenant"] = "nobody") },
        { "three secrets", PlatformLine.Key("a", A, line => line["secrets"] = new JsonArray(PlatformLine.Secret(A), PlatformLine.Secret("x"), PlatformLine.Secret("y"))) },
        { "a hash of another form", PlatformLine.Key("a", A, line => line["secrets"]!.AsArray().Add(new JsonObject { ["hash"] = "md5:x" })) },
    };

    [Theory]
    [MemberData(nameof(InvalidKeys))]
    public async Task P4_an_invalid_entry_closes_its_key_and_takes_no_other_with_it(string name, string line)
    {
        await using var changed = await PlatformInstallation.NewAsync(_keyA, _keyB);
        changed.Platform.Lie = since => FakePlatform.Answer(99, since, line);
        Assert.Null(await changed.RefreshAsync());
        Assert.True(changed.Find(A)?.Key.IsRevoked, $"{name}: closed, and still there to say so");
        Assert.True(changed.Opens(B), name);

        await using var whole = await PlatformInstallation.NewAsync();
        whole.Platform.Lie = _ => FakePlatform.Answer(99, null, [.. PlatformLine.Acme, line, _keyB]);
        Assert.Null(await whole.RefreshAsync());
        Assert.False(whole.Opens(A), name);
        Assert.True(whole.Opens(B), name);
        Assert.Contains("key a", whole.Said.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToHexStringLower(PlatformLine.Digest(A)), whole.Said.Text, StringComparison.Ordinal);

        changed.Platform.Lie = since => FakePlatform.Answer(100, since, _keyA);
        Assert.Null(await changed.RefreshAsync());
        Assert.True(changed.Opens(A), "a valid entry opens it again");
    }

    [Fact]
    public async Task P4_the_same_id_twice_in_one_answer_opens_neither()
    {
        await using var platform = await PlatformInstallation.NewAsync(_keyB);
        platform.Platform.Lie = since => FakePlatform.Answer(99, since, _keyA, PlatformLine.Key("a", "another-secret-of-it"));

        Assert.Null(await platform.RefreshAsync());

        Assert.False(platform.Opens(A) || platform.Opens("another-secret-of-it"));
        Assert.True(platform.Opens(B));
    }

    [Fact]
    public async Task A_secret_that_two_keys_claim_stays_with_the_one_known_first()
    {
        await using var platform = await PlatformInstallation.NewAsync(_keyA);

        await platform.SayAsync(PlatformLine.Key("b", A));

        Assert.Equal("a", platform.Find(A)!.Key.Id);
        Assert.Contains("is that of key a", platform.Said.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("""{"type":"key","tenant":"acme"}""")]
    public async Task P4_a_change_of_nobody_knows_whom_is_not_applied_and_everything_is_asked_for(string line)
    {
        await using var platform = await PlatformInstallation.NewAsync(_keyA, _keyB);
        platform.Platform.Lie = since => since is null ? FakePlatform.Answer(99, null, [.. PlatformLine.Acme, line, _keyB]) : FakePlatform.Answer(99, since, line);

        Assert.Equal(AnswerRefusal.Nameless, (await platform.RefreshAsync())?.Reason);
        Assert.True(platform.Opens(A), "nothing of it was applied");

        Assert.Null(await platform.RefreshAsync());
        Assert.True(platform.Find(A) is null && platform.Opens(B), "what a full answer does not have is closed");
        Assert.Equal("all 200", platform.Platform.Questions[^1]);
    }

    public static TheoryData<string, string> Lies => new()
    {
        { nameof(AnswerRefusal.OlderVersion), FakePlatform.Answer(1, null, _keyB) },
        { nameof(AnswerRefusal.NotAsked), FakePlatform.Answer(99, 1, _keyB) },
        { nameof(AnswerRefusal.CutShort), FakePlatform.Answer(99, null, _keyB).Split("{\"type\":\"end")[0] },
        { nameof(AnswerRefusal.Malformed), FakePlatform.Answer(99, null, _keyB).Replace("\"entries\":1", "\"entries\":2", StringComparison.Ordinal) },
        { nameof(AnswerRefusal.Malformed), FakePlatform.Answer(99, null, _keyB).Replace("\"schema\":1", "\"schema\":2", StringComparison.Ordinal) },
        { nameof(AnswerRefusal.Malformed), "<html>sign in</html>" },
        { nameof(AnswerRefusal.CutShort), PlatformLine.Header(99, null) + "\n" + PlatformLine.RevokedKey("a", A) },
    };

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task P4_a_lie_leaves_the_last_good_read_model_unconfirmed(string reason, string lie)
    {
        await using var platform = await PlatformInstallation.NewAsync(_keyA);
        var good = platform.Snapshot;
        platform.Clock.Advance(TimeSpan.FromSeconds(20));
        platform.Platform.Lie = _ => lie;

        Assert.Equal(reason, (await platform.RefreshAsync())?.Reason.ToString());

        Assert.Same(good, platform.Snapshot);
        Assert.Equal(TimeSpan.FromSeconds(20), platform.Store.Age);
        platform.Platform.Lie = null;
        Assert.Null(await platform.RefreshAsync());
        Assert.Equal(TimeSpan.Zero, platform.Store.Age);
    }

    [Fact]
    public async Task P4_while_the_source_is_down_the_last_good_read_model_grows_old_and_comes_back_with_it()
    {
        await using var platform = await PlatformInstallation.NewAsync(_keyA);
        platform.Platform.IsDown = true;
        platform.Clock.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(AnswerRefusal.Unreachable, (await platform.RefreshAsync())?.Reason);
        Assert.True(platform.Store.IsFresh);

        platform.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.False(platform.Store.IsFresh);

        platform.Platform.IsDown = false;
        Assert.Null(await platform.RefreshAsync());
        Assert.True(platform.Store.IsFresh && platform.Opens(A));
    }

    [Fact]
    public async Task P4_an_answer_is_as_old_as_its_question()
    {
        await using var platform = await PlatformInstallation.NewAsync(_keyA);
        var silence = platform.Platform.Silence = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        platform.Platform.Say(_keyB);

        var asked = platform.RefreshAsync();
        platform.Clock.Advance(TimeSpan.FromSeconds(31));
        silence.SetResult();

        Assert.Null(await asked);
        Assert.True(platform.Opens(B));
        Assert.False(platform.Store.IsFresh, "whatever was revoked in these 31 seconds is not known");
    }

    [Theory]
    [InlineData(401, "iam.credential")]
    [InlineData(404, "iam.url")]
    [InlineData(302, "iam.url")]
    [InlineData(500, "500")]
    public async Task A_status_that_is_no_answer_says_what_to_look_at(int status, string advice)
    {
        await using var platform = await PlatformInstallation.NewAsync(_keyA);
        platform.Platform.Status = status;

        var refusal = await platform.RefreshAsync();

        Assert.Equal(AnswerRefusal.BadStatus, refusal?.Reason);
        Assert.Contains(advice, refusal!.Message, StringComparison.Ordinal);
        Assert.True(platform.Opens(A));
    }

    [Fact]
    public async Task A_source_that_always_answers_in_full_is_read_only_when_its_version_rose()
    {
        await using var platform = await PlatformInstallation.NewAsync(_keyA);
        platform.Platform.ForgetsVersions = true;
        var before = platform.Snapshot;

        Assert.Null(await platform.RefreshAsync());
        Assert.Same(before, platform.Snapshot);

        Assert.Null(await platform.SayAsync(PlatformLine.Removed("key", "a"), _keyB));
        Assert.True(platform.Find(A) is null && platform.Opens(B));
    }

    [Fact]
    public async Task P10_an_answer_above_its_limit_is_refused()
    {
        await using var platform = await PlatformInstallation.NewAsync(_keyA);
        platform.Platform.Lie = since => FakePlatform.Answer(99, since, [.. Enumerable.Range(0, 40).Select(i => PlatformLine.Key($"k{i}", "x" + i, line => line["name"] = new string('n', 60_000)))]);

        Assert.Equal(AnswerRefusal.TooLarge, (await platform.RefreshAsync())?.Reason);
        Assert.True(platform.Opens(A));
    }

    [Theory]
    [InlineData(0, 1, 1)]
    [InlineData(1, 0.5, 1)]
    [InlineData(3, 2, 4)]
    [InlineData(50, 3.75, 7.5)]
    public void Questions_after_failures_come_ever_later_and_never_at_the_same_moment_everywhere(int failures, double least, double most)
    {
        TimeSpan At(double chance) => PlatformReadModelSource.PauseAfter(failures, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), chance);

        Assert.Equal((least, most), (At(0).TotalSeconds, At(1).TotalSeconds));
    }
}
