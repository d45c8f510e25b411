using TokenFactory.Administration.Configuration.Settings;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Configuration.Reading.Sections;

/// <summary>The <c>registry</c>: who registers what beside the file, and which secrets registered documents may name.</summary>
internal static class RegistrySection
{
    private static readonly string[] _feed = ["credential", "allow_http", "poll", "timeout", "answer_limit"];

    public static RegistrySettings Read(Section section, ReadingContext context)
    {
        context.Registered = new RegisteredBounds(
            (section["secrets"].Items(1000) ?? []).Select(item => item.Required("a reference: env:NAME or file:PATH").Text(maxLength: 4096))
                .OfType<string>().ToHashSet(StringComparer.Ordinal),
            ReachFields.Networks(section["allow_addresses"]),
            section["allow_http_endpoints"].Flag() ?? false);
        var feed = section["url"].IsPresent ? Feed(section) : null;
        if (feed is null)
        {
            foreach (var key in _feed.Where(key => section[key].IsPresent && !section["url"].IsPresent))
            {
                section[key].Mistake("says how the control plane is asked, and there is none: write url, or leave this out");
            }
        }

        section.RefuseUnknownKeys();
        return new RegistrySettings(feed);
    }

    private static RegistryFeedSettings? Feed(Section section)
    {
        var url = section["url"].Url();
        var allowHttp = section["allow_http"].Flag() ?? false;
        if (url is { IsLoopback: false } && url.Scheme == Uri.UriSchemeHttp && !allowHttp)
        {
            section["url"].Mistake("use https: where requests go could be rewritten on the way (allow_http: true where the network is trusted)");
        }

        var settings = new RegistryFeedSettings
        {
            Url = url ?? new Uri("http://localhost"),
            Credential = section["credential"].Required("what the control plane knows this gateway by, env:NAME or file:PATH").Secret() ?? new Secret(""),
            Poll = section["poll"].Duration(TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10)) ?? TimeSpan.FromSeconds(5),
            Timeout = section["timeout"].Duration(TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1)) ?? TimeSpan.FromSeconds(10),
            AnswerLimitBytes = section["answer_limit"].SizeBytes(1 << 10, 1 << 30) ?? 32 << 20,
        };
        return url is null ? null : settings;
    }
}
