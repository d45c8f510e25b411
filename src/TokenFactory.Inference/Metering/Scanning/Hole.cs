namespace TokenFactory.Inference.Metering.Scanning;

internal enum HoleKind : byte
{
    /// <summary>A string: text the model produced.</summary>
    Text,

    /// <summary>A string nobody counts.</summary>
    String,

    /// <summary>Digits.</summary>
    Number,

    /// <summary>A usage object.</summary>
    Usage,

    /// <summary>A usage object that knows the input, and not yet the output.</summary>
    InputUsage,
}

/// <summary>A place in a chunk's JSON whose value may differ in the next chunk; strings without their quotes.</summary>
/// <param name="Choice">Whose text it is.</param>
internal readonly record struct Hole(HoleKind Kind, int Start, int Length, int Choice = 0);
