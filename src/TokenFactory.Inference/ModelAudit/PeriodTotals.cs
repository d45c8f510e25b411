using TokenFactory.Inference.Metering;
using TokenFactory.Storage.ModelAudit;

namespace TokenFactory.Inference.ModelAudit;

/// <summary>What one deployment did within one period, added up as it comes. Not thread-safe.</summary>
internal sealed class PeriodTotals(DateTimeOffset start)
{
    private const int MostNames = 16;
    private const string OtherName = "(others)";

    private readonly LogHistogram _firstTokenMs = new();
    private readonly LogHistogram _tokensPerSecond = new();
    private readonly LogHistogram _outputTokens = new();
    private readonly Dictionary<string, long> _models = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _fingerprints = new(StringComparer.Ordinal);
    private long _requests;
    private long _errors;
    private long _refusals;

    public DateTimeOffset Start => start;

    public void Add(in AnswerSample sample)
    {
        _requests++;
        _errors += sample.End == AnswerEnd.Failed ? 1 : 0;
        _refusals += sample.End == AnswerEnd.Refused ? 1 : 0;
        if (sample.FirstByte is { } first)
        {
            _firstTokenMs.Add(first.TotalMilliseconds);
        }

        if (Figures.SpeedOf(sample) is { } speed)
        {
            _tokensPerSecond.Add(speed);
        }

        if (Figures.LengthOf(sample) is { } length)
        {
            _outputTokens.Add(length);
        }

        Count(_models, sample.Model);
        Count(_fingerprints, sample.Fingerprint);
    }

    public AuditedPeriod Written(string deployment, Guid instance)
    {
        return new AuditedPeriod
        {
            Deployment = deployment,
            Start = start,
            InstanceId = instance,
            Requests = _requests,
            Errors = _errors,
            Refusals = _refusals,
            FirstTokenMs = Copy(_firstTokenMs),
            TokensPerSecond = Copy(_tokensPerSecond),
            OutputTokens = Copy(_outputTokens),
            Models = new Dictionary<string, long>(_models, StringComparer.Ordinal),
            Fingerprints = new Dictionary<string, long>(_fingerprints, StringComparer.Ordinal),
        };

        static LogHistogram Copy(LogHistogram of)
        {
            var copy = new LogHistogram();
            copy.Add(of);
            return copy;
        }
    }

    private static void Count(Dictionary<string, long> names, string? name)
    {
        if (name is null)
        {
            return;
        }

        var counted = names.Count < MostNames || names.ContainsKey(name) ? name : OtherName;
        names[counted] = names.GetValueOrDefault(counted) + 1;
    }
}
