using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using TokenFactory.Inference.Metering;
using TokenFactory.Inference.ModelAudit;
using TokenFactory.Inference.ModelAudit.Changes;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Keys;
using TokenFactory.Storage;
using TokenFactory.Storage.ModelAudit;
using TokenFactory.TestKit.Clock;
using Xunit;

namespace TokenFactory.Inference.Tests.ModelAudit;

public sealed class ModelAuditorTests : IDisposable
{
    private static readonly Provider _provider = new("gpu-eu", ProviderKind.OpenAi, "eu-west-1", null);

    private readonly FakeClock _clock = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly AnswerWatch _answers = new();
    private readonly BookStore _store = new();
    private readonly SnapshotStore _snapshots;
    private readonly AuditBook _book;
    private readonly ModelAuditor _auditor;
    private Deployment _deployment = new() { Name = "llama-eu", Provider = _provider, Endpoints = [new Uri("http://10.0.0.5/v1")], UpstreamModel = "llama" };
    private long _version = 1;

    public ModelAuditorTests()
    {
        var metrics = new ModelAuditMetrics(_services.GetRequiredService<IMeterFactory>());
        var instance = new Instance(Ids.New(_clock));
        _book = new AuditBook(_store, instance, metrics, _clock, NullLogger<AuditBook>.Instance);
        _snapshots = new SnapshotStore(_clock, TimeSpan.MaxValue);
        _auditor = new ModelAuditor(_answers, _book, _snapshots, metrics, instance, _clock, NullLogger<ModelAuditor>.Instance);
    }

