using System.Security.Cryptography;
using System.Text.Json;
using TokenFactory.Storage.Audit;

namespace TokenFactory.Administration.Audit;

/// <summary>Checks a JSON Lines export by itself: whoever has the file needs no gateway and no database.</summary>
public static class AuditFile
{
    /// <param name="manifest">What the file was said to hold; null when it is not at hand.</param>
    public static async Task<AuditReport> VerifyAsync(Stream file, AuditManifest? manifest, CancellationToken cancel)
    {
        var findings = new List<AuditFinding>();
        var ends = new Dictionary<Guid, (long Sequence, byte[] Hash)>();
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var lines = new StreamReader(file);
        long number = 0;
        var isCut = false;
        while (await lines.ReadLineAsync(cancel) is { } line)
        {
            number++;
            digest.AppendData(System.Text.Encoding.UTF8.GetBytes(line + "\n"));
            if (Look(line, number, ends) is { } finding)
            {
                isCut |= findings.Count >= AuditVerifier.MostFindings;
                if (!isCut)
                {
                    findings.Add(finding);
                }
            }
        }

        if (manifest is not null && manifest.Records != number)
        {
            findings.Add(new AuditFinding(null, null, null, $"the manifest tells of {manifest.Records} records, the file has {number}"));
        }

        if (manifest is not null && manifest.Sha256 != Convert.ToHexStringLower(digest.GetHashAndReset()))
        {
            findings.Add(new AuditFinding(null, null, null, "the file is not the one the manifest was written for: its SHA-256 differs"));
        }

        return new AuditReport(ends.Count, number, findings, isCut);
    }

    private static AuditFinding? Look(string line, long number, Dictionary<Guid, (long Sequence, byte[] Hash)> ends)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            var (chain, sequence) = (root.GetProperty("chain").GetGuid(), root.GetProperty("sequence").GetInt64());
            var hash = Convert.FromHexString(root.GetProperty("hash").GetString()!);
            var id = root.GetProperty("record").GetProperty("id").GetGuid();
            var previous = Convert.FromHexString(root.GetProperty("previous").GetString()!);
            var before = ends.GetValueOrDefault(chain);
            ends[chain] = (sequence, hash);
            var body = System.Text.Encoding.UTF8.GetBytes(root.GetProperty("record").GetRawText());
            return !AuditVerifier.IsHashOf(chain, sequence, previous, body, hash) ? new AuditFinding(chain, sequence, id, "its hash is not that of its body and of the record before it: one of the two was changed")
                : before.Hash is not null && before.Sequence == sequence - 1 && !before.Hash.AsSpan().SequenceEqual(previous) ? new AuditFinding(chain, sequence, id, "it does not follow the record before it")
                : null;
        }
        catch (Exception unreadable) when (unreadable is JsonException or KeyNotFoundException or FormatException or InvalidOperationException or ArgumentNullException)
        {
            return new AuditFinding(null, null, null, $"line {number} is not a record of an export");
        }
    }
}
