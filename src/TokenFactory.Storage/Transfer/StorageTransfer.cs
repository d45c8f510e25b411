using System.Buffers;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;

namespace TokenFactory.Storage.Transfer;

/// <summary>
/// Moves a whole installation from one store to another through a file. Rows stream; memory holds one of them. An import is one
/// transaction, committed only when the store's own rows, read again, have the counts and checksums that the file has of its rows:
/// whatever else happens leaves the store as empty as it was.
/// </summary>
public sealed class StorageTransfer
{
    private const int RowsBetweenReports = 1024;

    private readonly ITransferStore _store;
    private readonly StorageMigrator _migrator;
    private readonly IDbContextFactory<GatewayDbContext> _contexts;
    private readonly TimeProvider _clock;

    internal StorageTransfer(ITransferStore store, StorageMigrator migrator, IDbContextFactory<GatewayDbContext> contexts, TimeProvider clock)
    {
        _store = store;
        _migrator = migrator;
        _contexts = contexts;
        _clock = clock;
    }

    /// <summary>Writes what is committed at its beginning; a gateway may serve meanwhile, and what it does then is not in the file.</summary>
    /// <param name="peppers">By version, the mark of each.</param>
    /// <exception cref="StorageException">The store cannot be used.</exception>
    public Task<IReadOnlyList<TransferredTable>> ExportAsync(
        Stream file, string gateway, IReadOnlyDictionary<string, string> peppers, Action<TransferProgress> report, CancellationToken cancel = default) => ExplainedAsync(async () =>
    {
        _store.RequirePresence();
        var header = new TransferHeader
        {
            Format = TransferHeader.OurFormat,
            Version = TransferHeader.OurVersion,
            Gateway = gateway,
            Store = _store.Kind,
            Migration = await _migrator.RequireCurrentAsync(cancel),
            ExportedAt = _clock.GetUtcNow(),
            Peppers = peppers,
        };
        var plan = Plan();
        await using var view = await _store.ReadAsync(cancel);
        using var writer = new TransferFileWriter(file);
        writer.Begin(header);
        foreach (var table in plan.Tables)
        {
            writer.Begin(table);
            writer.End(await ReadAsync(view, table, writer.Rows, new Progress("export", table, report, _clock), cancel));
        }

        return writer.End();
    });

    /// <summary>Fills an empty store; one without a schema gets it first.</summary>
    /// <param name="refuse">Why the file must not be imported here, as its header shows; null when it may.</param>
    /// <exception cref="StorageException">The file or the store cannot be used, or they differ in the end. The store has nothing of the file.</exception>
    public Task<IReadOnlyList<TransferredTable>> ImportAsync(
        Stream file, Func<TransferHeader, string?> refuse, Action<TransferProgress> report, CancellationToken cancel = default) => ExplainedAsync(async () =>
    {
        using var reader = new TransferFileReader(file);
        if (refuse(reader.Header) is { } reason)
        {
            throw new StorageException(reason);
        }

        using var claim = _store.Claim();
        await _migrator.MigrateNewAsync(cancel);
        var plan = Plan();
        IReadOnlyList<TransferredTable> written;
        await using (var target = await _store.WriteAsync(cancel))
        {
            await RequireEmptyAsync(target, plan, cancel);
            written = await WriteAsync(reader, target, plan, report, cancel);
            await VerifyAsync(target, plan, written, report, cancel);
            await target.CommitAsync(cancel);
        }

        await _store.SettleDownAsync(cancel);
        return written;
    });

    private TransferPlan Plan()
    {
        using var context = _contexts.CreateDbContext();
        return TransferPlan.Of(context.Model);
    }

    private async Task RequireEmptyAsync(TransferTarget target, TransferPlan plan, CancellationToken cancel)
    {
        foreach (var table in plan.Tables.Where(static table => table.Name != TransferPlan.Version))
        {
            if (await target.CountAsync(table.Name, cancel) is > 0 and var rows)
            {
                throw new StorageException(
                    $"{_migrator.StoreName} is not empty: its table {table.Name} holds {rows} row{(rows == 1 ? "" : "s")}. An import fills only an empty store: make a new database, or name a new directory with --data.");
            }
        }
    }

