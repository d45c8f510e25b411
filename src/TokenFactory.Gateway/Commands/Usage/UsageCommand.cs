using System.CommandLine;
using TokenFactory.Administration.Usage;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Gateway.Commands.Usage;

/// <summary><c>gateway usage</c>: the ledger as the operator sees it, over all tenants unless one is named.</summary>
internal static class UsageCommand
{
    private const UsageGrouping Groups = UsageGrouping.Day | UsageGrouping.Model | UsageGrouping.Key | UsageGrouping.Project;

    public static Command Create()
    {
        var command = new Command("usage", "Show what was used and what it cost");
        command.Subcommands.Add(Summary());
        command.Subcommands.Add(Logs());
        return command;
    }

    private static Command Summary()
    {
        var options = new UsageOptions();
        var by = new Option<string?>("--by") { Description = "Group by any of day, model, key, project; the default is all" };
        var command = new Command("summary", "Totals") { by };
        options.AddTo(command);
        command.SetAction((result, cancel) => OpenedStore.RunAsync(options.Store, result, async opened =>
        {
            var question = UsageQuestion.OfSummary(options.Parameters(result, ("group_by", result.GetValue(by))), Groups);
            if (question.Refusal is { } refusal)
            {
                return await OpenedStore.RefuseAsync(UsageOptions.Explain(refusal));
            }

            var totals = await opened.Ledger.SummariseAsync(options.FilterFor(question, result), question.GroupBy, cancel);
            await Console.Out.WriteLineAsync(result.GetValue(options.Json) ? UsageJson.Of(totals) : UsageTables.Of(totals, question.GroupBy));
            return 0;
        }, cancel));
        return command;
    }

    private static Command Logs()
    {
        var options = new UsageOptions();
        var outcome = new Option<string?>("--outcome") { Description = "Only requests that ended so, such as completed or client_cut" };
        var limit = new Option<string?>("--limit") { Description = "How many, 1 to 1000; the default is 100" };
        var after = new Option<string?>("--after") { Description = "The cursor a page before this one ended with" };
        var command = new Command("logs", "Settled requests, the newest first") { outcome, limit, after };
        options.AddTo(command);
        command.SetAction((result, cancel) => OpenedStore.RunAsync(options.Store, result, async opened =>
        {
            var question = UsageQuestion.OfLogs(options.Parameters(
                result, ("outcome", result.GetValue(outcome)), ("limit", result.GetValue(limit)), ("after", result.GetValue(after))));
            if (question.Refusal is { } refusal)
            {
                return await OpenedStore.RefuseAsync(UsageOptions.Explain(refusal));
            }

            try
            {
                var page = await opened.Ledger.PageAsync(options.FilterFor(question, result), question.After, question.Limit, cancel);
                await Console.Out.WriteLineAsync(result.GetValue(options.Json) ? UsageJson.ForOperator(page) : UsageTables.Of(page));
                if (page.Next is { } next)
                {
                    await Console.Error.WriteLineAsync($"There is more: --after {next}");
                }

                return 0;
            }
            catch (FormatException)
            {
                return await OpenedStore.RefuseAsync("--after: write the cursor a page before this one ended with, unchanged");
            }
        }, cancel));
        return command;
    }
}
