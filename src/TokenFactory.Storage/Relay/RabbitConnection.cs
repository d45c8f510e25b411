using RabbitMQ.Client;

namespace TokenFactory.Storage.Relay;

/// <summary>
/// Where RabbitMQ is, from <c>amqp://user:password@host[:5672][/vhost]</c> or <c>amqps://…</c> (TLS, port 5671), as the AMQP URI
/// specification of RabbitMQ writes it: user, password and vhost percent-encoded, no path meaning the vhost <c>/</c>. Holds the
/// password, so its text form is only the address.
/// </summary>
public sealed class RabbitConnection : IEquatable<RabbitConnection>
{
    private const string Form = "write amqp://user:password@host:5672/vhost (amqps:// for TLS)";
    private readonly string _text;
    private readonly Uri _url;
    private readonly string _virtualHost;

    private RabbitConnection(string text, Uri url, string virtualHost) => (_text, _url, _virtualHost) = (text, url, virtualHost);

    private bool IsTls => _url.Scheme == "amqps";

    private int Port => (_url.Port, IsTls) switch { ( > 0, _) => _url.Port, (_, true) => 5671, _ => 5672 };

    /// <returns>The connection, or what is wrong with the text, in words that do not repeat it.</returns>
    public static (RabbitConnection? Connection, string? Mistake) Parse(string text)
    {
        if (!Uri.TryCreate(text.Trim(), UriKind.Absolute, out var url) || url.Host.Length == 0)
        {
            return (null, "no connection to RabbitMQ can be read from it: " + Form);
        }

        if (url.Scheme is not ("amqp" or "amqps"))
        {
            return (null, "an unknown scheme: " + Form);
        }

        if (url.Query.Length > 0 || url.Fragment.Length > 0)
        {
            return (null, "query parameters are not supported: " + Form);
        }

        // A path of "/" alone is the vhost with the empty name, which nobody means.
        var path = url.AbsolutePath.TrimStart('/');
        return path.Contains('/', StringComparison.Ordinal)
            ? (null, "a vhost's own slashes are written %2F: " + Form)
            : (new RabbitConnection(text, url, path.Length == 0 ? "/" : Uri.UnescapeDataString(path)), null);
    }

    public bool Equals(RabbitConnection? other) => other is not null && _text == other._text;

    public override bool Equals(object? obj) => Equals(obj as RabbitConnection);

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(_text);

    public override string ToString() => $"{_url.Host}:{Port}, vhost {_virtualHost}";

    /// <summary>
    /// For the client, which is given the parts and not the URL: from an amqps URL it would accept a certificate of any other
    /// name. It recovers nothing by itself: only the relay decides when to connect again and what to send.
    /// </summary>
    internal ConnectionFactory ToFactory(TimeSpan within)
    {
        var user = _url.UserInfo.Split(':', 2);
        var factory = new ConnectionFactory
        {
            HostName = _url.IdnHost.Trim('[', ']'),
            Port = Port,
            VirtualHost = _virtualHost,
            Ssl = new SslOption(_url.IdnHost, enabled: IsTls),
            AutomaticRecoveryEnabled = false,
            TopologyRecoveryEnabled = false,
            RequestedConnectionTimeout = within,
            HandshakeContinuationTimeout = within,
            ContinuationTimeout = within,
            ClientProvidedName = "token-factory-gateway",
        };
        if (user[0].Length > 0)
        {
            factory.UserName = Uri.UnescapeDataString(user[0]);
            factory.Password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : "";
        }

        return factory;
    }
}
