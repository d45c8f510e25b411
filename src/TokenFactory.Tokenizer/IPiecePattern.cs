namespace TokenFactory.Tokenizer;

/// <summary>The regular expression that cuts text into the pieces merging happens inside of, as a hand-written scanner.</summary>
internal interface IPiecePattern
{
    /// <summary>Where the piece that starts here ends. Every character belongs to some piece, so it is always further on.</summary>
    static abstract int End(ref Utf8Text text, int start);
}
