namespace TokenFactory.Inference;

/// <summary>How many tokens a text has: one tokenizer for what is delivered and for what loopback reports of itself.</summary>
internal delegate int CountTokens(ReadOnlySpan<byte> utf8);