    private async Task<IReadOnlyList<TransferredTable>> WriteAsync(
        TransferFileReader reader, TransferTarget target, TransferPlan plan, Action<TransferProgress> report, CancellationToken cancel)
    {
        List<TransferredTable> tables = [];
        foreach (var table in plan.Tables)
        {
            reader.Begin(table);
            await using var writer = await target.OpenAsync(table, cancel);
            tables.Add(await WriteAsync(reader, writer, table, new Progress("import", table, report, _clock), cancel));
        }

        reader.End();
        return tables;
    }

    private static async Task<TransferredTable> WriteAsync(
        TransferFileReader reader, ITableWriter writer, TransferTable table, Progress progress, CancellationToken cancel)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var row = new object?[table.Columns.Count];
        TransferredTable? end;
        while (Next(out end))
        {
            await writer.WriteAsync(row, cancel);
            progress.Row(cancel);
        }

        await writer.CompleteAsync(cancel);
        progress.Done();
        var found = new TransferredTable(table.Name, progress.Rows, Convert.ToHexStringLower(hash.GetCurrentHash()));
        return found == end ? found : throw reader.Damaged($"table {table.Name} has {found.Rows} rows and not the {end!.Rows} it says, or some were altered");

        bool Next(out TransferredTable? last)
        {
            if (!reader.TryRow(table, out var line, out last))
            {
                return false;
            }

            hash.AppendData(line);
            hash.AppendData("\n"u8);
            try
            {
                CanonicalRow.Read(line, table, row);
                return true;
            }
            catch (FormatException cause)
            {
                throw reader.Damaged($"no row of {table.Name}: {cause.Message}", cause);
            }
        }
    }

    private async Task VerifyAsync(TransferView target, TransferPlan plan, IReadOnlyList<TransferredTable> written, Action<TransferProgress> report, CancellationToken cancel)
    {
        List<string> differing = [];
        foreach (var (table, expected) in plan.Tables.Zip(written))
        {
            var found = await ReadAsync(target, table, static _ => { }, new Progress("verify", table, report, _clock), cancel);
            if (found != expected)
            {
                differing.Add($"{table.Name} ({found.Rows} of {expected.Rows} rows{(found.Rows == expected.Rows ? ", other contents" : "")})");
            }
        }

        if (differing.Count > 0)
        {
            throw new StorageException($"{_migrator.StoreName} does not give back what the file holds, so nothing was kept. Differing: {string.Join(", ", differing)}.");
        }
    }

    /// <summary>A table's rows, each in its canonical form; what they add up to.</summary>
    private static async Task<TransferredTable> ReadAsync(TransferView view, TransferTable table, Action<ReadOnlySpan<byte>> take, Progress progress, CancellationToken cancel)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var line = new ArrayBufferWriter<byte>();
        await using var reader = await view.ReadAsync(table, cancel);
        while (await reader.ReadAsync(cancel))
        {
            line.ResetWrittenCount();
            CanonicalRow.Write(line, reader, table, view.Values);
            hash.AppendData(line.WrittenSpan);
            take(line.WrittenSpan);
            progress.Row(cancel);
        }

        progress.Done();
        return new TransferredTable(table.Name, progress.Rows, Convert.ToHexStringLower(hash.GetCurrentHash()));
    }

    private async Task<IReadOnlyList<TransferredTable>> ExplainedAsync(Func<Task<IReadOnlyList<TransferredTable>>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception cause) when (_store.Explain(cause) is { } explained && explained != cause)
        {
            throw explained;
        }
    }

    private sealed class Progress(string step, TransferTable table, Action<TransferProgress> report, TimeProvider clock)
    {
        private readonly long _started = clock.GetTimestamp();

        public long Rows { get; private set; }

        public void Row(CancellationToken cancel)
        {
            if (++Rows % RowsBetweenReports == 0)
            {
                cancel.ThrowIfCancellationRequested();
                Report(isDone: false);
            }
        }

        public void Done() => Report(isDone: true);

        private void Report(bool isDone) => report(new TransferProgress(step, table.Name, Rows, clock.GetElapsedTime(_started), isDone));
    }
}
