namespace TokenFactory.Administration.Configuration;

/// <summary>One thing that is wrong in the configuration, where it is, and what to do about it. Never holds a secret's value.</summary>
/// <param name="Source">The file, or the environment variable that overrode it.</param>
/// <param name="Line">From 1; 0 when the source has no lines (an environment variable, an unreadable file).</param>
/// <param name="Column">From 1; 0 when the source has no lines.</param>
/// <param name="Path">For example <c>deployments[2].provider</c>; empty for the document itself.</param>
public sealed record ConfigurationMistake(string Source, int Line, int Column, string Path, string Message)
{
    public override string ToString()
    {
        var place = Line > 0 ? $"{Source}:{Line}:{Column}" : Source;
        return Path.Length > 0 ? $"{place}: {Path}: {Message}" : $"{place}: {Message}";
    }
}
