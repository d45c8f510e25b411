namespace TokenFactory.Tokenizer;

/// <summary>Merges pieces of any length in bounded memory and near-linear time, window by window.
/// A sequence of tokens is what merging the whole gives exactly when each two neighbours are what merging these two
/// alone gives. So a window may be cut at a token boundary if the next window, merged from there on its own, begins with
/// the token this window already found there: every pair of neighbours has then been merged together once.</summary>
internal static class LongPiece
{
    internal const int WindowBytes = 4 * 1024;

    /// <summary>A cut that fails is moved back by a token this many times. No text is known that needs a second one; if all
    /// failed, the last would be taken and the tokens around it might not be the fewest.</summary>
    private const int CutAttempts = 16;

    /// <returns>The steps it took.</returns>
    internal static long Encode<TSink>(Vocabulary vocabulary, ReadOnlySpan<byte> piece, ref TSink sink, int windowBytes = WindowBytes)
        where TSink : struct, ITokenSink
    {
        var start = 0;
        var window = Window(vocabulary, piece, start, windowBytes);
        var steps = window.Steps;
        while (start + window.Length < piece.Length)
        {
            // The tokens near the window's end are those that the bytes after it would have changed.
            var cut = window.StartAtOrBefore(window.Length * 7 / 8);
            var next = Window(vocabulary, piece, start + cut, windowBytes);
            steps += next.Steps;
            for (var attempt = 1; attempt < CutAttempts && next.IdAt(0) != window.IdAt(cut); attempt++)
            {
                next.Return();
                cut = window.StartAtOrBefore(cut - 1);
                next = Window(vocabulary, piece, start + cut, windowBytes);
                steps += next.Steps;
            }

            Emit(window, cut, ref sink);
            window.Return();
            window = next;
            start += cut;
        }

        Emit(window, window.Length, ref sink);
        window.Return();
        return steps;
    }

    private static MergedWindow Window(Vocabulary vocabulary, ReadOnlySpan<byte> piece, int start, int windowBytes)
    {
        return new MergedWindow(vocabulary, piece.Slice(start, Math.Min(windowBytes, piece.Length - start)));
    }

    private static void Emit<TSink>(MergedWindow window, int end, ref TSink sink)
        where TSink : struct, ITokenSink
    {
        for (var at = 0; at < end; at = window.Next(at))
        {
            sink.Add(window.IdAt(at));
        }
    }
}
