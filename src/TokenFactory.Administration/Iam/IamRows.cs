using Microsoft.EntityFrameworkCore;
using TokenFactory.Storage;

namespace TokenFactory.Administration.Iam;

/// <summary>Everything the embedded IAM's tables hold, read at one version.</summary>
internal sealed record IamRows(
    long Version,
    IReadOnlyList<Storage.Iam.Tenant> Tenants,
    IReadOnlyList<Storage.Iam.Project> Projects,
    IReadOnlyList<Storage.Iam.ApiKey> Keys)
{
    public static async Task<IamRows> ReadAsync(GatewayDbContext context, CancellationToken cancel)
    {
        // One transaction, so that the version is the rows' own and not a later one, whose changes would then be missed.
        await using var transaction = await context.Database.BeginTransactionAsync(cancel);
        var rows = new IamRows(
            await context.ReadVersionAsync(cancel),
            await context.Tenants.AsNoTracking().ToListAsync(cancel),
            await context.Projects.AsNoTracking().ToListAsync(cancel),
            await context.ApiKeys.AsNoTracking().Include(key => key.Secrets).ToListAsync(cancel));
        await transaction.CommitAsync(cancel);
        return rows;
    }
}
