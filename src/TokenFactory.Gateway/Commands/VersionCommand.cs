using System.CommandLine;
using System.Runtime.InteropServices;

namespace TokenFactory.Gateway.Commands;

/// <summary><c>gateway version</c>: what a bug report needs, one fact a line.</summary>
internal static class VersionCommand
{
    private static readonly string[] _encodings = ["cl100k_base", "o200k_base"];

    public static Command Create()
    {
        var command = new Command("version", "Print the version of the gateway, its runtime and its tokenizer's encodings");
        command.SetAction(result => Print(result.InvocationConfiguration.Output, ProductVersion.Current));
        return command;
    }

    internal static void Print(TextWriter output, ProductVersion product)
    {
        output.WriteLine($"gateway    {product.Version}");
        output.WriteLine($"commit     {product.Commit ?? "unknown"}");
        output.WriteLine($"runtime    {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}");
        output.WriteLine($"tokenizer  {string.Join(", ", _encodings)}");
    }
}
