using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace TokenFactory.Storage.Transfer;

/// <summary>
/// What of a store travels, made from the model: every table and column of it that both stores have. Both stores' plans are the
/// same, and so what one of them alone has, or makes anew, is named here and nowhere else.
/// </summary>
internal sealed record TransferPlan(IReadOnlyList<TransferTable> Tables)
{
    public const string Outbox = "outbox";
    public const string Cursors = "sink_cursors";
    public const string Letters = "dead_letters";
    public const string Instances = "instances";
    public const string Days = "usage_days";

    /// <summary>The one table that is never empty: the migrations put its row there.</summary>
    public const string Version = "read_model_version";

    /// <summary>A sink's cursor, as the last event it acknowledged of those that are still kept.</summary>
    public const string Delivered = "delivered";

    private const string Deltas = "usage_deltas";

    /// <summary>To an instance that runs a request; what a moved store has open is an orphan.</summary>
    private const string Cancellations = "cancellations";

    // The model audit's tables do not travel: what was seen of deployments from elsewhere is no measure of how they are from here.

    /// <summary>Of the store's own schema.</summary>
    private const string Needs = "schema_needs";

    /// <summary>
    /// Places in an outbox are a store's own: the order of the rows carries them. Leases and signs of life are nothing to who was not
    /// there. A day's group has an id by each store's own rule.
    /// </summary>
    private static readonly Dictionary<string, string[]> _left = new(StringComparer.Ordinal)
    {
        [Outbox] = ["seq", "xid"],
        [Cursors] = ["seq", "xid", "leased_by", "leased_until"],
        [Letters] = ["seq"],
        [Instances] = ["heartbeat_at", "claimed_by", "claimed_until"],
        [Days] = ["group_id"],
    };

    public static TransferPlan Of(IModel model) => new(
        [.. model.GetEntityTypes()
            .Where(static entity => entity.GetTableName() is not (null or Deltas or Needs or Cancellations or Model.ModelAuditTables.Periods or Model.ModelAuditTables.Flags))
            .OrderBy(Depth).ThenBy(static entity => entity.GetTableName(), StringComparer.Ordinal)
            .Select(Table)]);

    /// <summary>Rows that others refer to come first. The outbox comes before the cursors by its name.</summary>
    private static int Depth(IEntityType entity) =>
        entity.GetForeignKeys().Select(static key => 1 + Depth(key.PrincipalEntityType)).DefaultIfEmpty().Max();

    private static TransferTable Table(IEntityType entity)
    {
        var name = entity.GetTableName()!;
        var left = _left.GetValueOrDefault(name, []);
        var columns = entity.GetProperties()
            .Select(static property => new TransferColumn(property.GetColumnName(), TypeOf(property), property.IsNullable))
            .Where(column => !left.Contains(column.Name));
        if (name == Cursors)
        {
            columns = columns.Append(new TransferColumn(Delivered, TransferType.Id, IsNullable: true));
        }

        return new TransferTable(
            name, [.. columns.OrderBy(static column => column.Name, StringComparer.Ordinal)],
            [.. entity.FindPrimaryKey()!.Properties.Select(static property => property.GetColumnName()).Except(left)]);
    }

    private static TransferType TypeOf(IProperty property)
    {
        var type = Nullable.GetUnderlyingType(property.ClrType) ?? property.ClrType;
        return type == typeof(Guid) ? TransferType.Id
            : type == typeof(DateTimeOffset) ? TransferType.Time
            : type == typeof(DateOnly) ? TransferType.Day
            : type == typeof(byte[]) ? TransferType.Bytes
            : type == typeof(string) ? TransferType.Text
            : type == typeof(bool) ? TransferType.Flag
            : type == typeof(int) || type.IsEnum ? TransferType.Int
            : type == typeof(long) ? TransferType.Long
            : type == typeof(ulong) ? TransferType.Unknown
            : throw new InvalidOperationException($"{property.DeclaringType.DisplayName()}.{property.Name} has a type that no transfer file has a form for");
    }
}

/// <param name="Columns">By name, so that their order depends on nothing else.</param>
/// <param name="Key">What its rows are in the order of, unless they have one of their own.</param>
internal sealed record TransferTable(string Name, IReadOnlyList<TransferColumn> Columns, IReadOnlyList<string> Key)
{
    /// <summary>As the file names them: what reads it checks names and types at once.</summary>
    public IReadOnlyList<string> Shape { get; } = [.. Columns.Select(static column => column.ToString())];

    public IEnumerable<string> Names => Columns.Select(static column => column.Name);

    public int IndexOf(string column)
    {
        var index = 0;
        while (Columns[index].Name != column)
        {
            index++;
        }

        return index;
    }
}

internal sealed record TransferColumn(string Name, TransferType Type, bool IsNullable)
{
    public override string ToString() => $"{Name}:{Type.ToString().ToLowerInvariant()}{(IsNullable ? "?" : "")}";
}

/// <summary>What a column holds, in both stores and in the file.</summary>
internal enum TransferType
{
    /// <summary>Of a column that never travels.</summary>
    Unknown = 0,
    Id = 1,
    Time = 2,
    Day = 3,
    Bytes = 4,
    Text = 5,
    Flag = 6,
    Int = 7,
    Long = 8,
}
