using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Access;

/// <summary>
/// Finds the key of a request in a snapshot, without I/O. Looks up by keyed digest, so that unknown and known keys cost
/// the same work. Fails closed: on a stale read model nothing is believed, and the answer is 503, never 401 (P4).
/// </summary>
internal sealed class Authenticator(SnapshotStore snapshots, TimeProvider clock)
{
    private const int MaxKeyBytes = 512;
    private const string Bearer = "Bearer ";

    public (ApiKey? Key, GatewayError? Error) Authenticate(IHeaderDictionary headers, Snapshot snapshot)
    {
        var presented = Presented(headers);
        if (presented.IsEmpty)
        {
            return (null, GatewayError.MissingKey);
        }

        if (!snapshots.IsFresh)
        {
            return (null, GatewayError.StaleReadModel);
        }

        Span<byte> key = stackalloc byte[MaxKeyBytes];
        if (!Encoding.UTF8.TryGetBytes(presented, key, out var length) || Find(key[..length], snapshot) is not { } secret)
        {
            return (null, GatewayError.InvalidKey);
        }

        var now = clock.GetUtcNow();
        return secret switch
        {
            { Key.IsRevoked: true } => (null, GatewayError.RevokedKey),
            _ when secret.ExpiresAt <= now || secret.Key.ExpiresAt <= now => (null, GatewayError.ExpiredKey),
            _ => (secret.Key, null),
        };
    }

    private static KeySecret? Find(ReadOnlySpan<byte> key, Snapshot snapshot)
    {
        // A typing error in a key of ours shows in its checksum: no digest is spent on it.
        if (KeyFormat.LooksOurs(key) && !KeyFormat.IsWellFormed(key))
        {
            return null;
        }

        foreach (var pepper in snapshot.Peppers)
        {
            if (snapshot.Keys.Find(pepper.Digest(key)) is { } secret)
            {
                return secret;
            }
        }

        return null;
    }

    private static ReadOnlySpan<char> Presented(IHeaderDictionary headers)
    {
        var authorization = Single(headers.Authorization);
        if (authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return authorization[Bearer.Length..].Trim();
        }

        var key = Single(headers["X-API-Key"]);
        return key.IsEmpty ? Single(headers["api-key"]).Trim() : key.Trim();
    }

    // A header that occurs twice could be read either way; it is taken as not sent.
    private static ReadOnlySpan<char> Single(StringValues values) => values.Count == 1 ? values[0] : default;
}
