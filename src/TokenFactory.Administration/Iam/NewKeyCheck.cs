using TokenFactory.Administration.Configuration.Reading;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Administration.Iam;

/// <summary>Says everything that is wrong with a new key by itself; whether its tenant and project exist is asked elsewhere.</summary>
internal static class NewKeyCheck
{
    public static IReadOnlyList<string> MistakesOf(NewKey key, DateTimeOffset now)
    {
        var mistakes = new List<string>();
        if (!Names.AreValid(key.Name))
        {
            mistakes.Add($"name: {Names.Form}");
        }

        if (key.User is { } user && !Names.AreValid(user))
        {
            mistakes.Add($"user: {Names.Form}");
        }

        foreach (var scope in key.Scopes.Where(scope => !Scopes.Known.Contains(scope)))
        {
            mistakes.Add($"there is no scope '{scope}'; known: {string.Join(", ", Scopes.Known.Order(StringComparer.Ordinal))}{KeySpelling.Suggest(scope, Scopes.Known)}");
        }

        foreach (var model in key.Models ?? [])
        {
            try
            {
                _ = ModelPattern.Parse(model);
            }
            catch (FormatException e)
            {
                mistakes.Add(e.Message);
            }
        }

        if (key.ExpiresAt <= now)
        {
            mistakes.Add("expires: that moment is past");
        }

        if (key.RequestsPerMinute < 1 || key.TokensPerMinute < 1 || key.Concurrent < 1)
        {
            mistakes.Add("limits are 1 or more; leave one out for no limit of that kind");
        }

        return mistakes;
    }
}
