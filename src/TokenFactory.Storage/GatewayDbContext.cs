using Microsoft.EntityFrameworkCore;
using TokenFactory.Storage.Iam;
using TokenFactory.Storage.Model;

namespace TokenFactory.Storage;

/// <summary>
/// The one model of everything kept. Administration works on the IAM rows through it; the journal's tables are only described
/// here, for the migrations: the journal writes them itself, because every request waits for it.
/// </summary>
public abstract class GatewayDbContext(DbContextOptions options) : DbContext(options)
{
    public DbSet<Tenant> Tenants => Set<Tenant>();

    public DbSet<Project> Projects => Set<Project>();

    public DbSet<ApiKey> ApiKeys => Set<ApiKey>();

    public DbSet<ApiKeySecret> ApiKeySecrets => Set<ApiKeySecret>();

    /// <summary>The number every IAM change raises: whoever holds a snapshot of a lower one must read again.</summary>
    public Task<long> ReadVersionAsync(CancellationToken cancel = default) =>
        Set<ReadModelVersion>().AsNoTracking().Select(row => row.Version).SingleAsync(cancel);

    /// <summary>
    /// Saves the tracked IAM changes and raises the read model's version, both or neither. Use this and never
    /// <c>SaveChanges</c> alone: a change without a new version would not be seen by any replica.
    /// </summary>
    /// <returns>The new version.</returns>
    public async Task<long> SaveIamChangesAsync(CancellationToken cancel = default)
    {
        var outer = Database.CurrentTransaction;
        var transaction = outer ?? await Database.BeginTransactionAsync(cancel);
        try
        {
            await Set<ReadModelVersion>().ExecuteUpdateAsync(set => set.SetProperty(row => row.Version, row => row.Version + 1), cancel);
            await SaveChangesAsync(cancel);
            await AnnounceIamChangeAsync(cancel);
            var version = await ReadVersionAsync(cancel);
            if (outer is null)
            {
                await transaction.CommitAsync(cancel);
            }

            return version;
        }
        finally
        {
            if (outer is null)
            {
                await transaction.DisposeAsync();
            }
        }
    }

    /// <summary>Inside the change's transaction: others hear of it when it is committed, and never otherwise.</summary>
    private protected virtual Task AnnounceIamChangeAsync(CancellationToken cancel) => Task.CompletedTask;

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        IamTables.Map(modelBuilder);
        JournalTables.Map(modelBuilder);
        AuditTables.Map(modelBuilder);
        OutboxTables.Map(modelBuilder);
        RegistrationTables.Map(modelBuilder);
        ModelAuditTables.Map(modelBuilder);
        modelBuilder.Entity<SchemaNeeds>(needs =>
        {
            needs.ToTable("schema_needs");
            needs.HasKey(row => row.Id);
            needs.Property(row => row.Id).ValueGeneratedNever();
        });
        SnakeCase.Apply(modelBuilder);
    }
}
