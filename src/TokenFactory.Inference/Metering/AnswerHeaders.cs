using System.Globalization;
using Microsoft.AspNetCore.Http;

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

        headers[GatewayHeaders.Provider] = placement.Provider;
        if (exchange.IsByHand)
        {
            headers[GatewayHeaders.Degraded] = "manual";
        }

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
