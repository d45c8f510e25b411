using System.Text.RegularExpressions;
using Xunit;

namespace TokenFactory.Inference.Tests.Architecture;

/// <summary>The walls of docs/architecture.md: which project may know which, and that a stop knows only stops before it.</summary>
public sealed partial class WallTests
{
    // The order of the path. Conversations are what a caller may go on with. ReadModel is what every stop judges by, Dialects the languages that clients and backends speak;
    // Models and Stored are endpoints beside the path, and Infer is a contract around it.
    private static readonly string[] _stops =
        ["ReadModel", "Dialects", "Intake", "Access", "Conversations", "Guard", "Limits", "Policy", "Routing", "Dispatch", "Metering", "ModelAudit", "Ledger", "Models", "Stored", "Infer"];

    private static readonly string _source = Path.Combine(FindHouse(), "src");

    [Fact]
    public void A_stop_uses_only_stops_before_it()
    {
        var breaches =
            from file in Directory.EnumerateFiles(Path.Combine(_source, "TokenFactory.Inference"), "*.cs", SearchOption.AllDirectories)
            let stop = Path.GetRelativePath(Path.Combine(_source, "TokenFactory.Inference"), file).Split(Path.DirectorySeparatorChar)[0]
            let own = Array.IndexOf(_stops, stop)
            where own >= 0
            from Match match in NamespaceOfStop().Matches(File.ReadAllText(file))
            let used = Array.IndexOf(_stops, match.Groups[1].Value)
            where used > own
            select $"{stop}/{Path.GetFileName(file)} uses {_stops[used]}";

        Assert.Empty(breaches.Distinct());
    }

    [Fact]
    public void Every_folder_of_the_data_plane_is_a_stop_of_the_path()
    {
        var folders = Directory.EnumerateDirectories(Path.Combine(_source, "TokenFactory.Inference")).Select(Path.GetFileName);

        Assert.Empty(folders.Except([.. _stops, "obj", "bin"]));
    }

    [Theory]
    [InlineData("TokenFactory.Tokenizer", new string[0])]
    [InlineData("TokenFactory.Storage", new string[0])]
    [InlineData("TokenFactory.Inference", new[] { "TokenFactory.Storage", "TokenFactory.Tokenizer" })]
    [InlineData("TokenFactory.Administration", new[] { "TokenFactory.Inference", "TokenFactory.Storage", "TokenFactory.Tokenizer" })]
    public void A_project_references_only_what_the_house_allows(string project, string[] allowed)
    {
        var text = File.ReadAllText(Path.Combine(_source, project, project + ".csproj"));
        var referenced = ProjectReference().Matches(text).Select(m => m.Groups[1].Value);

        Assert.Empty(referenced.Except(allowed));
    }

    [GeneratedRegex(@"TokenFactory\.Inference\.(\w+)")]
    private static partial Regex NamespaceOfStop();

    [GeneratedRegex("<ProjectReference Include=\"[^\"]*/([A-Za-z.]+)\\.csproj\"")]
    private static partial Regex ProjectReference();

    internal static string FindHouse()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "TokenFactory.Gateway.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("the solution's folder is not above the tests");
    }
}
