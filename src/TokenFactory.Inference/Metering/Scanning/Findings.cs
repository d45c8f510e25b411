using System.Text;
using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.Dialects.Responses;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Metering.Scanning;

/// <summary>What an answer turned out to hold, whether it came as one body or as a stream.</summary>
internal sealed class Findings(CountTokens? count) : IDisposable
{
    private const int ReasonLimitBytes = 64;

    private readonly DeliveredText? _text = count is null ? null : new DeliveredText(count);
    private ReportedUsage? _usage;
    private MessageUsage? _message;
    private bool _knowsOutput;
    private UInt128 _finished;

    /// <summary>
    /// The backend's last word, never a sum: continuous usage repeats running totals. All zeros beside delivered text is
    /// no report but a placeholder (Ollama's legacy completions put one on every chunk), and does not displace a real one.
    /// </summary>
    public ReportedUsage? Usage => SawContent && _usage is { IsAllZero: true } ? null : _usage;

    /// <summary>What a backend that says its input first had said of it when the stream was cut; null once the output is known too, or when it said nothing.</summary>
    public ReportedUsage? InputUsage => !_knowsOutput && _message?.ToReported() is { PromptTokens: > 0 } input ? input : null;

    public bool SawContent { get; private set; }

    public int FinishedChoices { get; private set; }

    /// <summary>The last finish reason, in the backend's words.</summary>
    public string? FinishReason { get; private set; }

    /// <summary>The model that the answer says it is from; null when it says none.</summary>
    public string? Model { get; private set; }

    /// <summary>OpenAI's system fingerprint; null when there is none.</summary>
    public string? Fingerprint { get; private set; }

    public long CountDelivered() => _text?.Count() ?? 0;

    /// <param name="json">A usage object of the dialect.</param>
    /// <param name="knowsOutput">False for one that a message begins with.</param>
    public void Reported(ReadOnlySpan<byte> json, Dialect dialect, bool knowsOutput)
    {
        if (dialect == Dialect.OpenAi)
        {
            Reported(ReportedUsage.Parse(json));
            return;
        }

        if (dialect == Dialect.Responses)
        {
            Reported(ResponseUsage.Parse(json));
            return;
        }

        if (MessageUsage.Parse(json) is not { } usage)
        {
            return;
        }

        _message = _message?.Then(usage) ?? usage;
        _knowsOutput |= knowsOutput && usage.Output is not null;
        if (_knowsOutput)
        {
            Reported(_message.Value.ToReported());
        }
    }

    public void Reported(ReportedUsage? usage)
    {
        if (usage is { } report && (_usage is null || !report.IsAllZero))
        {
            _usage = report;
        }
    }

    public void Finished(int choice, ReadOnlySpan<byte> reason)
    {
        // Choices beyond the mask share its last bit: nobody asks for 128 answers, and the count must stay bounded.
        var bit = UInt128.One << Math.Clamp(choice, 0, 127);
        FinishedChoices += (_finished & bit) == 0 ? 1 : 0;
        _finished |= bit;
        FinishReason = Name(reason);
    }

    /// <summary>The first that is said counts. Both are the insides of JSON strings, or empty.</summary>
    public void Named(ReadOnlySpan<byte> model, ReadOnlySpan<byte> fingerprint)
    {
        Model ??= ReportedNames.Of(model);
        Fingerprint ??= ReportedNames.Of(fingerprint);
    }

    /// <param name="raw">The inside of a JSON string.</param>
    public void Delivered(int choice, ReadOnlySpan<byte> raw)
    {
        if (!raw.IsEmpty)
        {
            SawContent = true;
            _text?.Append(choice, raw);
        }
    }

    public void Dispose() => _text?.Dispose();

    private static string Name(ReadOnlySpan<byte> reason) =>
        reason.SequenceEqual("stop"u8) ? "stop"
        : reason.SequenceEqual("length"u8) ? "length"
        : reason.SequenceEqual("tool_calls"u8) ? "tool_calls"
        : reason.SequenceEqual("content_filter"u8) ? "content_filter"
        : Encoding.UTF8.GetString(reason[..Math.Min(reason.Length, ReasonLimitBytes)]);
}
