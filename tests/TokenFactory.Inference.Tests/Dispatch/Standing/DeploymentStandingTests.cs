using TokenFactory.Inference.Dispatch.Standing;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using TokenFactory.TestKit.Clock;
using Xunit;

namespace TokenFactory.Inference.Tests.Dispatch.Standing;

/// <summary>When a deployment is passed over, for how long, and how it comes back.</summary>
public sealed class DeploymentStandingTests
{
    private static readonly Failure _failed = new(Outcome.Failed, GatewayError.BackendFailed, TookPrompt: true);
    private static readonly Failure _busy = new(Outcome.Failed, GatewayError.BackendBusy, TookPrompt: false);

    private readonly FakeClock _clock = new();
    private readonly List<(string Reason, TimeSpan Length)> _told = [];

    [Fact]
    public void Quota_aware_a_deployment_rests_for_as_long_as_it_asks()
    {
        var standing = Standing();
        standing.Rest(Skip.QuotaSpent, TimeSpan.FromSeconds(7));

        _clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal((Skip.QuotaSpent, TimeSpan.FromSeconds(1)), standing.PassedOver);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(standing.PassedOver);
    }

    [Fact]
    public void Quota_aware_no_backend_is_left_alone_for_longer_than_the_bound()
    {
        var standing = Standing();
        standing.Rest(Skip.QuotaSpent, TimeSpan.FromHours(1));
        Assert.Equal(TimeSpan.FromMinutes(1), standing.PassedOver?.Left);

        var never = Standing(Some() with { MaxRest = TimeSpan.Zero });
        never.Rest(Skip.QuotaSpent, TimeSpan.FromHours(1));
        Assert.Null(never.PassedOver);
    }

    [Fact]
    public void Quota_aware_a_shorter_rest_does_not_end_a_longer_one()
    {
        var standing = Standing();
        standing.Rest(Skip.QuotaSpent, TimeSpan.FromSeconds(30));
        standing.Rest(Skip.QuotaSpent, TimeSpan.FromSeconds(2));

        Assert.Equal(TimeSpan.FromSeconds(30), standing.PassedOver?.Left);
    }

    [Fact]
    public void Quota_aware_a_backend_that_does_not_say_for_how_long_gets_exponential_rests_with_jitter_until_it_takes_a_request()
    {
        var standing = Standing();
        var rests = Enumerable.Range(0, 8).Select(_ => NextRest(standing)).ToArray();

        Assert.All(rests.Zip([1.0, 2, 4, 8, 16, 30, 30, 30]), pair => Assert.InRange(pair.First.TotalSeconds, pair.Second / 2, pair.Second));
        standing.Took();
        Assert.InRange(NextRest(standing).TotalSeconds, 0.5, 1);
    }

