namespace TokenFactory.Tokenizer;

/// <summary>Which models OpenAI lists under cl100k_base. A list of the old ones, because the new ones are many.</summary>
internal static class ModelNames
{
    private static readonly string[] _cl100kFamilies =
    [
        "gpt-4", "gpt-3.5-turbo", "gpt-35-turbo", "text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002", "davinci-002", "babbage-002",
    ];

    internal static bool IsCl100k(string model)
    {
        var name = model.AsSpan(model.LastIndexOf('/') + 1);
        if (name.StartsWith("ft:", StringComparison.OrdinalIgnoreCase))
        {
            name = name[3..];
        }

        foreach (var family in _cl100kFamilies)
        {
            if (name.StartsWith(family, StringComparison.OrdinalIgnoreCase) && EndsHere(name[family.Length..]))
            {
                return true;
            }
        }

        return false;
    }

    // "gpt-4-turbo" and "gpt-4:org" are of the family gpt-4; "gpt-4o" and "gpt-4.1" are not.
    private static bool EndsHere(ReadOnlySpan<char> rest) => rest.IsEmpty || rest[0] is '-' or ':';
}
