using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Iam;
using TokenFactory.TestKit.Processes;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path;

/// <summary>A whole gateway whose keys are the platform's: what the platform says is what opens, and its silence opens nothing.</summary>
public sealed class PlatformModeTests : IAsyncLifetime
{
    private const string A = "an-opaque-key-of-application-a";
    private const string B = "an-opaque-key-of-application-b";

    // Longer than a loaded machine may be late; what counts is that the bound holds, not how soon it is over.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private FakePlatform _platform = null!;
    private GatewayProcess _gateway = null!;
    private HttpClient _http = null!;

    private static Dictionary<string, string?> Environment => new() { ["PLATFORM"] = PlatformLine.Credential, ["PEPPER"] = PlatformLine.Pepper };

    public async ValueTask InitializeAsync()
    {
        _platform = await FakePlatform.StartAsync();
        _platform.Say([.. PlatformLine.Acme, PlatformLine.Key("a", A), PlatformLine.Key("b", B)]);
    }

    private string Config(string maxStaleness = "1m") => $$"""
        iam: { mode: platform, url: "{{_platform.Url}}", credential: env:PLATFORM, pepper: env:PEPPER, max_staleness: {{maxStaleness}}, poll: 200ms }
        """;

    private async Task StartAsync(string maxStaleness = "1m")
    {
        _gateway = await GatewayProcess.StartAsync(new GatewayOptions { Config = Config(maxStaleness), Environment = Environment });
        _http = new HttpClient { BaseAddress = _gateway.BaseUrl, Timeout = _patience };
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(A));
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        if (_gateway is not null)
        {
            await _gateway.DisposeAsync();
        }

        await _platform.DisposeAsync();
    }

    [Fact]
    public async Task P4_a_key_revoked_on_the_platform_is_refused_with_the_next_answer()
    {
        await StartAsync();
        var before = _platform.Questions.Count;
        _platform.Say(PlatformLine.RevokedKey("a", A));

        // Questions come one at a time: the one after the answer that says it proves that the answer is in force. With a poll
        // of a second that is well within two; counted in questions, it holds on a machine that stalls.
        await UntilAsync(
            () => Task.FromResult(_platform.Questions.Skip(before).SkipWhile(question => !question.EndsWith(" 200", StringComparison.Ordinal)).Count()),
            questions => questions > 1);

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(A));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(B));
    }

    [Fact]
    public async Task A_key_made_on_the_platform_works_and_one_invalid_entry_beside_it_takes_no_other_with_it()
    {
        await StartAsync();
        _platform.Say(
            PlatformLine.Key("new", "a-key-that-was-made-just-now", line => line["name"] = "new"),
            PlatformLine.Key("b", B, line => line["limits"] = new System.Text.Json.Nodes.JsonObject { ["concurrent"] = -1 }));

        await UntilAsync(HttpStatusCode.OK, "a-key-that-was-made-just-now");

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(B));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(A));
    }

    [Fact]
    public async Task P4_a_silent_platform_is_served_without_until_the_bound_then_503_never_401_and_its_return_serves_again()
    {
        await StartAsync("10s");
        _platform.IsDown = true;

        var seen = await UntilAsync(HttpStatusCode.ServiceUnavailable, A);

        Assert.Equal(HttpStatusCode.OK, seen[0]);
        Assert.DoesNotContain(HttpStatusCode.Unauthorized, seen);
        using (var refused = await AskAsync("a-key-that-nobody-knows"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.NotNull(refused.Headers.RetryAfter);
        }

        _platform.IsDown = false;
        Assert.DoesNotContain(HttpStatusCode.Unauthorized, await UntilAsync(HttpStatusCode.OK, A));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync("a-key-that-nobody-knows"));
    }

    [Fact]
    public async Task P4_an_older_version_opens_nothing_and_is_told_in_the_metrics()
    {
        await StartAsync();
        _platform.Lie = _ => FakePlatform.Answer(1, null, [.. PlatformLine.Acme, PlatformLine.Key("old", "a-key-of-an-older-version")]);

        await UntilAsync(() => MetricAsync("""tokenfactory_iam_refusals_total{reason="older_version"}"""), metric => metric > 0);

        Assert.NotEqual(HttpStatusCode.OK, await StatusAsync("a-key-of-an-older-version"));
        _platform.Lie = null;
        await UntilAsync(HttpStatusCode.OK, A);
        Assert.Equal(_platform.Version, await MetricAsync("tokenfactory_iam_read_model_version"));
        Assert.Equal(2, await MetricAsync("tokenfactory_iam_read_model_keys"));
    }

    [Fact]
    public async Task Keys_are_not_made_here_and_no_first_key_is_either()
    {
        await StartAsync();
        var config = System.IO.Path.Combine(_gateway.DataPath, "platform.yaml");
        await File.WriteAllTextAsync(config, Config());

        foreach (var command in (string[][])[["create", "--name", "ci"], ["list"], ["revoke", "a"], ["rotate", "a"]])
        {
            var result = await _gateway.RunToEndAsync(["admin", "keys", .. command, "--config", config, "--data", _gateway.DataPath]);
            Assert.Equal(1, result.ExitCode);
            Assert.Contains("iam.mode: platform", result.Error, StringComparison.Ordinal);
            Assert.Empty(result.Output);
        }

        Assert.DoesNotContain("tfk_", _gateway.Output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task P12_without_the_platform_a_start_waits_and_then_fails_and_says_why()
    {
        _platform.Status = 401;

        var start = await Assert.ThrowsAsync<InvalidOperationException>(() => GatewayProcess.StartAsync(new GatewayOptions
        {
            Config = Config("2s"),
            Environment = Environment,
        }));

        Assert.Contains("check iam.credential", start.Message, StringComparison.Ordinal);
    }

    private async Task<HttpResponseMessage> AskAsync(string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new ByteArrayContent(The.ChatRequest("loopback")) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return await _http.SendAsync(request);
    }

    private async Task<HttpStatusCode> StatusAsync(string key)
    {
        using var answer = await AskAsync(key);
        return answer.StatusCode;
    }

    /// <summary>Every status on the way, the awaited one last.</summary>
    private async Task<List<HttpStatusCode>> UntilAsync(HttpStatusCode awaited, string key)
    {
        var seen = new List<HttpStatusCode>();
        await UntilAsync(
            async () =>
            {
                seen.Add(await StatusAsync(key));
                return seen[^1];
            },
            status => status == awaited);
        return seen;
    }

    private async Task UntilAsync<T>(Func<Task<T>> look, Func<T, bool> isIt)
    {
        var began = Stopwatch.GetTimestamp();
        for (var last = await look(); !isIt(last); last = await look())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < _patience, $"still {last}:\n{_gateway.Output}");
            await Task.Delay(50);
        }
    }

    private async Task<double> MetricAsync(string name)
    {
        var line = (await _http.GetStringAsync(new Uri("/metrics", UriKind.Relative))).Split('\n').FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        return line is null ? 0 : double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }
}