    [Fact]
    public async Task Quality_repeated_failures_open_the_circuit_and_one_request_at_a_time_tries_it()
    {
        var standing = Standing();
        for (var n = 0; n < 20; n++)
        {
            Assert.Null(standing.PassedOver);
            Assert.True((await AskAsync(standing, _failed)).Asked);
        }

        var open = Assert.NotNull(standing.PassedOver);
        Assert.Equal(Skip.CircuitOpen, open.Reason);
        Assert.InRange(open.Left.TotalSeconds, 4, 5);
        _clock.Advance(open.Left);

        // One tries, and while it does the others are told to go elsewhere.
        Assert.Null(standing.PassedOver);
        var answer = new TaskCompletionSource<Failure?>();
        var trying = standing.TryAsync(static task => task, answer.Task).AsTask();
        Assert.False((await AskAsync(standing, null)).Asked);
        answer.SetResult(_failed);
        Assert.True((await trying).Asked);

        // It failed: twice as long. Then it answers, and all may ask again.
        open = Assert.NotNull(standing.PassedOver);
        Assert.InRange(open.Left.TotalSeconds, 8, 10);
        _clock.Advance(open.Left);
        Assert.Equal((true, null), await AskAsync(standing, null));
        Assert.Equal((true, null), await AskAsync(standing, null));
        Assert.Null(standing.PassedOver);
        Assert.Equal([Skip.CircuitOpen, Skip.CircuitOpen], _told.Select(one => one.Reason));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Quality_what_was_asked_before_the_circuit_opened_neither_closes_it_nor_opens_it_for_longer(bool fails)
    {
        var standing = Standing();
        var answer = new TaskCompletionSource<Failure?>();
        var early = standing.TryAsync(static task => task, answer.Task).AsTask();
        for (var n = 0; n < 20; n++)
        {
            await AskAsync(standing, _failed);
        }

        _clock.Advance(Assert.NotNull(standing.PassedOver).Left);
        answer.SetResult(fails ? _failed : null);
        Assert.True((await early).Asked);

        // The circuit still waits for one that tries it: its failure is the first one that counts again.
        Assert.Null(standing.PassedOver);
        await AskAsync(standing, _failed);
        Assert.InRange(Assert.NotNull(standing.PassedOver).Left.TotalSeconds, 8, 10);
    }

    [Fact]
    public async Task Quality_a_few_failures_among_many_answers_open_nothing()
    {
        var standing = Standing();
        for (var n = 0; n < 200; n++)
        {
            await AskAsync(standing, n % 2 == 0 ? _failed : null);
        }

        Assert.Null(standing.PassedOver);
    }

    [Fact]
    public async Task Quality_what_says_nothing_of_the_deployment_does_not_count()
    {
        var standing = Standing();
        for (var n = 0; n < 100; n++)
        {
            await AskAsync(standing, _busy);
            await AskAsync(standing, new Failure(Outcome.ClientCut, GatewayError.ClientCut, TookPrompt: true));
            await AskAsync(standing, new Failure(Outcome.Drained, GatewayError.Draining, TookPrompt: true));
            await AskAsync(standing, new Failure(Outcome.Failed, GatewayError.JournalUnavailable, TookPrompt: false));
            await AskAsync(standing, new Failure(Outcome.Failed, GatewayError.FromBackend(400, "no", null, null, null), TookPrompt: false));
        }

        Assert.Null(standing.PassedOver);
    }

    [Fact]
    public void Quality_a_deployment_whose_answers_are_of_no_use_is_passed_over_for_a_duration_and_its_next_answer_decides()
    {
        var quality = new LowQuality { Counts = AnswerFlaws.Empty };
        var standing = Standing(Some() with { LowQuality = quality });
        for (var n = 0; n < 20; n++)
        {
            Assert.Null(standing.PassedOver);
            standing.Answered(isLow: n % 2 == 1);
        }

        Assert.Equal((Skip.LowQuality, quality.Rest), standing.PassedOver);

        // What was asked before is heard no more.
        standing.Answered(isLow: false);
        _clock.Advance(quality.Rest - TimeSpan.FromSeconds(1));
        Assert.NotNull(standing.PassedOver);

        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(standing.PassedOver);
        standing.Answered(isLow: true);
        Assert.Equal((Skip.LowQuality, quality.Rest), standing.PassedOver);

        _clock.Advance(quality.Rest);
        standing.Answered(isLow: false);
        standing.Answered(isLow: true);
        Assert.Null(standing.PassedOver);
        Assert.Equal([Skip.LowQuality, Skip.LowQuality], _told.Select(one => one.Reason));
    }

    [Fact]
    public void Quality_a_few_answers_of_no_use_among_many_and_a_deployment_that_nobody_judges_are_not_passed_over()
    {
        var judged = Standing(Some() with { LowQuality = new LowQuality { Counts = AnswerFlaws.Empty } });
        var unjudged = Standing();
        for (var n = 0; n < 200; n++)
        {
            judged.Answered(isLow: n % 3 == 0);
            unjudged.Answered(isLow: true);
        }

        Assert.Null(judged.PassedOver);
        Assert.Null(unjudged.PassedOver);
    }

    [Fact]
    public async Task A_deployment_without_a_circuit_is_always_asked()
    {
        var standing = Standing(Some() with { Circuit = null });
        for (var n = 0; n < 100; n++)
        {
            Assert.True((await AskAsync(standing, _failed)).Asked);
        }

        Assert.Null(standing.PassedOver);
    }

    private TimeSpan NextRest(DeploymentStanding standing)
    {
        standing.Rest(Skip.QuotaSpent, null);
        var left = standing.PassedOver!.Value.Left;
        _clock.Advance(left);
        return left;
    }

    private static ValueTask<(bool Asked, Failure? Failure)> AskAsync(DeploymentStanding standing, Failure? result) =>
        standing.TryAsync(static failure => Task.FromResult(failure), result);

    private DeploymentStanding Standing(Deployment? settings = null) => new(settings ?? Some(), _clock, new Random(7), (reason, length) => _told.Add((reason, length)));

    private static Deployment Some() => new() { Name = "d", Provider = new Provider("p", ProviderKind.OpenAi, null, null), Endpoints = [] };
}
