using System.CommandLine;
using System.CommandLine.Parsing;
using TokenFactory.Gateway.Hosting;

namespace TokenFactory.Gateway.Commands;

/// <summary><c>gateway serve</c>: the gateway itself.</summary>
internal static class ServeCommand
{
    private const string DefaultUrl = "http://127.0.0.1:8080";

    public static Command Create()
    {
        var config = CommonOptions.Config();
        var data = CommonOptions.Data();
        var urls = new Option<string[]>("--urls") { Description = $"Where to listen; default {DefaultUrl}. May be given more than once, or as a list with semicolons.", HelpName = "URL" };
        var upstream = new Option<Uri?>("--upstream") { Description = "Base URL of one OpenAI-compatible backend (…/v1); the models it lists are served.", HelpName = "URL", CustomParser = BaseUrl };
        var upstreamKey = new Option<string?>("--upstream-key") { Description = "Name of the environment variable that holds the backend's credential.", HelpName = "ENVNAME" };
        var upstreamRegion = new Option<string?>("--upstream-region") { Description = "Where the backend runs, for residency rules.", HelpName = "REGION" };
        var command = new Command("serve", "Runs the gateway.") { config, data, urls, upstream, upstreamKey, upstreamRegion };
        command.SetAction((parsed, cancel) => Server.RunAsync(
            new ServeOptions
            {
                ConfigFile = parsed.GetValue(config),
                DataDirectory = parsed.GetValue(data)!,
                Urls = [.. (parsed.GetValue(urls) ?? []).SelectMany(u => u.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))],
                Upstream = parsed.GetValue(upstream),
                UpstreamKeyVariable = parsed.GetValue(upstreamKey),
                UpstreamRegion = parsed.GetValue(upstreamRegion),
            },
            DefaultUrl,
            cancel));
        return command;
    }

    // The library's own conversions know no Uri.
    private static Uri? BaseUrl(ArgumentResult given)
    {
        if (Uri.TryCreate(given.Tokens[0].Value, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
        {
            return url;
        }

        given.AddError($"--upstream: '{given.Tokens[0].Value}' is no base URL: write one such as http://127.0.0.1:8000/v1");
        return null;
    }
}
