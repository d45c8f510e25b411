using System.CommandLine;
using TokenFactory.Administration;
using TokenFactory.Administration.Iam;

namespace TokenFactory.Gateway.Commands;

/// <summary><c>gateway admin keys</c>. A new key goes to standard output alone, so that a script can take it; all else goes to standard error.</summary>
internal static class KeysCommand
{
    public static Command Create()
    {
        var command = new Command("keys", "Create, list, revoke and rotate API keys");
        command.Subcommands.Add(CreateKey());
        command.Subcommands.Add(List());
        command.Subcommands.Add(Revoke());
        command.Subcommands.Add(Rotate());
        return command;
    }

    private static Command CreateKey()
    {
        var store = new StoreOptions();
        var tenant = new Option<string>("--tenant") { Description = "The tenant it belongs to", DefaultValueFactory = _ => FirstKey.DefaultTenant };
        var project = new Option<string>("--project") { Description = "The project it belongs to", DefaultValueFactory = _ => FirstKey.DefaultProject };
        var name = new Option<string>("--name") { Description = "What it is called in lists", DefaultValueFactory = _ => "key" };
        var user = new Option<string?>("--user") { Description = "The user it acts for" };
        var scopes = new Option<string?>("--scopes") { Description = "What it may do, separated by commas; the default is all an application does" };
        var models = new Option<string?>("--models") { Description = "Models it may use, names and patterns separated by commas; the default is the project's" };
        var expires = new Option<string?>("--expires") { Description = "When it stops working: a duration such as 30d, or a date such as 2027-01-31" };
        var requests = new Option<int?>("--requests-per-minute") { Description = "Requests it may make a minute" };
        var tokens = new Option<int?>("--tokens-per-minute") { Description = "Tokens it may use a minute" };
        var concurrent = new Option<int?>("--concurrent") { Description = "Requests it may have running at once" };
        var command = new Command("create", "Create a key and print it, once")
        {
            tenant, project, name, user, scopes, models, expires, requests, tokens, concurrent,
        };
        store.AddTo(command);
        command.SetAction((result, cancel) => OpenedStore.RunAsync(store, result, async opened =>
        {
            var now = opened.Clock.GetUtcNow();
            if (result.GetValue(expires) is { } text && Words.Moment(text, now) is null)
            {
                return await OpenedStore.RefuseAsync($"--expires: {Words.MomentForm}");
            }

            var change = await opened.Iam.CreateAsync(
                new NewKey
                {
                    Tenant = result.GetValue(tenant)!,
                    Project = result.GetValue(project)!,
                    Name = result.GetValue(name)!,
                    User = result.GetValue(user),
                    Scopes = Words.List(result.GetValue(scopes)) ?? [],
                    Models = Words.List(result.GetValue(models)),
                    ExpiresAt = result.GetValue(expires) is { } when ? Words.Moment(when, now) : null,
                    RequestsPerMinute = result.GetValue(requests),
                    TokensPerMinute = result.GetValue(tokens),
                    Concurrent = result.GetValue(concurrent),
                },
                cancel);
            return await ShowAsync(change, id => $"Key {id} is made. It is shown this once; a running gateway knows it within a second.");
        }, cancel));
        return command;
    }

    private static Command List()
    {
        var store = new StoreOptions();
        var tenant = new Option<string?>("--tenant") { Description = "Only this tenant's; the default is all" };
        var project = new Option<string?>("--project") { Description = "Only this project's" };
        var json = new Option<bool>("--json") { Description = "As JSON" };
        var command = new Command("list", "List keys, without their secrets") { tenant, project, json };
        store.AddTo(command);
        command.SetAction((result, cancel) => OpenedStore.RunAsync(store, result, async opened =>
        {
            if (opened.Iam.Refusal is { } refusal)
            {
                return await OpenedStore.RefuseAsync(refusal);
            }

            var keys = await opened.Iam.ListAsync(result.GetValue(tenant), result.GetValue(project), cancel);
            await Console.Out.WriteLineAsync(result.GetValue(json) ? KeyLists.Json(keys) : KeyLists.Table(keys));
            return 0;
        }, cancel));
        return command;
    }

    private static Command Revoke()
    {
        var store = new StoreOptions();
        var id = new Argument<string>("id") { Description = "The key's id, as `list` shows it" };
        var command = new Command("revoke", "Revoke a key: it stops working within a second") { id };
        store.AddTo(command);
        command.SetAction((result, cancel) => OpenedStore.RunAsync(
            store, result, async opened => await ShowAsync(await opened.Iam.RevokeAsync(result.GetValue(id)!, cancel), _ => $"Key {result.GetValue(id)} is revoked."), cancel));
        return command;
    }

    private static Command Rotate()
    {
        var store = new StoreOptions();
        var id = new Argument<string>("id") { Description = "The key's id, as `list` shows it" };
        var overlap = new Option<string>("--overlap") { Description = "How long the older secret still works, such as 24h or 0s", DefaultValueFactory = _ => "24h" };
        var command = new Command("rotate", "Give a key a new secret and print it, once") { id, overlap };
        store.AddTo(command);
        command.SetAction((result, cancel) => OpenedStore.RunAsync(store, result, async opened =>
        {
            if (Words.Duration(result.GetValue(overlap)!) is not { } time)
            {
                return await OpenedStore.RefuseAsync($"--overlap: {Words.DurationForm}");
            }

            var change = await opened.Iam.RotateAsync(result.GetValue(id)!, time, cancel);
            return await ShowAsync(change, key => $"Key {key} has a new secret, shown this once; the older one works for {result.GetValue(overlap)} more.");
        }, cancel));
        return command;
    }

    private static async Task<int> ShowAsync(KeyChange change, Func<string, string> words)
    {
        if (change.Refusal is { } refusal)
        {
            return await OpenedStore.RefuseAsync(refusal);
        }

        await Console.Error.WriteLineAsync(words(change.Minted?.Id ?? ""));
        if (change.Minted is { } minted)
        {
            await Console.Out.WriteLineAsync(minted.Key.Reveal());
        }

        return 0;
    }
}
