using System.Net.Http.Headers;
using System.Text.Json;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Gateway.Hosting;

/// <summary>Asks a backend which models it has: what <c>serve --upstream</c> then serves.</summary>
internal static class UpstreamModels
{
    private static readonly TimeSpan _within = TimeSpan.FromSeconds(10);

    /// <exception cref="StartException">The backend does not answer, or not with a list of models.</exception>
    public static async Task<IReadOnlyList<string>> ListAsync(Uri upstream, Secret? credential, CancellationToken cancel)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false }) { Timeout = _within };
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(upstream.AbsoluteUri.TrimEnd('/') + "/models"));
        if (credential is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", credential.Reveal());
        }

        try
        {
            using var response = await client.SendAsync(request, cancel);
            if (!response.IsSuccessStatusCode)
            {
                throw new StartException($"--upstream: {request.RequestUri} answered {(int)response.StatusCode}. Check the URL (it usually ends in /v1) and the credential (--upstream-key).");
            }

            using var body = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(cancel), cancellationToken: cancel);
            return [.. body.RootElement.GetProperty("data").EnumerateArray().Select(model => model.GetProperty("id").GetString()!)];
        }
        catch (Exception unreachable) when (unreachable is HttpRequestException or TaskCanceledException && !cancel.IsCancellationRequested)
        {
            throw new StartException($"--upstream: {request.RequestUri} does not answer ({unreachable.Message}). Start the backend first, or check the URL.");
        }
        catch (Exception odd) when (odd is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new StartException($"--upstream: {request.RequestUri} did not answer with a list of models ({odd.Message}).");
        }
    }
}
