using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace TokenFactory.TestKit.Servers;

/// <summary>
/// The SQL a client runs on one connection, read off its bytes by PostgreSQL's frontend protocol 3.0: a prepared statement is
/// sent once and only named afterwards, so that its text is not to be found in the request that runs it.
/// </summary>
internal sealed class SentStatements
{
    private const int Protocol3 = 3 << 16;
    private const int LengthBytes = 4;

    private readonly Dictionary<string, string> _prepared = [];
    private readonly List<byte> _pending = [];
    private bool _isStarted;

    /// <returns>The statements bound to be run in the messages that these bytes complete.</returns>
    public List<string> Read(ReadOnlySpan<byte> sent)
    {
        _pending.AddRange(sent);
        var ran = new List<string>();
        var rest = (ReadOnlySpan<byte>)CollectionsMarshal.AsSpan(_pending);
        while (TryTake(ref rest, out var type, out var body))
        {
            Note(type, body, ran);
        }

        _pending.RemoveRange(0, _pending.Count - rest.Length);
        return ran;
    }

    private void Note(byte type, ReadOnlySpan<byte> body, List<string> ran)
    {
        switch (type)
        {
            case 0:
                // Requests for encryption come before the start, of the same shape.
                _isStarted = BinaryPrimitives.ReadInt32BigEndian(body) == Protocol3;
                break;
            case (byte)'P':
                var name = Text(ref body);
                _prepared[name] = Text(ref body);
                break;
            case (byte)'B':
                Text(ref body);
                ran.Add(_prepared[Text(ref body)]);
                break;
            case (byte)'Q':
                ran.Add(Text(ref body));
                break;
        }
    }

    private bool TryTake(ref ReadOnlySpan<byte> rest, out byte type, out ReadOnlySpan<byte> body)
    {
        type = 0;
        body = default;
        var typeBytes = _isStarted ? 1 : 0;
        if (rest.Length < typeBytes + LengthBytes)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadInt32BigEndian(rest[typeBytes..]);
        if (rest.Length < typeBytes + length)
        {
            return false;
        }

        type = _isStarted ? rest[0] : (byte)0;
        body = rest[(typeBytes + LengthBytes)..(typeBytes + length)];
        rest = rest[(typeBytes + length)..];
        return true;
    }

    private static string Text(ref ReadOnlySpan<byte> body)
    {
        var end = body.IndexOf((byte)0);
        var text = Encoding.UTF8.GetString(body[..end]);
        body = body[(end + 1)..];
        return text;
    }
}