    public void Dispose()
    {
        _auditor.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task A_swapped_model_is_told_once_and_kept_with_what_it_was()
    {
        Answer("llama", NameShift.Established);
        Answer("llama-small", 50);
        await _book.WriteAsync(default);
        await _book.WriteAsync(default);

        var flag = Assert.Single(_store.Raised);
        Assert.Equal((AuditedKind.Model, "llama", "llama-small", "llama-eu", "gpu-eu"), (flag.Kind, flag.Before, flag.After, flag.Deployment, flag.Provider));
        Assert.Empty(_store.Ended);
    }

    [Fact]
    public async Task A_deployment_that_was_configured_anew_is_another_one()
    {
        Answer("llama", NameShift.Established);
        var before = _deployment;
        (_deployment, _version) = (_deployment with { UpstreamModel = "llama-small" }, 2);
        Answer("llama-small", NameShift.Established);
        Assert.Null(_answers.Of(before, 1));
        Answer("llama", 50);
        await _book.WriteAsync(default);
        Assert.Equal(("llama-small", "llama"), (Assert.Single(_store.Raised).Before, _store.Raised[0].After));

        (_deployment, _version) = (_deployment with { Endpoints = [new Uri("http://10.0.0.6/v1")] }, 3);
        Answer("llama-3", 50);
        await _book.WriteAsync(default);
        Assert.Equal(_store.Raised[0].Id, Assert.Single(_store.Ended));
        Assert.Single(_store.Raised);
    }

    [Fact]
    public async Task P10_A_deployment_that_is_not_configured_any_more_is_forgotten_and_its_flags_are_over()
    {
        Configure([_deployment]);
        Answer("llama", NameShift.Established);
        Answer("llama-small", 50);
        Assert.Single(_answers.All);

        Configure([]);
        Answer("llama-small", 1);
        await _book.WriteAsync(default);

        Assert.Empty(_answers.All);
        Assert.Equal(Assert.Single(_store.Raised).Id, Assert.Single(_store.Ended));
        Assert.Equal(NameShift.Established + 51, _store.Periods.Sum(one => one.Requests));

        void Configure(Deployment[] deployments) => _snapshots.Publish(new Snapshot
        {
            Version = _version++,
            Revision = "r",
            Registry = new Registry(deployments, []),
            Tenants = FrozenDictionary<string, Tenant>.Empty,
            Keys = KeyTable.Empty,
            Peppers = [],
        });
    }

    [Fact]
    public async Task What_changes_nothing_of_the_model_goes_on_with_what_is_usual()
    {
        Answer("llama", NameShift.Established);
        (_deployment, _version) = (_deployment with { Quality = 7, MaxContext = 1000 }, 2);
        Answer("llama-small", 50);
        await _book.WriteAsync(default);

        Assert.Single(_store.Raised);
    }

    [Fact]
    public async Task Slower_answers_more_errors_and_more_refusals_are_told_with_figures()
    {
        for (var second = 0; second < 2600; second++)
        {
            var worse = second >= 1600;
            Add(new AnswerSample(AnswerEnd.Answered, TimeSpan.FromSeconds(worse ? 4 : 1.2))
            {
                IsStream = true,
                Input = 500,
                Output = 100 + (second % 10),
                EndedByItself = true,
                FirstByte = TimeSpan.FromMilliseconds((worse ? 900 : 200) + (second % 50)),
            });
            Turn();
            Add(new AnswerSample(second % 4 == 0 && worse ? AnswerEnd.Failed : second % 5 == 0 && worse ? AnswerEnd.Refused : AnswerEnd.Answered, TimeSpan.FromSeconds(1)));
            Turn();
        }

        await _book.WriteAsync(default);
        Assert.Equal(
            [AuditedKind.TimeToFirstToken, AuditedKind.TokensPerSecond, AuditedKind.ErrorRate, AuditedKind.RefusalRate],
            _store.Raised.Select(flag => flag.Kind).Order());
        var first = _store.Raised.Single(flag => flag.Kind == AuditedKind.TimeToFirstToken);
        Assert.InRange(double.Parse(first.Before, System.Globalization.CultureInfo.InvariantCulture), 200, 250);
        Assert.InRange(double.Parse(first.After, System.Globalization.CultureInfo.InvariantCulture), 850, 1000);
    }

    [Fact]
    public async Task While_the_store_is_away_nothing_is_lost_and_nothing_is_told_twice()
    {
        _store.IsAway = true;
        Answer("llama", NameShift.Established);
        Answer("llama-small", 3);
        await _book.WriteAsync(default);
        _clock.Advance(AuditBook.Period);
        Answer("llama-small", 7);
        await _book.WriteAsync(default);
        Assert.Empty(_store.Periods);

        _store.IsAway = false;
        await _book.WriteAsync(default);
        await _book.WriteAsync(default);
        Assert.Single(_store.Raised);
        Assert.Equal(NameShift.Established + 10, _store.Periods.Sum(one => one.Requests));
        Assert.Equal(10, _store.Periods.Sum(one => one.Models.GetValueOrDefault("llama-small")));
    }

    [Fact]
    public async Task A_running_period_is_written_again_as_it_grows()
    {
        Answer("llama", 3);
        await _book.WriteAsync(default);
        Answer("llama", 4);
        await _book.WriteAsync(default);

        Assert.Equal(7, Assert.Single(_store.Periods).Requests);
    }

    [Fact]
    public async Task P10_What_is_more_than_there_is_room_for_is_counted_and_not_kept()
    {
        long dropped = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, own) =>
            {
                if (instrument.Name == "tokenfactory.model_audit.dropped" && instrument.Meter.Scope == _services.GetRequiredService<IMeterFactory>())
                {
                    own.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, count, _, _) => dropped += count);
        listener.Start();
        for (var index = 0; index < DeploymentWatch.Most + 10; index++)
        {
            Add(new AnswerSample(AnswerEnd.Answered, TimeSpan.FromSeconds(1)));
        }

        _auditor.Look();
        await _book.WriteAsync(default);
        Assert.Equal(10, dropped);
        Assert.Equal(DeploymentWatch.Most, Assert.Single(_store.Periods).Requests);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(255, 0)]
    [InlineData(256, 1)]
    [InlineData(1023, 1)]
    [InlineData(1024, 2)]
    [InlineData(10_000_000, 6)]
    public void Inputs_are_compared_with_inputs_of_about_their_length(long input, int ofClass) => Assert.Equal(ofClass, DeploymentAudit.ClassOf(input));

    private void Answer(string model, int times)
    {
        for (var index = 0; index < times; index++)
        {
            Add(new AnswerSample(AnswerEnd.Answered, TimeSpan.FromSeconds(1)) { Model = model });
        }

        Turn();
    }

    private void Add(AnswerSample sample) => _answers.Of(_deployment, _version)!.Add(sample);

    private void Turn()
    {
        _clock.Advance(TimeSpan.FromMilliseconds(500));
        _auditor.Look();
    }
}
