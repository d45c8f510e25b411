using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using TokenFactory.Inference.Conversations;
using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.Dialects.Responses;
using TokenFactory.Inference.Dispatch;
using TokenFactory.Inference.Dispatch.Standing;
using TokenFactory.Storage.Ledger;
using Yarp.ReverseProxy;

namespace TokenFactory.Inference.Stored;

/// <summary>
/// Asks the one deployment that keeps a response, over the connections of its cluster, so under the same rule of addresses and with the same
/// credential as its prompts. It is asked once: nobody else has what is asked for.
/// </summary>
internal sealed class Keeper(IProxyStateLookup clusters, Standings standings, DispatchOptions options, Drain drain, TimeProvider clock)
{
    private const int ReadBytes = 16 * 1024;

    private static readonly ProductInfoHeaderValue _agent = new("token-factory-gateway", "1.0");

    /// <param name="answer">Filled.</param>
    /// <returns>Its status, null when no head came, and why there is no answer.</returns>
    public async Task<(int? Status, Failure? Failure)> AskAsync(StoredAsk ask, string requestId, KeptAnswer answer, CancellationToken client)
    {
        using var ticking = new AttemptClock(ask.Keeper.Clocks ?? options.Clocks, clock, client, drain.Over);
        int? status = null;
        var standing = standings.Of(ask.Keeper);
        if (!ask.Keeper.IsEnabled || standing.PassedOver is not null)
        {
            return (null, Failed(GatewayError.NoBackend with { RetryAfter = standing.PassedOver?.Left ?? GatewayError.NoBackend.RetryAfter }));
        }

        try
        {
            if (!clusters.TryGetCluster(ask.Keeper.Name, out var cluster) || cluster.DestinationsState.AvailableDestinations is not { Count: > 0 } replicas)
            {
                return (null, Failed(GatewayError.NoBackend));
            }

            var replica = replicas[Random.Shared.Next(replicas.Count)];
            using var request = new HttpRequestMessage(ask.Kind.Method, $"{replica.Model.Config.Address.TrimEnd('/')}/{ask.UpstreamPath}")
            {
                // As YARP asks it, or a backend that speaks nothing older would serve prompts alone.
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
            };
            if (!ask.Keeper.MayBeAskedAt(request.RequestUri!))
            {
                return (null, Failed(GatewayError.EndpointChanged));
            }

            request.Headers.UserAgent.Add(_agent);
            request.Headers.TryAddWithoutValidation(GatewayHeaders.RequestId, requestId);
            request.Headers.TryAddWithoutValidation("Accept", "application/json");
            Credentials.Add(request.Headers, ask.Keeper.Provider);
            using var response = await cluster.Model.HttpClient.SendAsync(request, ticking.Token);
            status = (int)response.StatusCode;
            if (BackendRefusal.RestOf(response, clock.GetUtcNow()) is { } rest && ask.Keeper.Endpoints.Count <= 1)
            {
                standing.Rest(rest.Reason, rest.Asked);
            }

            return (status, response.IsSuccessStatusCode ? await ReadAsync(ask, response, ticking, answer) : Failed(await RefusalAsync(ask, response, ticking.Token)));
        }
        catch (Exception cut) when (cut is OperationCanceledException or HttpRequestException or IOException)
        {
            return (status, Ended(cut, ticking, client));
        }
    }

    private static async Task<Failure?> ReadAsync(StoredAsk ask, HttpResponseMessage response, AttemptClock ticking, KeptAnswer answer)
    {
        var body = answer.Came;
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(ticking.Token);
            var buffer = new byte[ReadBytes];
            for (int read; (read = await stream.ReadAsync(buffer, ticking.Token)) > 0;)
            {
                ticking.Touch();
                body.Append(buffer.AsSpan(0, read));
            }

            if (!IsObject(body.Span))
            {
                return Failed(GatewayError.BackendFailed);
            }

            // Another response than the one that was asked for, or one that does not say which it is, may be another tenant's.
            var isTheOne = false;
            var ids = new ResponseIds(
                id => (isTheOne = id == ask.Kept.BackendId) ? ask.ResponseId : throw new UnreadableAnswerException("it is another response"), previous => Sign(ask, previous));
            if (ask.Kind.NamesResponse && (ids.Find(body.Span, isEvent: false).Count == 0 || !isTheOne))
            {
                return Failed(GatewayError.BackendFailed);
            }

            ids.Write(body.Span, places: null, answer.Told);
            return null;
        }
        catch (NoRoomForAnswerException)
        {
            return Failed(GatewayError.NoRoomForAnswer);
        }
        catch (UnreadableAnswerException)
        {
            return Failed(GatewayError.BackendFailed);
        }
    }

    /// <summary>What was kept before it holds no more than it does.</summary>
    private static string Sign(StoredAsk ask, string backendId) =>
        ConversationIds.Sign(ask.Snapshot.Peppers, ask.Caller.Tenant.Name, ask.Keeper.Name, backendId, ask.Kept.Tokens);

    private static async Task<GatewayError> RefusalAsync(StoredAsk ask, HttpResponseMessage response, CancellationToken cancel)
    {
        var refusal = await BackendRefusal.ReadAsync(response, ask.Keeper.Provider.Credential, cancel);
        return refusal.Status == 404 ? GatewayError.ResponseNotFound : refusal with { Message = refusal.Message.Replace(ask.Kept.BackendId, ask.ResponseId, StringComparison.Ordinal) };
    }

    private Failure Ended(Exception cut, AttemptClock ticking, CancellationToken client) => true switch
    {
        _ when client.IsCancellationRequested => new Failure(Outcome.ClientCut, GatewayError.ClientCut, TookPrompt: false),
        _ when drain.Over.IsCancellationRequested => new Failure(Outcome.Drained, GatewayError.Draining, TookPrompt: false),
        _ when ticking.Expired != ClockName.None => new Failure(Outcome.TimedOut, GatewayError.BackendTimedOut, TookPrompt: false),
        _ => Failed(Unsent.Reason(cut) ?? GatewayError.BackendFailed),
    };

    private static Failure Failed(GatewayError error) => new(Outcome.Failed, error, TookPrompt: false);

    private static bool IsObject(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = 1000 });
        try
        {
            return reader.Read() && reader.TokenType == JsonTokenType.StartObject && reader.TrySkip() && !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
