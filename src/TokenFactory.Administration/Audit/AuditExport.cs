using System.Security.Cryptography;
using System.Text.Json;
using TokenFactory.Storage.Audit;

namespace TokenFactory.Administration.Audit;

/// <summary>Writes a period of the trail into a stream, a record at a time.</summary>
public sealed class AuditExport(IAuditTrail trail, TimeProvider clock, string gatewayVersion)
{
    public const string JsonLines = "jsonl";
    public const string Csv = "csv";

    /// <param name="format"><see cref="JsonLines"/> or <see cref="Csv"/>.</param>
    public async Task<AuditManifest> WriteAsync(Stream output, AuditFilter filter, string format, CancellationToken cancel)
    {
        // First: what is recorded meanwhile may be in the export or not, and the ends that are told are behind nothing that is in it for sure.
        var ends = await trail.ChainsAsync(cancel);
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long records = 0;
        if (format == Csv)
        {
            await WriteAsync(AuditCsv.Head);
        }

        await foreach (var record in trail.ReadAsync(filter, cancel))
        {
            await WriteAsync(format == Csv ? AuditCsv.Line(record) : JsonLine(record));
            records++;
        }

        return new AuditManifest(
            format, filter.Tenant, filter.Project, filter.From, filter.Until, records, Convert.ToHexStringLower(digest.GetHashAndReset()), [.. ends.Select(AuditManifest.ChainEnd.Of)],
            clock.GetUtcNow(), gatewayVersion);

        async Task WriteAsync(ReadOnlyMemory<byte> bytes)
        {
            digest.AppendData(bytes.Span);
            await output.WriteAsync(bytes, cancel);
        }
    }

    private static ReadOnlyMemory<byte> JsonLine(AuditRecord record)
    {
        var line = new System.Buffers.ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(line, AuditJson.Plain))
        {
            AuditJson.Write(json, record);
        }

        line.GetSpan(1)[0] = (byte)'\n';
        line.Advance(1);
        return line.WrittenMemory;
    }
}
