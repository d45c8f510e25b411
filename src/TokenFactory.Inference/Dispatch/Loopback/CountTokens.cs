namespace TokenFactory.Inference.Dispatch.Loopback;

/// <summary>How many tokens a text has; the gateway's own tokenizer, so that loopback's usage agrees with its count.</summary>
internal delegate int CountTokens(ReadOnlySpan<byte> utf8);
