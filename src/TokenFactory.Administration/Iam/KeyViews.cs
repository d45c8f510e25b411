using TokenFactory.Administration.Configuration.Settings;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Iam;

/// <summary>Keys of the tables and of the file → what lists show.</summary>
internal static class KeyViews
{
    public static KeyView Of(Storage.Iam.ApiKey row, DateTimeOffset now) => new()
    {
        Id = row.Id,
        Tenant = row.Tenant,
        Project = row.Project,
        Name = row.Name,
        User = row.User,
        Scopes = row.Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        Models = row.Models?.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        Limits = new LimitSet
        {
            RequestsPerMinute = row.RequestsPerMinute,
            TokensPerMinute = row.TokensPerMinute,
            Concurrent = row.Concurrent,
        },
        State = StateOf(row.RevokedAt is not null, row.ExpiresAt, now),
        Origin = KeyOrigin.Store,
        LiveSecrets = row.RevokedAt is not null ? 0 : row.Secrets.Count(secret => secret.ExpiresAt is null || secret.ExpiresAt > now),
        CreatedAt = row.CreatedAt,
        ExpiresAt = row.ExpiresAt,
    };

    public static KeyView Of(Tenant tenant, KeySettings key, DateTimeOffset now) => new()
    {
        Id = key.Id,
        Tenant = tenant.Name,
        Project = key.Project.Name,
        Name = key.Name,
        User = key.User?.Name,
        Scopes = [.. key.Scopes.Order(StringComparer.Ordinal)],
        Limits = key.Limits,
        State = StateOf(revoked: false, key.ExpiresAt, now),
        Origin = KeyOrigin.File,
        LiveSecrets = 1,
        ExpiresAt = key.ExpiresAt,
    };

    private static KeyState StateOf(bool revoked, DateTimeOffset? expiresAt, DateTimeOffset now) =>
        revoked ? KeyState.Revoked : expiresAt <= now ? KeyState.Expired : KeyState.Active;
}
