using Npgsql;

namespace TokenFactory.Storage.Postgres;

/// <summary>The two spellings of a connection: Npgsql's own, and the URL that most operators of PostgreSQL hand out.</summary>
internal static class PostgresConnectionText
{
    private const int DefaultPort = 5432;

    /// <exception cref="ArgumentException">It is neither.</exception>
    /// <exception cref="FormatException">It is neither.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string text) =>
        text.StartsWith("postgres://", StringComparison.Ordinal) || text.StartsWith("postgresql://", StringComparison.Ordinal)
            ? FromUrl(new Uri(text))
            : new NpgsqlConnectionStringBuilder(text);

    private static NpgsqlConnectionStringBuilder FromUrl(Uri url)
    {
        var user = url.UserInfo.Split(':', 2);
        var builder = new NpgsqlConnectionStringBuilder
        {
            Host = url.Host,
            Port = url.Port > 0 ? url.Port : DefaultPort,
            Database = Uri.UnescapeDataString(url.AbsolutePath.TrimStart('/')),
            Username = Uri.UnescapeDataString(user[0]),
            Password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : null,
        };
        foreach (var pair in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = pair.Split('=', 2) is [var left, var right] ? (left, Uri.UnescapeDataString(right)) : (pair, "");

            // libpq's names, where Npgsql has its own; SSL modes are spelled with a hyphen there.
            builder[name switch { "sslmode" => "SSL Mode", "application_name" => "Application Name", "connect_timeout" => "Timeout", "sslrootcert" => "Root Certificate", _ => name }] =
                name == "sslmode" ? value.Replace("-", "", StringComparison.Ordinal) : value;
        }

        return builder;
    }
}
