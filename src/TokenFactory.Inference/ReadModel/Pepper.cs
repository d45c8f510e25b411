namespace TokenFactory.Inference.ReadModel;

/// <summary>The secret that key digests are made under. Versioned, so that it can be changed while old digests still verify.</summary>
public sealed class Pepper(string version, ReadOnlyMemory<byte> value)
{
    public string Version { get; } = version;

    public ReadOnlyMemory<byte> Value { get; } = value;
}
