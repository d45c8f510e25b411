using Microsoft.EntityFrameworkCore;
using TokenFactory.Storage.Iam;

namespace TokenFactory.Storage.Model;

/// <summary>The embedded IAM: few rows, changed by hand, read whole into the snapshot.</summary>
internal static class IamTables
{
    public static void Map(ModelBuilder model)
    {
        model.Entity<Tenant>(tenant =>
        {
            tenant.ToTable("tenants");
            tenant.HasKey(row => row.Name);
        });
        model.Entity<Project>(project =>
        {
            project.ToTable("projects");
            project.HasKey(row => new { row.Tenant, row.Name });
            project.HasOne<Tenant>().WithMany().HasForeignKey(row => row.Tenant).OnDelete(DeleteBehavior.Restrict);
        });
        model.Entity<ApiKey>(key =>
        {
            key.ToTable("api_keys");
            key.HasKey(row => row.Id);
            key.HasOne<Project>().WithMany().HasForeignKey(row => new { row.Tenant, row.Project }).OnDelete(DeleteBehavior.Restrict);
            key.HasMany(row => row.Secrets).WithOne().HasForeignKey(row => row.KeyId).OnDelete(DeleteBehavior.Cascade);
            key.Property(row => row.User).HasColumnName("user_id");
        });
        model.Entity<ApiKeySecret>(secret =>
        {
            secret.ToTable("api_key_secrets");
            secret.HasKey(row => row.Id);
            secret.Property(row => row.Id).ValueGeneratedNever();
            secret.HasIndex(row => new { row.PepperVersion, row.Digest }).IsUnique();
        });
        model.Entity<ReadModelVersion>(version =>
        {
            version.ToTable("read_model_version");
            version.HasKey(row => row.Id);
            version.Property(row => row.Id).ValueGeneratedNever();
            version.HasData(new ReadModelVersion { Version = 1 });
        });
    }
}
