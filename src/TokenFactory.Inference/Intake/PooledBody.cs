using System.Buffers;

namespace TokenFactory.Inference.Intake;

/// <summary>A request body in pooled memory, paid for from the <see cref="BodyBudget"/>. Released once, by the stop that read it.</summary>
internal sealed class PooledBody(BodyBudget budget, int initialBytes) : IDisposable
{
    private byte[]? _array = ArrayPool<byte>.Shared.Rent(Math.Max(initialBytes, 256));

    /// <summary>No body at all; never released.</summary>
    public static PooledBody Empty { get; } = new(new BodyBudget(0), 0);

    private bool _hasForms;

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Memory => (_array ?? throw Released()).AsMemory(0, Length);

    public ReadOnlySpan<byte> Span => (_array ?? throw Released()).AsSpan(0, Length);

    /// <summary>Bytes taken from the budget so far.</summary>
    public long ReservedBytes { get; set; }

    /// <summary>Room for the next read; grows by doubling.</summary>
    public Memory<byte> Free()
    {
        var array = _array ?? throw Released();
        if (Length == array.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(array.Length * 2);
            array.AsSpan().CopyTo(larger);
            ArrayPool<byte>.Shared.Return(array);
            _array = array = larger;
        }

        return array.AsMemory(Length);
    }

    /// <summary>Takes more from the budget, once, for other forms of the body that live as long: its JSON as a tree, and the request made of it.
    /// False when there is no room.</summary>
    public bool TryReserveForms()
    {
        // A tree takes twelve bytes a token: four times the body, unless it is nothing but brackets and digits.
        const int Factor = 4;
        if (_hasForms)
        {
            return true;
        }

        _hasForms = budget.TryTake((long)Length * Factor);
        ReservedBytes += _hasForms ? (long)Length * Factor : 0;
        return _hasForms;
    }

    public void Advance(int bytes) => Length += bytes;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _array, null) is { } array)
        {
            ArrayPool<byte>.Shared.Return(array);
            budget.Return(ReservedBytes);
        }
    }

    private static ObjectDisposedException Released() => new(nameof(PooledBody));
}
