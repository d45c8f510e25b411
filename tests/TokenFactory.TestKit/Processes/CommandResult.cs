namespace TokenFactory.TestKit.Processes;

/// <summary>A command that ran to its end.</summary>
public sealed record CommandResult(int ExitCode, string Output, string Error)
{
    public override string ToString() => $"exit code {ExitCode}\nout| {Output}\nerr| {Error}";
}
