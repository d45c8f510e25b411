using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace TokenFactory.Inference.Dispatch.Loopback;

/// <summary>One text of a batch: given as text, or as the tokens it is made of.</summary>
/// <param name="Text">The text, or the tokens' numbers in its place, since no vocabulary is at hand.</param>
internal sealed record Input(string Text, byte[] Bytes, int Tokens)
{
    private const int MostInputs = 2048;

    /// <summary>The four forms OpenAI takes: a string, strings, one array of tokens, arrays of tokens.</summary>
    public static Input[] Read(Fields fields, string name, CountTokens count)
    {
        if (!fields.TryGet(name, out var value))
        {
            fields.Refuse(name, $"You must provide a '{name}' parameter.");
            return [];
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            return [OfText(fields.Text(value, name), count)];
        }

        if (value.GetArrayLength() == 0 || value[0].ValueKind == JsonValueKind.Number)
        {
            return [OfTokens(fields, value, name)];
        }

        if (value.GetArrayLength() > MostInputs)
        {
            fields.Refuse(name, $"Invalid '{name}': at most {MostInputs} are allowed.");
            return [];
        }

        return [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Array
            ? OfTokens(fields, item, name)
            : OfText(fields.Text(item, name), count))];
    }

    private static Input OfText(string text, CountTokens count)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return new Input(text, bytes, count(bytes));
    }

    private static Input OfTokens(Fields fields, JsonElement tokens, string name)
    {
        var numbers = new List<int>(tokens.GetArrayLength());
        foreach (var token in tokens.EnumerateArray())
        {
            if (token.ValueKind != JsonValueKind.Number || !token.TryGetInt32(out var number) || number < 0)
            {
                fields.Refuse(name, $"Invalid '{name}': expected token numbers.");
                break;
            }

            numbers.Add(number);
        }

        if (numbers.Count == 0)
        {
            fields.Refuse(name, $"Invalid '{name}': it is empty.");
        }

        return new Input(string.Join(' ', numbers), MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(numbers)).ToArray(), numbers.Count);
    }
}
