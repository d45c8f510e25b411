using System.Text.Json;
using TokenFactory.Administration.Usage;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Requests;

namespace TokenFactory.Administration.Requests;

/// <summary>How requests are written, by the API and by the command line alike.</summary>
public static class RequestJson
{
    /// <summary>The same shape as <c>GET /v1/requests</c>.</summary>
    public static string Of(RequestPage page, Registry? registry) =>
        JsonSerializer.Serialize(new ListView<RequestView>([.. page.Records.Select(record => RequestView.Of(record, registry))], page.Next is not null, page.Next), UsageJson.Options);
}
