using System.CommandLine;
using System.Globalization;
using TokenFactory.Administration;
using TokenFactory.Administration.Requests;
using TokenFactory.Administration.Usage;
using TokenFactory.Gateway.Commands.Usage;
using TokenFactory.Storage.Requests;

namespace TokenFactory.Gateway.Commands.Requests;

/// <summary><c>gateway requests</c>: what runs and what has ended, on whatever replica, and stopping it, as the operator may over all tenants.</summary>
internal static class RequestsCommand
{
    private const string Running = "running";

    public static Command Create()
    {
        var command = new Command("requests", "Look at requests while they run and after, and stop them");
        command.Subcommands.Add(List());
        command.Subcommands.Add(Show());
        command.Subcommands.Add(Cancel());
        return command;
    }

    private static Command List()
    {
        var options = new UsageOptions();
        var state = new Option<string?>("--state") { Description = "Only requests that are running, or that ended so, such as completed or cancelled" };
        var limit = new Option<string?>("--limit") { Description = "How many, 1 to 1000; the default is 100" };
        var after = new Option<string?>("--after") { Description = "The cursor a page before this one ended with" };
        var command = new Command("list", "Requests, the newest first") { state, limit, after };
        options.AddTo(command);
        command.SetAction((result, cancel) => OpenedStore.RunAsync(options.Store, result, async opened =>
        {
            var question = UsageQuestion.OfRequests(options.Parameters(
                result, ("state", result.GetValue(state)), ("limit", result.GetValue(limit)), ("after", result.GetValue(after))));
            if (question.Refusal is { } refusal)
            {
                return await OpenedStore.RefuseAsync(UsageOptions.Explain(refusal));
            }

            try
            {
                var page = await opened.Requests.PageAsync(options.FilterFor(question, result), question.States, question.After, question.Limit, cancel);
                await Console.Out.WriteLineAsync(result.GetValue(options.Json) ? RequestJson.ForOperator(page) : Table(page));
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

    private static Command Show()
    {
        var store = new StoreOptions();
        var id = Id();
        var command = new Command("show", "One request as JSON, with its attempts, its usage and its decision; why it went where: gateway admin explain --request") { id };
        store.AddTo(command);
        command.SetAction((result, cancel) => OpenedStore.RunAsync(store, result, async opened =>
        {
            if (await opened.Requests.FindAsync(result.GetValue(id), tenant: null, project: null, cancel) is not { } found)
            {
                return await UnknownAsync();
            }

            await Console.Out.WriteLineAsync(RequestJson.ForOperator(found));
            return 0;
        }, cancel));
        return command;
    }

    private static Command Cancel()
    {
        var store = new StoreOptions();
        var id = Id();
        var command = new Command("cancel", "Ask the process that runs a request to stop it") { id };
        store.AddTo(command);
        command.SetAction((result, cancel) => OpenedStore.RunAsync(store, result, async opened =>
        {
            var request = result.GetValue(id);
            await opened.Cancellations.RequestAsync(request, tenant: null, project: null, keyId: null, cancel);
            if (await opened.Requests.FindAsync(request, tenant: null, project: null, cancel) is not { } found)
            {
                return await UnknownAsync();
            }

            await Console.Out.WriteLineAsync(found.Outcome is null ? "It will be stopped by the process that runs it" : $"It had ended already: {State(found)}");
            return 0;
        }, cancel));
        return command;
    }

    private static Argument<Guid> Id() => new("id") { Description = "The response's x-request-id" };

    private static Task<int> UnknownAsync() => OpenedStore.RefuseAsync("There is no such request among those that were admitted; what was denied is told by: gateway admin explain --request ID");

    private static string Table(RequestPage page) => TextTable.Of(
        ["ACCEPTED", "REQUEST", "STATE", "TENANT", "PROJECT", "KEY", "MODEL", "DEPLOYMENT", "INPUT", "OUTPUT", "USD", "MS"],
        [.. page.Records.Select(record => (IReadOnlyList<string>)
        [
            record.AcceptedAt.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture), record.RequestId.ToString(), State(record), record.Tenant, record.Project,
            record.KeyId, record.Model, record.Deployment, Known(record, Number(record.Tokens.Input)), Known(record, Number(record.Tokens.Output)), Known(record, Words.Usd(record.CostNanoUsd)),
            record.DurationMs?.ToString("0.0", CultureInfo.InvariantCulture) ?? "-",
        ])]);

    private static string State(RequestRecord record) =>
        record.Outcome is { } outcome ? RequestJson.StateOf(outcome) : record.CancelRequestedAt is null ? Running : Running + ", to be stopped";

    private static string Known(RequestRecord record, string figure) => record.Evidence is null ? "-" : figure;

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
