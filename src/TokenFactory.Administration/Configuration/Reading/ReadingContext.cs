using TokenFactory.Administration.Configuration.Reading.Sections;
using TokenFactory.Administration.Secrets;

namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>What one reading has met so far: its mistakes, and the secrets and files it went through.</summary>
internal sealed class ReadingContext(string source, string directory, IReadOnlyDictionary<string, string> environment)
{
    private List<ConfigurationMistake> _mistakes = [];

    /// <summary>The configuration file's name, as mistakes show it.</summary>
    public string Source { get; } = source;

    /// <summary>What relative <c>file:</c> references are relative to: the configuration file's own directory.</summary>
    public string Directory { get; } = directory;

    public IReadOnlyDictionary<string, string> Environment { get; } = environment;

    public RegisteredBounds Registered { get; set; } = RegisteredBounds.None;

    public List<string> Files { get; private init; } = [];

    /// <summary>Digests of the secrets' values and of what other files say: a change in one of them is a changed configuration.</summary>
    public List<string> SecretDigests { get; private init; } = [];

    /// <summary>What sealed credentials open under; read before whatever may have one.</summary>
    public SecretKeyring Keys { get; set; } = SecretKeyring.None;

    public IReadOnlyList<ConfigurationMistake> Mistakes =>
        [.. _mistakes.Distinct().OrderBy(m => m.Line == 0).ThenBy(m => m.Line).ThenBy(m => m.Column)];

    /// <summary>For a file that the configuration names: its mistakes are told with the configuration's own.</summary>
    public ReadingContext Inner(string innerSource, string innerDirectory) =>
        new(innerSource, innerDirectory, Environment) { Files = Files, SecretDigests = SecretDigests, Keys = Keys, _mistakes = _mistakes };

    public void Mistake(Origin origin, string path, string message) =>
        _mistakes.Add(new ConfigurationMistake(origin.Source, Math.Max(origin.Line, 0), Math.Max(origin.Column, 0), path, message));
}
