using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Servers;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Limits;

/// <summary>Whole gateways, each on its own data, that share nothing but a Redis.</summary>
public sealed class SharedLimitTests
{
    private const string Key = "a-key-that-both-gateways-know";

    [Fact]
    public async Task P5_Two_gateways_hold_one_limit_together_and_without_Redis_serve_nothing()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await StartAsync(redis.Url, "deny", "requests_per_minute: 6");
        await using var second = await StartAsync(redis.Url, "deny", "requests_per_minute: 6");
        using var one = ClientOf(first);
        using var two = ClientOf(second);
        var started = Stopwatch.GetTimestamp();

        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 12; i++)
        {
            statuses.Add(await AnswerAsync(i % 2 == 0 ? one : two));
        }

        // A token of the bucket comes back every ten seconds.
        var returned = (int)(Stopwatch.GetElapsedTime(started).TotalSeconds / 10);
        Assert.InRange(statuses.Count(status => status == HttpStatusCode.OK), 6, 6 + returned);
        Assert.All(statuses, status => Assert.True(status is HttpStatusCode.OK or HttpStatusCode.TooManyRequests, status.ToString()));

        await redis.KillAsync();
        foreach (var client in new[] { one, two })
        {
            using var refused = await ChatAsync(client);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.NotNull(refused.Headers.RetryAfter);
            using var ready = await client.GetAsync(new Uri("/health/ready", UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        }

        await redis.StartAgainAsync();
        Assert.Equal(HttpStatusCode.OK, await AnswerAsync(one));
        Assert.Equal(0, await first.StopAsync());
    }

    [Fact]
    public async Task Sharing_goes_on_without_Redis_within_its_share_and_says_so()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var gateway = await StartAsync(redis.Url, "share", "requests_per_minute: 3");
        using var client = ClientOf(gateway);
        Assert.Equal(HttpStatusCode.OK, await AnswerAsync(client));
        await redis.KillAsync();

        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 5; i++)
        {
            using var response = await ChatAsync(client);
            statuses.Add(response.StatusCode);
        }

        Assert.Equal(3, statuses.Count(status => status == HttpStatusCode.OK));
        Assert.Equal(2, statuses.Count(status => status == HttpStatusCode.TooManyRequests));
        await UntilSaidAsync(gateway, "enforces 1/1 of every limit by itself");
        Assert.Contains("tokenfactory_limits_shared", await client.GetStringAsync(new Uri("/metrics", UriKind.Relative)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task P12_A_wrong_password_stops_the_start_with_a_line_that_says_so_and_does_not_repeat_it()
    {
        await using var redis = await RedisServer.StartAsync("s3cret-pa55");
        using var folder = new TempFolder();
        var config = folder.Write("gateway.yaml", Config("deny", "concurrent: 1"));

        var ended = await GatewayProcess.RunAsync(
            ["serve", "--config", config, "--data", folder.File("data"), "--urls", $"http://127.0.0.1:{FreePort.Next()}"],
            options: new GatewayOptions { Environment = Environment($"redis://:wr0ng-pa55@127.0.0.1:{redis.Port}") });

        Assert.Equal(1, ended.ExitCode);

        // Where the machine is so slow that the server's refusal is not read in time, the line says that it does not answer.
        Assert.Matches($"^gateway: Redis at 127.0.0.1:{redis.Port} (refuses the password of limiter.connection|does not answer)[^\n]*$", ended.Error.Trim());
        Assert.DoesNotContain("pa55", ended.Output + ended.Error, StringComparison.Ordinal);
    }

    private static async Task<GatewayProcess> StartAsync(string redis, string whenUnavailable, string limits) =>
        await GatewayProcess.StartAsync(new GatewayOptions { Config = Config(whenUnavailable, limits), Environment = Environment(redis) });

    private static Dictionary<string, string?> Environment(string redis) => new() { ["TEST_REDIS"] = redis, ["TEST_KEY"] = Key };

    private static string Config(string whenUnavailable, string limits) => $$"""
        limiter: { kind: redis, connection: env:TEST_REDIS, when_unavailable: {{whenUnavailable}} }
        tenants:
          - name: acme
            projects: [ { name: search } ]
            keys: [ { name: ci, project: search, secret: env:TEST_KEY, limits: { {{limits}} } } ]
        """;

    /// <summary>A line may reach us a moment after the answer that it belongs to.</summary>
    private static async Task UntilSaidAsync(GatewayProcess gateway, string text)
    {
        for (var attempt = 0; !gateway.Output.ToString().Contains(text, StringComparison.Ordinal); attempt++)
        {
            Assert.True(attempt < 100, $"It never said '{text}':\n{gateway.Output}");
            await Task.Delay(50);
        }
    }

    private static HttpClient ClientOf(GatewayProcess gateway)
    {
        var client = new HttpClient { BaseAddress = gateway.BaseUrl, Timeout = TimeSpan.FromSeconds(30) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return client;
    }

    private static async Task<HttpResponseMessage> ChatAsync(HttpClient client)
    {
        using var body = new ByteArrayContent(The.ChatRequest(model: "loopback"));
        body.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return await client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), body);
    }

    /// <summary>On a busy machine a take may miss its 20 ms, and a Redis that was away is asked once a second: what is then refused is asked again, as its Retry-After says.</summary>
    private static async Task<HttpStatusCode> AnswerAsync(HttpClient client)
    {
        for (var attempt = 0; ; attempt++)
        {
            using var response = await ChatAsync(client);
            if (response.StatusCode != HttpStatusCode.ServiceUnavailable || attempt == 20)
            {
                return response.StatusCode;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(500));
        }
    }
}
