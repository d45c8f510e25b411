using TokenFactory.Administration.Configuration.Settings;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Configuration.Reading.Sections;

/// <summary>What <c>iam</c> says in platform mode: where the read model is asked for, and how.</summary>
internal static class PlatformSection
{
    private static readonly string[] _own = ["url", "credential", "allow_http", "poll", "timeout", "answer_limit"];

    public static PlatformSettings Read(Section section, TimeSpan maxStaleness)
    {
        var url = section["url"].Required("the platform's IAM, such as https://iam.example.com").Url();
        var allowHttp = section["allow_http"].Flag() ?? false;
        if (url is { IsLoopback: false } && url.Scheme == Uri.UriSchemeHttp && !allowHttp)
        {
            section["url"].Mistake("use https: the credential and everything about the keys would be readable on the way (allow_http: true where the network is trusted)");
        }

        var poll = section["poll"].Duration(TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(5)) ?? TimeSpan.FromSeconds(1);
        if (poll * 2 > maxStaleness)
        {
            section["poll"].Mistake("more than half of max_staleness: one lost answer would refuse every call");
        }

        section["pepper"].Required("the platform's pepper, env:NAME or file:PATH: without it no key can be recognised");
        return new PlatformSettings
        {
            Url = url ?? new Uri("http://localhost"),
            Credential = section["credential"].Required("what the platform knows this gateway by, env:NAME or file:PATH").Secret() ?? new Secret(""),
            Poll = poll,
            Timeout = section["timeout"].Duration(TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1)) ?? TimeSpan.FromSeconds(5),
            AnswerLimitBytes = section["answer_limit"].SizeBytes(1 << 20, 64L << 30) ?? 1 << 30,
        };
    }

    /// <summary>In standalone mode none of it means anything.</summary>
    public static void Refuse(Section section)
    {
        foreach (var key in _own)
        {
            if (section[key].IsPresent)
            {
                section[key].Mistake("the standalone mode has none: keys are kept here (mode: platform asks for them)");
            }
        }
    }

    /// <summary>One source: what the platform says of a tenant is all there is of it.</summary>
    public static void RefuseSubjects(Section root)
    {
        foreach (var key in (string[])["tiers", "tenants"])
        {
            if (root[key].IsPresent)
            {
                root[key].Mistake("in platform mode they come from the platform: remove this section, or use iam.mode: standalone");
            }
        }
    }
}
