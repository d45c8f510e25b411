using System.Globalization;
using Microsoft.AspNetCore.Http;
using TokenFactory.Storage.Journal;

namespace TokenFactory.Inference.Metering;

/// <summary>Where the answer comes from, told to the caller: part of the evidence of sovereignty.</summary>
internal static class AnswerHeaders
{
    public static void Write(IHeaderDictionary headers, Exchange exchange)
    {
        headers[GatewayHeaders.Attempts] = exchange.AttemptsMade.ToString(CultureInfo.InvariantCulture);
        if (exchange.Placement is not { } placement)
        {
            return;
        }

        WritePlace(headers, placement);
        if (exchange.IsByHand)
        {
            headers[GatewayHeaders.Degraded] = "manual";
        }
    }

    public static void WritePlace(IHeaderDictionary headers, Placement placement)
    {
        headers[GatewayHeaders.Provider] = placement.Provider;
        headers[GatewayHeaders.Model] = placement.UpstreamModel;
        if (placement.Region is { } region)
        {
            headers[GatewayHeaders.Region] = region;
        }

        if (placement.UpstreamVersion is { } version)
        {
            headers[GatewayHeaders.ModelVersion] = version;
        }
    }
}
