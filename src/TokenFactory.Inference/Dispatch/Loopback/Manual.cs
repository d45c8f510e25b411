using TokenFactory.Inference.Dispatch.Loopback.Choices;

namespace TokenFactory.Inference.Dispatch.Loopback;

/// <summary>Answers with what an operator wrote, whole and whatever was asked. No model ran, so no tokens were used.</summary>
internal static class Manual
{
    public static Func<Fields, Guid, long, CountTokens, Reply> OfChat(string says) => (fields, id, created, count) =>
        Of(fields, $"chatcmpl-{id:N}", created, ("chat.completion", "chat.completion.chunk"), said => new ChatChoice(said), says, count);

    public static Func<Fields, Guid, long, CountTokens, Reply> OfCompletions(string says) => (fields, id, created, count) =>
        Of(fields, $"cmpl-{id:N}", created, ("text_completion", "text_completion"), said => new TextChoice(said), says, count);

    private static Reply Of(Fields fields, string id, long created, (string Whole, string Chunk) kind, Func<Echo, IChoice> choice, string says, CountTokens count)
    {
        var asked = Generation.Read(fields);
        var said = Echo.Of(says, asked with { MaxTokens = Generation.MostTokens, Stops = [] }, count);
        return new Reply(id, created, kind.Whole, kind.Chunk, asked, [.. Enumerable.Repeat(choice(said), asked.Choices)], new Usage(0, 0));
    }
}
