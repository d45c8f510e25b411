using Microsoft.EntityFrameworkCore;
using TokenFactory.Storage.Registry;

namespace TokenFactory.Storage.Model;

/// <summary>The registry: few rows, changed by hand or by a control plane, read whole. Revisions and changes are append-only.</summary>
internal static class RegistrationTables
{
    public static void Map(ModelBuilder model)
    {
        model.Entity<RegistryDocument>(document =>
        {
            document.ToTable("registry_documents");
            document.HasKey(row => new { row.Kind, row.Name });
        });
        model.Entity<RegistryRevision>(revision =>
        {
            revision.ToTable("registry_revisions");
            revision.HasKey(row => row.Revision);
            revision.Property(row => row.Revision).ValueGeneratedNever();
        });
        model.Entity<RegistryChange>(change =>
        {
            change.ToTable("registry_changes");
            change.HasKey(row => new { row.Kind, row.Name, row.Revision });
        });
    }
}
