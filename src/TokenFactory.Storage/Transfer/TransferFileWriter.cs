using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;

namespace TokenFactory.Storage.Transfer;

/// <summary>Writes a transfer file: lines of JSON, compressed, each table's rows between a line that begins it and one that proves it.</summary>
internal sealed class TransferFileWriter(Stream file) : IDisposable
{
    private static readonly byte[] _newLine = [(byte)'\n'];

    private readonly GZipStream _stream = new(file, CompressionLevel.Fastest, leaveOpen: true);
    private readonly IncrementalHash _whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly List<TransferredTable> _tables = [];

    public void Begin(TransferHeader header) => Control(header);

    public void Begin(TransferTable table) => Control(new TransferLine { Table = table.Name, Columns = table.Shape });

    /// <param name="rows">Whole lines.</param>
    public void Rows(ReadOnlySpan<byte> rows)
    {
        _whole.AppendData(rows);
        _stream.Write(rows);
    }

    public void End(TransferredTable table)
    {
        _tables.Add(table);
        Control(new TransferLine { End = table.Table, Rows = table.Rows, Sha256 = table.Sha256 });
    }

    public IReadOnlyList<TransferredTable> End()
    {
        Control(new TransferLine { Tables = _tables.Count, Rows = _tables.Sum(static table => table.Rows), Sha256 = Convert.ToHexStringLower(_whole.GetCurrentHash()) });
        return _tables;
    }

    /// <summary>Closes the compression, not the file under it.</summary>
    public void Dispose()
    {
        _stream.Dispose();
        _whole.Dispose();
    }

    private void Control<T>(T line)
    {
        Rows(JsonSerializer.SerializeToUtf8Bytes(line, TransferFileReader.Json));
        Rows(_newLine);
    }
}
