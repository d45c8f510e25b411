using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace TokenFactory.Storage.Transfer;

/// <summary>Reads a transfer file line by line, in bounded memory, and refuses one that was cut short, altered, or made in a way this program does not know.</summary>
internal sealed class TransferFileReader : IDisposable
{
    internal static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectRequiredConstructorParameters = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
    };

    private const int FirstBuffer = 1 << 16;

    /// <summary>Far more than any row has: an event's body is bounded by what made it.</summary>
    private const int LongestLine = 1 << 26;

    private readonly GZipStream _stream;
    private readonly IncrementalHash _whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private byte[] _buffer = new byte[FirstBuffer];
    private int _start;
    private int _end;
    private long _line;
    private long _rows;
    private int _tables;

    /// <exception cref="StorageException">It is no transfer file, or a newer one.</exception>
    public TransferFileReader(Stream file)
    {
        _stream = new GZipStream(file, CompressionMode.Decompress, leaveOpen: true);
        Header = ReadHeader();
    }

    public TransferHeader Header { get; }

    /// <summary>Goes to the next table, which must be this one.</summary>
    public void Begin(TransferTable table)
    {
        var line = Control(Next());
        if (line.Table != table.Name)
        {
            throw new StorageException(
                $"The file's next table is '{line.Table ?? "none"}' where this program expects '{table.Name}': they have different schemas. {SameVersion()}");
        }

        var (given, expected) = (line.Columns ?? [], table.Shape);
        if (!given.SequenceEqual(expected))
        {
            var (more, less) = (given.Except(expected).ToArray(), expected.Except(given).ToArray());
            throw new StorageException(
                $"The file's table '{table.Name}' has another schema than this program's: it has [{string.Join(", ", more)}] more and lacks [{string.Join(", ", less)}]. {SameVersion()}");
        }
    }

    /// <returns>False at the end of the table's rows; then <paramref name="end"/> has what the file says of them.</returns>
    /// <param name="row">A whole line, valid until the next call.</param>
    public bool TryRow(TransferTable table, out ReadOnlySpan<byte> row, out TransferredTable? end)
    {
        var line = Next();
        row = line;
        end = null;
        if (line[0] == (byte)'[')
        {
            _rows++;
            return true;
        }

        var control = Control(line);
        end = control.End == table.Name && control is { Rows: { } rows, Sha256: { } hash } ? new TransferredTable(table.Name, rows, hash) : throw Damaged("the table's end is missing");
        _tables++;
        return false;
    }

    /// <summary>What must come after the last table: the file's own end, and nothing more.</summary>
    public void End()
    {
        var before = Convert.ToHexStringLower(_whole.GetCurrentHash());
        var line = Control(Next());
        if (line.Table is { } table)
        {
            throw new StorageException($"The file has a table '{table}' that this program does not know. {SameVersion()}");
        }

        if (line.Tables != _tables || line.Rows != _rows || line.Sha256 != before)
        {
            throw Damaged("its counts or its checksum do not match");
        }

        if (Fill())
        {
            throw Damaged("something follows its end");
        }
    }

    public void Dispose()
    {
        _stream.Dispose();
        _whole.Dispose();
    }

    public StorageException Damaged(string detail, Exception? cause = null) => new(
        $"The file is damaged at line {_line} ({detail}). Nothing of it was kept. Export again, or fetch the whole file again.", cause!);

    private TransferHeader ReadHeader()
    {
        TransferHeader? header = null;
        try
        {
            header = JsonSerializer.Deserialize<TransferHeader>(Next(), Json);
        }
        catch (Exception cause) when (cause is JsonException or StorageException)
        {
            throw new StorageException("This is no file that 'gateway migrate export' wrote, or its beginning is damaged.", cause);
        }

        return header is not { Format: TransferHeader.OurFormat } ? throw new StorageException("This is no file that 'gateway migrate export' wrote.")
            : header.Version > TransferHeader.OurVersion ? throw new StorageException(
                $"The file has format {header.Version}, written by gateway {header.Gateway}; this program knows format {TransferHeader.OurVersion}. Import it with that version or a newer one.")
            : header;
    }

    private string SameVersion() =>
        $"The file was written by gateway {Header.Gateway} from a store with migration {Header.Migration}; import it with that version, or export it again with this one.";

    private TransferLine Control(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize<TransferLine>(line, Json)!;
        }
        catch (JsonException cause)
        {
            throw Damaged("neither a row nor a table", cause);
        }
    }

    /// <summary>The next line without its end, which the checksum has.</summary>
    private ReadOnlySpan<byte> Next()
    {
        _line++;
        for (var searched = 0; ;)
        {
            var found = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (found >= 0)
            {
                var line = _buffer.AsSpan(_start, searched + found);
                _whole.AppendData(_buffer.AsSpan(_start, line.Length + 1));
                _start += line.Length + 1;
                return line.Length > 0 ? line : throw Damaged("an empty line");
            }

            searched = _end - _start;
            if (!Fill())
            {
                throw Damaged("it ends too early");
            }
        }
    }

    /// <returns>False at the end of the file.</returns>
    private bool Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length < LongestLine ? _buffer.Length * 2 : throw Damaged("a line without an end"));
        }

        try
        {
            var read = _stream.Read(_buffer, _end, _buffer.Length - _end);
            _end += read;
            return read > 0;
        }
        catch (InvalidDataException cause)
        {
            throw Damaged("it cannot be decompressed", cause);
        }
    }
}
