using TokenFactory.Inference.Dispatch.Connecting;

namespace TokenFactory.Inference.Dispatch;

/// <summary>What an exception of an exchange with a backend says of how far it came.</summary>
internal static class Unsent
{
    /// <summary>Why the gateway itself would not send it there; null when it would.</summary>
    public static GatewayError? Reason(Exception? cause)
    {
        for (; cause is not null; cause = cause.InnerException)
        {
            if (cause is AddressNotAllowedException or EndpointChangedException)
            {
                return cause is AddressNotAllowedException ? GatewayError.AddressNotAllowed : GatewayError.EndpointChanged;
            }
        }

        return null;
    }

    /// <summary>Without a connection there was nobody to take the prompt.</summary>
    public static bool IsCertain(Exception? cause) => cause is HttpRequestException
    {
        HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError,
    };
}
