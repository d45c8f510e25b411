using System.Text.RegularExpressions;

namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>Names that are safe in events, labels, file names and limiter keys.</summary>
internal static partial class Names
{
    public const string Form = "a name has 1 to 64 letters, digits, '.', '_', '-' or '@', and starts with a letter or digit";

    public static bool AreValid(string name) => Pattern.IsMatch(name);

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\z")]
    private static partial Regex Pattern { get; }
}
