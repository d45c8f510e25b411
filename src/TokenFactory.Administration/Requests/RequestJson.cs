using System.Text.Json;
using TokenFactory.Administration.Usage;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Requests;

namespace TokenFactory.Administration.Requests;

/// <summary>How requests are written, by the API and by the command line alike.</summary>
public static class RequestJson
{
    /// <summary>The same shape as <c>GET /v1/requests</c>.</summary>
    public static string Of(RequestPage page, Registry? registry) =>
        JsonSerializer.Serialize(new ListView<RequestView>([.. page.Records.Select(record => RequestView.Of(record, registry))], page.Next is not null, page.Next), UsageJson.Options);

    /// <summary>With the tenant and the deployments beside.</summary>
    public static string ForOperator(RequestPage page) =>
        JsonSerializer.Serialize(new ListView<RequestView>([.. page.Records.Select(RequestView.ForOperator)], page.Next is not null, page.Next), UsageJson.Options);

    /// <summary>With the tenant and the deployments beside.</summary>
    public static string ForOperator(RequestRecord record) => JsonSerializer.Serialize(RequestView.ForOperator(record), UsageJson.Options);

    public static string StateOf(Outcome outcome) => UsageQuestion.OutcomeName(outcome);
}
