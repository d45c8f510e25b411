using Anthropic.Models.Messages;

namespace TokenFactory.TestKit.Tests.Messages;

/// <summary>What the client's events add up to.</summary>
internal sealed class Streamed
{
    public string Text { get; private set; } = "";

    public List<(string Id, string Name, string Input)> Calls { get; } = [];

    public StopReason? StopReason { get; private set; }

    public long InputTokens { get; private set; }

    public long OutputTokens { get; private set; }

    /// <summary>The end was told.</summary>
    public bool Stopped { get; private set; }

    public static async Task<Streamed> ReadAsync(IAsyncEnumerable<RawMessageStreamEvent> events)
    {
        var streamed = new Streamed();
        await foreach (var one in events)
        {
            one.Switch(
                start => streamed.InputTokens = start.Message.Usage.InputTokens,
                delta => (streamed.StopReason, streamed.OutputTokens) = (delta.Delta.StopReason?.Value(), delta.Usage.OutputTokens),
                _ => streamed.Stopped = true,
                streamed.Begin,
                piece => streamed.Add(piece.Delta),
                _ => { });
        }

        return streamed;
    }

    private void Begin(RawContentBlockStartEvent start)
    {
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
