using System.Diagnostics;
using System.Diagnostics.Metrics;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference;

/// <summary>
/// The gateway's instruments. <c>gen_ai.client.*</c> follow the OpenTelemetry GenAI conventions, in which a gateway is the
/// client of the model server; its own inbound side is <c>http.server.request.duration</c>, which ASP.NET Core measures.
/// Labels are bounded: configured names and closed lists only. With no listener a recording is one comparison.
/// </summary>
internal sealed class GatewayMetrics
{
    /// <summary>The drift recorded when the backend reported nothing for what we counted: a ratio would be infinite.</summary>
    public const double MaxDrift = 10;

    private readonly Meter _meter;
    private readonly Histogram<long> _tokens;
    private readonly Histogram<double> _operation;
    private readonly Histogram<double> _firstChunk;
    private readonly Histogram<double> _overhead;
    private readonly Histogram<double> _drift;
    private readonly Counter<long> _requests;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _attempts;
    private readonly Counter<long> _passes;
    private readonly Counter<long> _connectRefusals;
    private readonly Counter<long> _shadows;
    private readonly Counter<long> _externals;
    private readonly Histogram<double> _external;
    private readonly UpDownCounter<int> _externalsOpen;
    private readonly UpDownCounter<int> _streams;

    public GatewayMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(Telemetry.Name);
        _tokens = _meter.CreateHistogram("gen_ai.client.token.usage", "{token}", "Billable tokens used, by kind", null, Buckets.Tokens);
        _operation = _meter.CreateHistogram("gen_ai.client.operation.duration", "s", "Duration of a call to a backend", null, Buckets.Operation);
        _firstChunk = _meter.CreateHistogram("gen_ai.client.operation.time_to_first_chunk", "s", "From the call to the backend's first chunk", null, Buckets.Operation);
        _overhead = _meter.CreateHistogram("tokenfactory.overhead.duration", "s", "The gateway's own share of a request's duration", null, Buckets.Overhead);
        _drift = _meter.CreateHistogram("tokenfactory.usage.drift", "1", "Tokens we counted over tokens the backend reported", null, Buckets.Drift);
        _requests = _meter.CreateCounter<long>("tokenfactory.requests", "{request}", "Requests that ended");
        _refusals = _meter.CreateCounter<long>("tokenfactory.refusals", "{request}", "Requests refused, by the stop that refused");
        _attempts = _meter.CreateCounter<long>("tokenfactory.attempts", "{attempt}", "Tries at a deployment");
        _passes = _meter.CreateCounter<long>("tokenfactory.deployment.passes", "{pass}", "Times a deployment began to be passed over, by why");
        _connectRefusals = _meter.CreateCounter<long>("tokenfactory.connect.refusals", "{connection}", "Connections not made, because a name led to an address that its provider may not be at");
        _shadows = _meter.CreateCounter<long>("tokenfactory.policy.shadow.verdicts", "{request}", "Requests that a shadow bundle was asked about too, by what it would have changed");
        _externals = _meter.CreateCounter<long>("tokenfactory.policy.external.answers", "{answer}", "What the decision endpoint answered, or why it gave no answer");
        _external = _meter.CreateHistogram("tokenfactory.policy.external.duration", "s", "How long the decision endpoint took", null, Buckets.Overhead);
        _externalsOpen = _meter.CreateUpDownCounter<int>("tokenfactory.policy.external.open", "{question}", "Questions that the decision endpoint has now");
        _streams = _meter.CreateUpDownCounter<int>("tokenfactory.streams.open", "{stream}", "Streams being answered now");
    }

    /// <param name="outcome">One of <see cref="Policy.ShadowVerdict.Word"/>'s.</param>
    public void Shadowed(string outcome)
    {
        if (_shadows.Enabled)
        {
            _shadows.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
        }
    }

    /// <param name="outcome">One of <see cref="Policy.ExternalAnswer.Word"/>'s.</param>
    public void ExternalAnswered(string outcome, TimeSpan after)
    {
        var tag = new KeyValuePair<string, object?>("outcome", outcome);
        _externals.Add(1, tag);
        _external.Record(after.TotalSeconds, tag);
    }

    public void ExternalStarted() => _externalsOpen.Add(1);

    public void ExternalEnded() => _externalsOpen.Add(-1);

    /// <param name="operation"><c>chat</c>, <c>completions</c>, <c>embeddings</c>; null when it was never known.</param>
    /// <param name="outcome">Null when the request was refused before its admission.</param>
    /// <param name="errorCode">From the closed list of gateway errors; null is none.</param>
    public void RequestEnded(string? operation, Outcome? outcome, int statusCode, string? errorCode)
    {
        if (!_requests.Enabled)
        {
            return;
        }

        var tags = new TagList
        {
            { "operation", operation ?? "unknown" },
            { "outcome", MetricLabels.Of(outcome) },
            { "status_class", MetricLabels.OfStatus(statusCode) },
            { "error_code", errorCode ?? "none" },
        };
        _requests.Add(1, in tags);
    }

    /// <param name="own">The request's duration less the time spent waiting for the backend.</param>
    public void OverheadMeasured(string operation, TimeSpan own)
    {
        if (_overhead.Enabled)
        {
            _overhead.Record(own.TotalSeconds, new KeyValuePair<string, object?>("operation", operation));
        }
    }

    public void Refused(string stop, string code)
    {
        if (_refusals.Enabled)
        {
            _refusals.Add(1, new("stop", stop), new("code", code));
        }
    }

    /// <param name="result">From a closed list of the dispatcher.</param>
    public void Attempted(string deployment, string result)
    {
        if (_attempts.Enabled)
        {
            _attempts.Add(1, new("deployment", deployment), new("result", result));
        }
    }

    /// <param name="reason">One of <see cref="Storage.Journal.Skip"/>'s.</param>
    public void PassedOver(string deployment, string reason)
    {
        if (_passes.Enabled)
        {
            _passes.Add(1, new("deployment", deployment), new("reason", reason));
        }
    }

    /// <param name="range">A name of <see cref="ReadModel.Addresses.AddressRanges"/>.</param>
    public void ConnectRefused(string deployment, string range) => _connectRefusals.Add(1, new("deployment", deployment), new("range", range));

    /// <summary>Registers the gauge of deployments that are passed over now; a deployment that may be asked has reason none and value 0.</summary>
    public void ObservePassedOver(Func<IEnumerable<(string Deployment, string? Reason)>> standings)
    {
        _meter.CreateObservableGauge("tokenfactory.deployment.passed_over", Read, null, "Whether a deployment is passed over now, and why");

        IEnumerable<Measurement<int>> Read() =>
            standings().Select(one => new Measurement<int>(one.Reason is null ? 0 : 1, new("deployment", one.Deployment), new("reason", one.Reason ?? "none")));
    }

    /// <param name="firstChunk">Null when none came.</param>
    /// <param name="errorType">From a closed list; null when the call went well.</param>
    public void CallEnded(in ModelCall call, TimeSpan duration, TimeSpan? firstChunk, string? errorType)
    {
        if (!_operation.Enabled && !_firstChunk.Enabled)
        {
            return;
        }

        var tags = call.ToTags();
        if (firstChunk is { } first)
        {
            _firstChunk.Record(first.TotalSeconds, in tags);
        }

        if (errorType is not null)
        {
            tags.Add("error.type", errorType);
        }

        _operation.Record(duration.TotalSeconds, in tags);
    }

    /// <summary>Billable tokens: call once per settlement, never for a missing count.</summary>
    public void TokensUsed(in ModelCall call, in TokenUsage usage)
    {
        if (!_tokens.Enabled)
        {
            return;
        }

        var tags = call.ToTags();
        tags.Add("gen_ai.token.type", "input");
        _tokens.Record(usage.Input, in tags);
        tags[^1] = new("gen_ai.token.type", "output");
        _tokens.Record(usage.Output, in tags);
    }

    /// <summary>Compares our count with the backend's for one request; 1 is agreement.</summary>
    public void Compared(string deployment, long counted, long reported)
    {
        if (!_drift.Enabled || (counted == 0 && reported == 0))
        {
            return;
        }

        var ratio = reported == 0 ? MaxDrift : Math.Min((double)counted / reported, MaxDrift);
        _drift.Record(ratio, new KeyValuePair<string, object?>("deployment", deployment));
    }

    public void StreamOpened() => _streams.Add(1);

    public void StreamClosed() => _streams.Add(-1);

    /// <summary>Registers the gauge of the process-wide body budget; read when metrics are collected, free otherwise.</summary>
    public void ObserveReservedBytes(Func<long> reserved) =>
        _meter.CreateObservableGauge("tokenfactory.body.reserved_bytes", reserved, "By", "Bytes reserved now for request bodies and for answers that are held");
}
