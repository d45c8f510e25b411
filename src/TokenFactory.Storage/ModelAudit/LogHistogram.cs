namespace TokenFactory.Storage.ModelAudit;

/// <summary>
/// How often which value was seen, in eight steps to each doubling: a quantile read from it is at most 4.5 % off, and two of them add up to
/// what one would have counted. Kept as pairs of variable-length numbers, so that the few steps a deployment uses are all that is stored.
/// </summary>
public sealed class LogHistogram
{
    private const int StepsPerDoubling = 8;
    private const int LowestDoubling = -6;
    private const int Steps = StepsPerDoubling * 40;

    private readonly long[] _counts = new long[Steps];

    public long Count { get; private set; }

    public static LogHistogram Parse(ReadOnlySpan<byte> stored)
    {
        var read = new LogHistogram();
        var step = -1;
        while (!stored.IsEmpty)
        {
            var ahead = Take(ref stored);
            var count = Take(ref stored);
            if (ahead == 0 || ahead > Steps || (step += (int)ahead) >= Steps)
            {
                throw new InvalidDataException("A histogram of the model audit cannot be read: it names a step that there is not.");
            }

            read._counts[step] += (long)count;
            read.Count += (long)count;
        }

        return read;
    }

    public void Add(double value)
    {
        _counts[StepOf(value)]++;
        Count++;
    }

    public void Add(LogHistogram other)
    {
        for (var step = 0; step < Steps; step++)
        {
            _counts[step] += other._counts[step];
        }

        Count += other.Count;
    }

    /// <returns>Null when nothing was counted.</returns>
    public double? Quantile(double share)
    {
        var rank = (long)Math.Max(1, Math.Ceiling(Count * share));
        long seen = 0;
        for (var step = 0; step < Steps; step++)
        {
            seen += _counts[step];
            if (seen >= rank)
            {
                return Math.Pow(2, ((step + 0.5) / StepsPerDoubling) + LowestDoubling);
            }
        }

        return null;
    }

    public byte[] ToBytes()
    {
        var bytes = new List<byte>();
        var before = -1;
        for (var step = 0; step < Steps; step++)
        {
            if (_counts[step] > 0)
            {
                Put(bytes, (ulong)(step - before));
                Put(bytes, (ulong)_counts[step]);
                before = step;
            }
        }

        return [.. bytes];
    }

    public void Clear()
    {
        Array.Clear(_counts);
        Count = 0;
    }

    private static int StepOf(double value) =>
        value > 0 ? (int)Math.Clamp((Math.Log2(value) - LowestDoubling) * StepsPerDoubling, 0, Steps - 1) : 0;

    private static void Put(List<byte> bytes, ulong number)
    {
        for (; number >= 0x80; number >>= 7)
        {
            bytes.Add((byte)(number | 0x80));
        }

        bytes.Add((byte)number);
    }

    private static ulong Take(ref ReadOnlySpan<byte> stored)
    {
        ulong number = 0;
        for (var shift = 0; shift < 63; shift += 7)
        {
            if (stored.IsEmpty)
            {
                break;
            }

            var next = stored[0];
            stored = stored[1..];
            number |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return number;
            }
        }

        throw new InvalidDataException("A histogram of the model audit cannot be read: it is cut short.");
    }
}
