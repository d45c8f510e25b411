using System.Net.Http.Headers;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Dispatch;

/// <summary>What a backend knows the gateway by, where its dialect puts it. Only for a request whose address <see cref="Deployment.MayBeAskedAt"/> allows.</summary>
internal static class Credentials
{
    public static void Add(HttpRequestHeaders headers, Provider provider)
    {
        if (provider.Credential is not { } credential)
        {
            return;
        }

        if (provider.Dialect == Dialect.Anthropic)
        {
            headers.TryAddWithoutValidation("x-api-key", credential.Reveal());
        }
        else
        {
            headers.TryAddWithoutValidation("Authorization", "Bearer " + credential.Reveal());
        }
    }
}
