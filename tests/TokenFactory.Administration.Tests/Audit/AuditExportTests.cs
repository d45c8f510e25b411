using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using TokenFactory.Administration.Audit;
using TokenFactory.Storage.Audit;
using TokenFactory.TestKit.Clock;

namespace TokenFactory.Administration.Tests.Audit;

/// <summary>P11: what leaves as a file can be proven by itself, and says so when it was touched.</summary>
public sealed class AuditExportTests
{
    private static readonly Guid _chain = Guid.Parse("0197c5f0-0000-7000-8000-000000000001");
    private static readonly AuditFilter _filter = new() { Tenant = "acme" };

    [Fact]
    public async Task P11_An_export_is_proven_by_itself_and_by_its_manifest()
    {
        var (file, manifest) = await ExportAsync(AuditExport.JsonLines);

        var report = await VerifyAsync(file, AuditManifest.Parse(manifest.ToJson()));

        Assert.Empty(report.Findings);
        Assert.Equal((1, 5), (report.Chains, report.Records));
        Assert.Equal((5, "acme", 5L), (manifest.Records, manifest.Tenant, manifest.Ends()[0].Sequence));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(file))), manifest.Sha256);
        Assert.Equal("req-3", JsonNode.Parse(file.Split('\n')[2])!["record"]!["data"]!["model"]!.GetValue<string>());
    }

    [Fact]
    public async Task P11_A_line_that_was_edited_removed_or_moved_is_found()
    {
        var (file, manifest) = await ExportAsync(AuditExport.JsonLines);
        var lines = file.Split('\n');

        var edited = await VerifyAsync(file.Replace("req-3", "req-9", StringComparison.Ordinal), null);
        Assert.Equal(3, Assert.Single(edited.Findings).Sequence);

        var removed = await VerifyAsync(string.Join('\n', lines.Where((_, at) => at != 2)), manifest);
        Assert.Equal(["the manifest tells of 5 records, the file has 4", "the file is not the one the manifest was written for: its SHA-256 differs"], removed.Findings.Select(one => one.What));

        // Whoever makes a record anew, with a hash of its own, cannot make the one after it follow.
        var forged = Record(3, Hash(2), "forged");
        var replaced = await VerifyAsync(file.Replace(lines[2], Line(forged), StringComparison.Ordinal), null);
        Assert.Equal(4, Assert.Single(replaced.Findings).Sequence);

        Assert.Equal("line 2 is not a record of an export", Assert.Single((await VerifyAsync($"{lines[0]}\nnonsense\n{lines[2]}\n", null)).Findings).What);
    }

    [Fact]
    public async Task A_spreadsheet_gets_one_line_a_record_and_no_formula()
    {
        var (file, _) = await ExportAsync(AuditExport.Csv);
        var lines = file.Split("\r\n");

        Assert.StartsWith("id,kind,recorded_at,tenant,project,user,key_id,use_case,", lines[0], StringComparison.Ordinal);
        Assert.Equal(7, lines.Length);
        var cells = lines[1].Split(',');
        Assert.Equal(lines[0].Split(',').Length, cells.Length - 1);
        Assert.Contains("\"'=cmd|' /C calc'!A0,\"", lines[1], StringComparison.Ordinal);
        Assert.Contains(",eu-only second,", lines[1], StringComparison.Ordinal);
        Assert.EndsWith(Convert.ToHexStringLower(Hash(1)), lines[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("nonsense")]
    [InlineData("null")]
    public void P12_What_is_no_manifest_is_refused(string text) => Assert.Throws<InvalidDataException>(() => AuditManifest.Parse(text));

    private static async Task<(string File, AuditManifest Manifest)> ExportAsync(string format)
    {
        using var file = new MemoryStream();
        var manifest = await new AuditExport(new Trail(), new FakeClock(), "1.0.0").WriteAsync(file, _filter, format, default);
        return (Encoding.UTF8.GetString(file.ToArray()), manifest);
    }

    private static async Task<AuditReport> VerifyAsync(string file, AuditManifest? manifest)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(file));
        return await AuditFile.VerifyAsync(stream, manifest, default);
    }

    private static string Line(AuditRecord record) => AuditJson.Of(record);

    private static byte[] Hash(int sequence) => sequence == 0 ? SHA256.HashData(_chain.ToByteArray(bigEndian: true)) : Record(sequence, Hash(sequence - 1), $"req-{sequence}").Hash;

    /// <summary>By the words of docs/api/audit-record.schema.json and not by the product's code.</summary>
    private static AuditRecord Record(int sequence, byte[] previous, string model)
    {
        var id = new Guid(sequence, 0, 0, new byte[8]);
        var body = Encoding.UTF8.GetBytes(
            $$$"""{"id":"{{{id}}}","kind":"request","at":"2026-11-20T12:00:00.000Z","instance":"{{{_chain}}}","data":{"tenant":"acme","use_case":"=cmd|' /C calc'!A0,","model":"{{{model}}}","policy":{"revision":"r","rules":["eu-only","second"]},"tokens":{"output":-3}},"error":null,"attempts":[]}""");
        byte[] place = [0, 0, 0, 0, 0, 0, 0, (byte)sequence];
        return new AuditRecord
        {
            Id = id,
            Chain = _chain,
            Sequence = sequence,
            Tenant = "acme",
            Project = "search",
            Kind = AuditKind.Request,
            RecordedAt = new DateTimeOffset(2026, 11, 20, 12, 0, 0, TimeSpan.Zero),
            Body = body,
            Previous = previous,
            Hash = SHA256.HashData([.. previous, .. place, .. body]),
        };
    }

    private sealed class Trail : IAuditTrail
    {
        public Task<AuditRecord?> FindAsync(Guid id, string? tenant, CancellationToken cancel) => throw new NotSupportedException();

        public Task<IReadOnlyList<AuditRecord>> PageAsync(AuditFilter filter, Guid? before, int limit, CancellationToken cancel) => throw new NotSupportedException();

        public async IAsyncEnumerable<AuditRecord> ReadAsync(AuditFilter filter, [EnumeratorCancellation] CancellationToken cancel)
        {
            Assert.Same(_filter, filter);
            for (var sequence = 1; sequence <= 5; sequence++)
            {
                await Task.Yield();
                yield return Record(sequence, Hash(sequence - 1), $"req-{sequence}");
            }
        }

        public Task<IReadOnlyList<AuditChainEnd>> ChainsAsync(CancellationToken cancel) => Task.FromResult<IReadOnlyList<AuditChainEnd>>([new AuditChainEnd(_chain, 5, Hash(5))]);
    }
}
