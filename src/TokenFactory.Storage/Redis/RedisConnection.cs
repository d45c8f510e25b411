using System.Globalization;
using StackExchange.Redis;

namespace TokenFactory.Storage.Redis;

/// <summary>
/// Where Redis is, from <c>redis://[:password@]host[:port][/database]</c>, <c>rediss://…</c> (TLS) or
/// <c>host:port,password=…,ssl=true</c>. Holds the password, so it has no text form but the servers' addresses.
/// </summary>
public sealed class RedisConnection : IEquatable<RedisConnection>
{
    private const string Form = "write redis://:password@host:6379 (rediss:// for TLS) or host:6379,password=…,ssl=true";
    private readonly string _text;
    private readonly ConfigurationOptions _options;

    private RedisConnection(string text, ConfigurationOptions options) => (_text, _options) = (text, options);

    /// <returns>The connection, or what is wrong with the text, in words that do not repeat it.</returns>
    public static (RedisConnection? Connection, string? Mistake) Parse(string text)
    {
        try
        {
            var isUrl = text.Contains("://", StringComparison.Ordinal);
            var (options, mistake) = isUrl ? OfUrl(text) : (ConfigurationOptions.Parse(text.Trim()), null);
            mistake ??= options!.EndPoints.Count == 0 ? "no host: " + Form : null;
            return mistake is null ? (new RedisConnection(text, options!), null) : (null, mistake);
        }
        catch (Exception malformed) when (malformed is ArgumentException or FormatException or OverflowException)
        {
            return (null, "no connection to Redis can be read from it: " + Form);
        }
    }

    public bool Equals(RedisConnection? other) => other is not null && _text == other._text;

    public override bool Equals(object? obj) => Equals(obj as RedisConnection);

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(_text);

    public override string ToString() => string.Join(", ", _options.EndPoints.Select(ConfigurationText));

    /// <summary>For the client. A server that is away is not an error of the connecting: it may come later.</summary>
    public ConfigurationOptions ToOptions(TimeSpan connectWithin)
    {
        var options = _options.Clone();
        options.AbortOnConnectFail = false;
        options.ConnectTimeout = (int)connectWithin.TotalMilliseconds;
        options.ClientName ??= "token-factory-gateway";
        return options;
    }

    /// <summary>Connects within a bound. A connection that comes after it is closed.</summary>
    /// <exception cref="TimeoutException">There was none by then.</exception>
    public static async Task<ConnectionMultiplexer> ConnectAsync(ConfigurationOptions options, TimeSpan within, TimeProvider clock, CancellationToken cancel)
    {
        var connecting = ConnectionMultiplexer.ConnectAsync(options);
        try
        {
            return await connecting.WaitAsync(within, clock, cancel);
        }
        catch
        {
            _ = connecting.ContinueWith(Close, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            throw;
        }
    }

    private static void Close(Task<ConnectionMultiplexer> late)
    {
        if (late.IsCompletedSuccessfully)
        {
            late.Result.Dispose();
        }
        else
        {
            _ = late.Exception;
        }
    }

    private static (ConfigurationOptions? Options, string? Mistake) OfUrl(string text)
    {
        if (!Uri.TryCreate(text.Trim(), UriKind.Absolute, out var url) || url.Host.Length == 0 || url.Query.Length > 0 || url.Fragment.Length > 0)
        {
            return (null, Form);
        }

        if (url.Scheme is not ("redis" or "rediss"))
        {
            return (null, "an unknown scheme: " + Form);
        }

        var options = new ConfigurationOptions { Ssl = url.Scheme == "rediss" };
        options.EndPoints.Add(url.IdnHost.Trim('[', ']'), url.Port > 0 ? url.Port : 6379);
        var user = url.UserInfo.Split(':', 2);
        if (user[0].Length > 0 && user[0] != "default")
        {
            return (null, "a user other than default is not supported: give the default user's password as redis://:password@host");
        }

        options.Password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : null;
        if (url.AbsolutePath.Trim('/') is { Length: > 0 } database)
        {
            options.DefaultDatabase = int.Parse(database, NumberStyles.None, CultureInfo.InvariantCulture);
        }

        return (options, null);
    }

    private static string ConfigurationText(System.Net.EndPoint point) => point switch
    {
        System.Net.DnsEndPoint dns => $"{dns.Host}:{dns.Port}",
        _ => point.ToString() ?? "",
    };
}
