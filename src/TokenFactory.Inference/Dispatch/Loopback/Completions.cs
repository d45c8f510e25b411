using TokenFactory.Inference.Dispatch.Loopback.Choices;

namespace TokenFactory.Inference.Dispatch.Loopback;

/// <summary>Answers <c>POST …/completions</c>: says each prompt back, <c>n</c> times.</summary>
internal static class Completions
{
    public static Reply Answer(Fields fields, Guid id, long created, CountTokens count)
    {
        var asked = Generation.Read(fields);
        var prompts = Input.Read(fields, "prompt", count);
        var echoes = prompts.Select(prompt => Echo.Of(prompt.Text, asked, count)).ToArray();
        IChoice[] choices = [.. echoes.SelectMany(echo => Enumerable.Repeat(new TextChoice(echo), asked.Choices))];
        var usage = new Usage(prompts.Sum(prompt => prompt.Tokens), echoes.Sum(echo => echo.Tokens) * asked.Choices);
        return new Reply($"cmpl-{id:N}", created, "text_completion", "text_completion", asked, choices, usage);
    }
}
