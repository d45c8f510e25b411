using Anthropic.Models.Messages;

namespace TokenFactory.Gateway.EndToEnd.Clients;

/// <summary>What the Anthropic client's events add up to.</summary>
internal sealed class StreamedMessage
{
    public string Text { get; private set; } = "";

    public List<(string Id, string Name, string Input)> Calls { get; } = [];

    /// <summary>The types of the blocks, in order.</summary>
    public string[] Types { get; private set; } = [];

    public StopReason? StopReason { get; private set; }

    public long InputTokens { get; private set; }

    public long CacheReadTokens { get; private set; }

    public long OutputTokens { get; private set; }

    /// <summary>The end was told.</summary>
    public bool Stopped { get; private set; }

    public static async Task<StreamedMessage> ReadAsync(IAsyncEnumerable<RawMessageStreamEvent> events)
    {
        var streamed = new StreamedMessage();
        await foreach (var one in events)
        {
            one.Switch(
                start => (streamed.InputTokens, streamed.CacheReadTokens) = (start.Message.Usage.InputTokens, start.Message.Usage.CacheReadInputTokens ?? 0),
                streamed.End,
                _ => streamed.Stopped = true,
                streamed.Begin,
                piece => streamed.Add(piece.Delta),
                _ => { });
        }

        return streamed;
    }

    /// <summary>The last word on usage: some backends know the input only when they end.</summary>
    private void End(RawMessageDeltaEvent delta)
    {
        StopReason = delta.Delta.StopReason?.Value();
        InputTokens = delta.Usage.InputTokens ?? InputTokens;
        CacheReadTokens = delta.Usage.CacheReadInputTokens ?? CacheReadTokens;
        OutputTokens = delta.Usage.OutputTokens;
    }

    private void Begin(RawContentBlockStartEvent start)
    {
        Types = [.. Types, start.ContentBlock.Type.Raw()];
        if (start.ContentBlock.TryPickToolUse(out var use))
        {
            Calls.Add((use.ID, use.Name, ""));
        }
    }

    private void Add(RawContentBlockDelta delta)
    {
        if (delta.TryPickText(out var text))
        {
            Text += text.Text;
        }
        else if (delta.TryPickInputJson(out var json))
        {
            Calls[^1] = Calls[^1] with { Input = Calls[^1].Input + json.PartialJson };
        }
    }
}
