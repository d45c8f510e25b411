using System.Globalization;
using System.Numerics;
using TokenFactory.Inference.Metering;
using TokenFactory.Inference.ModelAudit.Changes;
using TokenFactory.Storage.ModelAudit;

namespace TokenFactory.Inference.ModelAudit;

/// <param name="Change">Null when what was raised is over.</param>
internal readonly record struct Finding(AuditedKind Kind, Change<string>? Change);

/// <summary>
/// The tests of one deployment under one configuration. Figures and shares take one sample of each turn at most: what comes within the same
/// second is one burst, and says one thing. Names take all. Not thread-safe.
/// </summary>
internal sealed class DeploymentAudit
{
    // What nobody feels is no degradation, however certain it is.
    private static readonly ShiftRule _later = new(Direction.Up, 1.3, 50);
    private static readonly ShiftRule _slower = new(Direction.Down, 1.25, 1);
    private static readonly ShiftRule _otherLength = new(Direction.Either, 1.5, 8);
    private static readonly RateRule _moreErrors = new(2, 0.05);
    private static readonly RateRule _moreRefusals = new(2, 0.03);

    private readonly RankShift _firstToken = new(_later);
    private readonly RankShift _speed = new(_slower);
    private readonly RankShift _output = new(_otherLength);
    private readonly RateShift _errors = new(_moreErrors);
    private readonly RateShift _refusals = new(_moreRefusals);
    private readonly NameShift _model = new();
    private readonly NameShift _fingerprint = new();

    /// <summary>One turn: the samples since the last one, in the order they came.</summary>
    /// <param name="isOneModel">False where the deployment runs whatever model is asked for: then only its errors and refusals can be compared.</param>
    public void Take(ReadOnlySpan<AnswerSample> samples, DateTimeOffset at, Action<Finding> found, bool isOneModel = true)
    {
        var (attempt, answer, first, speed, output) = (false, false, false, false, false);
        foreach (ref readonly var sample in samples)
        {
            if (Once(ref attempt))
            {
                Tell(AuditedKind.ErrorRate, _errors.Add(sample.End == AnswerEnd.Failed, at), _errors.Raised, found);
            }

            if (sample.End == AnswerEnd.Failed)
            {
                continue;
            }

            if (Once(ref answer))
            {
                Tell(AuditedKind.RefusalRate, _refusals.Add(sample.End == AnswerEnd.Refused, at), _refusals.Raised, found);
            }

            if (!isOneModel)
            {
                continue;
            }

            Name(AuditedKind.Model, _model, sample.Model, at, found);
            Name(AuditedKind.SystemFingerprint, _fingerprint, sample.Fingerprint, at, found);
            if (sample.FirstByte is { } byteAt && Once(ref first))
            {
                Tell(AuditedKind.TimeToFirstToken, _firstToken.Add(ClassOf(sample.Input), Math.Max(byteAt.TotalMilliseconds, 0.01), at), _firstToken.Raised, found);
            }

            if (Figures.SpeedOf(sample) is { } tokensPerSecond && Once(ref speed))
            {
                // A whole answer's time has its prompt's in it, so it is no measure for a stream's.
                Tell(AuditedKind.TokensPerSecond, _speed.Add((ClassOf(sample.Input) * 2) + (sample.IsStream ? 1 : 0), tokensPerSecond, at), _speed.Raised, found);
            }

            if (Figures.LengthOf(sample) is { } length && Once(ref output))
            {
                Tell(AuditedKind.OutputTokens, _output.Add(ClassOf(sample.Input), length, at), _output.Raised, found);
            }
        }
    }

    /// <summary>Inputs of about the same length: each class reaches to four times the one before it, from 256 tokens on.</summary>
    internal static int ClassOf(long input) => input < 256 ? 0 : Math.Min((BitOperations.Log2((ulong)input) - 6) / 2, 6);

    private static bool Once(ref bool taken) => !taken && (taken = true);

    private static void Name(AuditedKind kind, NameShift shift, string? name, DateTimeOffset at, Action<Finding> found)
    {
        if (name is not null && shift.Add(name, at) is var verdict and not Verdict.Nothing)
        {
            found(new Finding(kind, verdict == Verdict.Raised ? shift.Raised : null));
        }
    }

    private static void Tell(AuditedKind kind, Verdict verdict, Change<double>? raised, Action<Finding> found)
    {
        if (verdict != Verdict.Nothing)
        {
            found(new Finding(kind, verdict == Verdict.Raised && raised is { } change ? new Change<string>(Text(change.Before), Text(change.After), change.Since) : null));
        }
    }

    /// <summary>As JSON writes it; more digits would be no more true.</summary>
    private static string Text(double figure) => ((decimal)Math.Round(figure, 4)).ToString(CultureInfo.InvariantCulture);
}
