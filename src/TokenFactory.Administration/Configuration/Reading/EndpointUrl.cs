namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>Base URLs: absolute, http or https, with nothing in them that is secret or would be lost when a path is appended.</summary>
internal static class EndpointUrl
{
    /// <summary>The URL, or what is wrong with it.</summary>
    public static (Uri? Url, string? Mistake) Parse(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps))
        {
            return (null, "write an absolute URL that starts with http:// or https://");
        }

        if (url.UserInfo.Length > 0)
        {
            return (null, "a URL holds no credentials: give them as a reference (credential: env:NAME)");
        }

        return url.Query.Length > 0 || url.Fragment.Length > 0
            ? (null, "a base URL has no query and no fragment: write the part before '?' or '#'")
            : (Normalise(url), null);
    }

    /// <summary>Without the trailing slash.</summary>
    public static Uri Normalise(Uri url) => new(url.GetLeftPart(UriPartial.Path).TrimEnd('/'));
}
