using System.Collections.Frozen;
using System.Globalization;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Keys;

namespace TokenFactory.Administration.Iam.Platform;

/// <summary>What became of a question.</summary>
internal sealed record Taken(long Version, KeyTable Keys, FrozenDictionary<string, Tenant> Tenants, int KeyCount, DateTimeOffset? At, Remarks Remarks);

/// <summary>
/// Asks for what changed and takes it, or refuses it as a whole (P4): changes are collected and a full answer is read into a
/// model of its own, so that an answer that is cut, older or wrong leaves nothing behind. For one thread.
/// </summary>
internal sealed class PlatformReadModel(PlatformClient client)
{
    private const int MaxKeys = 5_000_000;

    private PlatformModel? _model;
    private long _version = -1;
    private string? _eTag;
    private bool _needsAll = true;

    /// <summary>Null when nothing changed.</summary>
    /// <exception cref="AnswerRefusedException">What was known stays, unconfirmed.</exception>
    public async Task<Taken?> RefreshAsync(IReadOnlyList<Pepper> peppers, CancellationToken cancel)
    {
        try
        {
            return await AskAsync(peppers, cancel);
        }
        catch (AnswerRefusedException e) when (e.Reason == AnswerRefusal.Nameless && !_needsAll)
        {
            // It might have been somebody's revocation: in a full answer what is absent is closed.
            _needsAll = true;
            throw;
        }
    }

    private async Task<Taken?> AskAsync(IReadOnlyList<Pepper> peppers, CancellationToken cancel)
    {
        long? since = _needsAll ? null : _version;
        using var answer = await client.AskAsync(since, _eTag, cancel);
        if (answer.IsUnchanged)
        {
            return null;
        }

        var header = await HeaderAsync(answer, since, cancel);
        if (header.Version == _version && header.Since is null && !_needsAll)
        {
            // A source that always answers in full. The same version is the same content: it is not worth reading.
            return null;
        }

        var remarks = new Remarks(peppers);
        var isFull = header.Since is null;
        if (isFull)
        {
            var model = new PlatformModel();
            await ReadAsync(answer, header, isFull, remarks, model.Take, () => model.Keys, cancel);
            _model = model;
        }
        else
        {
            var changes = new List<Entry>();
            await ReadAsync(answer, header, isFull, remarks, (entry, _) => changes.Add(entry), () => _model!.Keys + changes.Count, cancel);
            if (changes.Count == 0 && header.Version == _version)
            {
                _eTag = answer.ETag;
                return null;
            }

            // Were this to fail halfway, the model would be neither: everything is asked for until it has gone well.
            _needsAll = true;
            changes.ForEach(entry => _model!.Take(entry, remarks));
        }

        var (keys, tenants) = _model!.Build(remarks);
        (_version, _eTag, _needsAll) = (header.Version, answer.ETag, false);
        return new Taken(header.Version, keys, tenants, _model.Keys, header.At, remarks);
    }

    private async Task<HeaderLine> HeaderAsync(PlatformAnswer answer, long? since, CancellationToken cancel)
    {
        var header = await answer.ReadAsync(cancel) switch
        {
            HeaderLine read => read,
            NamelessLine other => throw new AnswerRefusedException(AnswerRefusal.Malformed, $"its first line is no header: {other.Why}"),
            _ => throw new AnswerRefusedException(AnswerRefusal.Malformed, "its first line is no header"),
        };
        if (header.Version < _version)
        {
            throw new AnswerRefusedException(AnswerRefusal.OlderVersion, Text($"it answered with version {header.Version}, and version {_version} is in force: versions never go backwards"));
        }

        return header.Since is null || header.Since == since
            ? header
            : throw new AnswerRefusedException(AnswerRefusal.NotAsked, Text($"it answered with the changes since version {header.Since}, which was not asked for"));
    }

    private static async Task ReadAsync(
        PlatformAnswer answer, HeaderLine header, bool isFull, Remarks remarks, Action<Entry, Remarks> take, Func<int> keys, CancellationToken cancel)
    {
        for (long entries = 0; ; entries++)
        {
            switch (await answer.ReadAsync(cancel))
            {
                case Entry entry:
                    take(entry, remarks);
                    break;
                case IgnoredLine:
                    break;
                case NamelessLine line when isFull:
                    remarks.Add(Text($"line {entries + 2} is left out: {line.Why}"));
                    break;
                case NamelessLine line:
                    throw new AnswerRefusedException(AnswerRefusal.Nameless, Text($"line {entries + 2} of its changes cannot be attributed ({line.Why}); everything is asked for"));
                case EndLine end when end.Version == header.Version && end.Entries == entries:
                    return;
                case EndLine:
                    throw new AnswerRefusedException(AnswerRefusal.Malformed, Text($"its end line does not agree with its {entries} entries of version {header.Version}"));
                case HeaderLine:
                    throw new AnswerRefusedException(AnswerRefusal.Malformed, "it has a second header");
                default:
                    throw new AnswerRefusedException(AnswerRefusal.CutShort, Text($"its answer was cut after {entries} entries"));
            }

            if (keys() > MaxKeys)
            {
                throw new AnswerRefusedException(AnswerRefusal.TooLarge, Text($"it has more than {MaxKeys} keys"));
            }
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
