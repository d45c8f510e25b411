using System.CommandLine;
using TokenFactory.Administration.Policies;

namespace TokenFactory.Gateway.Commands;

/// <summary><c>gateway policy test FILE</c>: a bundle's own test cases, before it is put in force. Needs no configuration and no store.</summary>
internal static class PolicyCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "The bundle's YAML file." };
        var test = new Command("test", "Run the test cases of a policy bundle; exit code 1 when one of them fails.") { file };
        test.SetAction(parsed => Run(parsed.GetValue(file)!, parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error));
        return new Command("policy", "Check the sovereignty rules.") { test };
    }

    private static int Run(string file, TextWriter output, TextWriter error)
    {
        var (document, mistakes) = PolicyDocumentReader.ReadFile(file);
        if (document is null)
        {
            foreach (var mistake in mistakes)
            {
                error.WriteLine(mistake);
            }

            return 1;
        }

        if (document.Cases.Count == 0)
        {
            error.WriteLine($"{file}: there are no tests: write tests: [ {{ name: …, request: {{ … }}, expect: {{ effect: deny }} }} ]");
            return 1;
        }

        var failed = 0;
        foreach (var policyCase in document.Cases)
        {
            var fault = policyCase.FaultIn(document.Bundle);
            failed += fault is null ? 0 : 1;
            output.WriteLine(fault is null ? $"passed  {policyCase.Name}" : $"FAILED  {policyCase.Name}: {fault}");
        }

        output.WriteLine($"bundle {document.Bundle.Version}: {document.Cases.Count - failed} passed, {failed} failed");
        return failed == 0 ? 0 : 1;
    }
}
