using System.CommandLine;
using TokenFactory.Administration;

namespace TokenFactory.Gateway.Commands.Models;

/// <summary><c>gateway admin models audit</c>: what every replica saw of each deployment of late, and what of it changed.</summary>
internal static class ModelAuditCommand
{
    public static Command Create()
    {
        var store = new StoreOptions();
        var window = new Option<string>("--window") { Description = "Since how long ago, 5m to 7d", DefaultValueFactory = _ => "1h" };
        var deployment = new Option<string?>("--deployment") { Description = "Only this deployment" };
        var json = new Option<bool>("--json") { Description = "As JSON" };
        var command = new Command("audit", "How deployments answer: how soon, how fast, how long, with which errors and refusals, as which model; and what of it changed") { window, deployment, json };
        store.AddTo(command);
        command.SetAction((result, cancel) => OpenedStore.RunAsync(store, result, async opened =>
        {
            if (Words.Duration(result.GetValue(window)!) is not { } length || length < TimeSpan.FromMinutes(5) || length > TimeSpan.FromDays(7))
            {
                return await OpenedStore.RefuseAsync($"--window: {Words.DurationForm}, from 5m to 7d");
            }

            var since = opened.Clock.GetUtcNow() - length;
            var name = result.GetValue(deployment);
            var periods = await opened.ModelAudit.PeriodsAsync(since, name, cancel);
            var flags = await opened.ModelAudit.FlagsAsync(since, name, cancel);
            var audits = ModelAuditView.Of(periods, flags);
            await Console.Out.WriteLineAsync(result.GetValue(json) ? ModelAuditText.Json(since, audits) : ModelAuditText.Table(audits));
            return 0;
        }, cancel));
        return command;
    }
}
